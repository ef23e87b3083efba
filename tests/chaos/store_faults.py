"""What happens to a SQLite store that is in use: its disk fills up, somebody locks it, it is deleted or replaced.

All of it happens from outside the processes that use it. Nothing here opens a database but SQLite: its locks belong to
processes, and closing a file drops them (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_HOLD = """
import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=rw", timeout=20, isolation_level=None, uri=True)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
db.execute("ROLLBACK")
db.close()
"""


def side_files(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm")]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the write lock. A plain context manager: entering waits for the lock."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        holder.stdout.readline()  # When it holds the lock, or has found no store.
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


@contextlib.contextmanager
def no_room(pids: Sequence[int], path: Path) -> Iterator[None]:
    """These processes can make no file larger than the store's log is now: as if the disk were full."""
    wal = side_files(path)[0]
    largest = wal.stat().st_size if wal.exists() else 0
    limits: dict[int, tuple[int, int]] = {}
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # It has just been killed.
            limits[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest // 2, limits[pid][1]))
    try:
        yield
    finally:
        for pid, before in limits.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def can_make_read_only(folder: Path) -> bool:
    """Whether this user and this file system let files be made immutable."""
    probe = folder / "probe"
    probe.touch()
    can = _chattr("+i", [probe])
    _chattr("-i", [probe])
    probe.unlink()
    return can


@contextlib.contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Nothing can be written to the database and its log, through what is open neither."""
    files = [file for file in (path, side_files(path)[0]) if file.exists()]
    _chattr("+i", files)
    try:
        yield
    finally:
        _chattr("-i", files)


def _chattr(change: str, files: Sequence[Path]) -> bool:
    chattr = shutil.which("chattr")
    if chattr is None:
        return False
    return subprocess.run([chattr, change, *map(str, files)], capture_output=True, check=False).returncode == 0


def delete(path: Path) -> None:
    """As somebody who tidies up."""
    for file in (path, *side_files(path)):
        file.unlink(missing_ok=True)


def back_up(path: Path, copy: Path) -> None:
    """A whole copy, made by SQLite itself."""
    existing = f"file:{path}?mode=rw"  # Else SQLite would make an empty one where there is none.
    connected = (
        contextlib.closing(sqlite3.connect(existing, timeout=20, uri=True)),
        contextlib.closing(sqlite3.connect(copy)),
    )
    with connected[0] as source, connected[1] as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = WAL")


def replace(path: Path, copy: Path) -> None:
    """Put a copy of the backup in the store's place, as one restores: another file under the same name."""
    coming = path.with_name("coming.db")
    shutil.copyfile(copy, coming)
    coming.rename(path)
    for file in side_files(path):
        file.unlink(missing_ok=True)

"""Power cuts without a power switch: copies of database and log as they are after each synced commit.

A disk may keep more than what was synced, never less; what is restored from the newest copy is therefore the worst that
a power cut can leave. All processes of a store take turns at committing, so that a copy is of one moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headway.stores import sqlite_file
from tests.chaos.store_faults import side_files

# Outside a transaction.
_COMMITS_ITSELF = re.compile(r"\s*(--.*\n\s*)*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_FULL = 2
"""https://sqlite.org/pragma.html#pragma_synchronous"""


def copy_at_sync_points(path: Path, folder: Path) -> None:
    """From now on each synced commit of this process is copied into the folder before it is acknowledged."""

    class Copied(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> Any:
            if sql == "COMMIT":
                return self._commit()
            if self.in_transaction or not _COMMITS_ITSELF.match(sql):
                return super().execute(sql, *parameters)
            # In two steps: who waits for its turn must not hold up who has the file and waits for its own.
            super().execute("BEGIN IMMEDIATE")
            try:
                done = _Done(super().execute(sql, *parameters))
                self._commit()
            except BaseException:
                if self.in_transaction:
                    super().rollback()
                raise
            return done

        def _commit(self) -> sqlite3.Cursor:
            with _turn(folder):
                cursor = super().execute("COMMIT")
                if super().execute("PRAGMA synchronous").fetchone()[0] == _FULL:
                    _copy(path, folder)
            return cursor

        def close(self) -> None:
            # The last one to close moves the log into the database.
            with _turn(folder):
                super().close()

    def connect(database: Any, **options: Any) -> sqlite3.Connection:
        return sqlite3.connect(database, factory=Copied, **options)

    # Nothing in Headway needs this seam; it is looked for where the store looks.
    sqlite_file.sqlite3 = _Sqlite3(connect)  # type: ignore[attr-defined]


class _Done:
    """The cursor of a statement that has been done."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._rows = iter(cursor.fetchall())
        self.rowcount = cursor.rowcount

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def close(self) -> None:
        pass


class _Sqlite3:
    """The module, with another `connect`."""

    def __init__(self, connect: Any) -> None:
        self.connect = connect

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)


def kill(pids: Iterable[int], folder: Path) -> None:
    """At once, but between no commit and its copy: SQLite shows nobody a commit before it is synced."""
    with _turn(folder):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def restore(path: Path, folder: Path) -> bool:
    """What is on the disk after the cut, in the same file; False where nothing was synced.

    Whoever had it open must be dead.
    """
    newest = _newest(folder)
    if newest is None:
        return False
    wal, shm = side_files(path)
    path.write_bytes((newest / path.name).read_bytes())
    wal.write_bytes((newest / wal.name).read_bytes() if (newest / wal.name).exists() else b"")
    shm.unlink(missing_ok=True)
    return True


def _copy(path: Path, folder: Path) -> None:
    before = _newest(folder)
    number = 1 if before is None else int(before.name) + 1
    coming = folder / "coming"
    coming.mkdir(exist_ok=True)
    files = [str(file) for file in (path, side_files(path)[0]) if file.exists()]
    # By another process: this one would drop its locks with the descriptors that it closes.
    subprocess.run(["cp", "--", *files, str(coming)], check=True)
    coming.rename(folder / str(number))
    if before is not None:
        for file in before.iterdir():
            file.unlink()
        before.rmdir()


def _newest(folder: Path) -> Path | None:
    copies = [entry for entry in folder.iterdir() if entry.name.isdigit()]
    return max(copies, key=lambda entry: int(entry.name), default=None)


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

"""How a SQLite file comes to be ours: created private, in WAL mode, with our schema; and what is left of an older one.

One process at a time opens a file: a lock on its folder covers creation, migration and the removal of leftovers.
Nothing here, or anywhere else, opens the database file itself but SQLite: closing a second descriptor would drop the
POSIX locks that this process holds through SQLite (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from headway.model.errors import StoreError, StoreTooNew, StoreUnavailable
from headway.stores.sqlite_queries import QUERIES

APPLICATION_ID = 0x48445759  # "HDWY"
# The file at place n brings version n to n + 1.
MIGRATIONS = ("schema.sql", "schema_2.sql")
# For STRICT tables.
OLDEST_SQLITE = (3, 37)
# What a burst has made of the log is given back to the disk.
LOG_BYTES = 64 * 1024 * 1024

Identity = tuple[int, int]


@contextlib.contextmanager
def folder_locked(path: Path, timeout_s: float) -> Iterator[None]:
    """Make the folder where it is missing, and hold its lock. In the end what was created there is on disk."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreUnavailable(f"the store {path} can't be opened: {error.strerror}: {error.filename}") from error
    try:
        _lock(folder, path, timeout_s)
        yield
        # Without this a power cut could take away the log file's name, and with it what was synced into it.
        with contextlib.suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


def identity(path: Path) -> Identity | None:
    """Which file is at this path, or None where there is none, or an empty one."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def side_files(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


class Opened(NamedTuple):
    """Which file was opened, and its log."""

    file: Identity | None
    wal: Identity | None


def make_way(path: Path, *, abandon: Callable[[], object], before: Opened | None) -> None:
    """Before opening: see to it that no log of another database is taken for this one's.

    `abandon` closes this process's connections to what it had open here `before`. The folder is locked.
    """
    try:
        wal, shm = side_files(path)
        file = identity(path)
        if file is None and (wal.exists() or shm.exists()):
            # Deleted or emptied while in use. Once the name is gone too, SQLite sees that the file was moved, and
            # closing it doesn't write the log back into what follows.
            path.unlink(missing_ok=True)
            abandon()
            wal.unlink(missing_ok=True)
            shm.unlink(missing_ok=True)
        else:
            abandon()
            if before is not None and file != before.file and _identity_of(wal) == before.wal:
                # Another file was put here, beside the log of the one that we had open.
                wal.unlink(missing_ok=True)
                shm.unlink(missing_ok=True)
        _create_private(path)
    except OSError as error:
        raise StoreUnavailable(f"the store {path} can't be opened: {error.strerror}: {error.filename}") from error


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """WAL mode and our schema, migrated. Raises `StoreTooNew`, `StoreError`."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {needed} or newer is needed; this Python has {sqlite3.sqlite_version}")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    has_tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if has_tables and application != APPLICATION_ID:
        raise StoreError(f"the store {path} is another program's database; choose another file")
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"the store {path} has schema version {version}, this Headway knows up to {len(MIGRATIONS)}: "
            "upgrade Headway, or choose another file"
        )
    mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(f"the store {path} can't use a write-ahead log there; choose a local disk")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    if version == len(MIGRATIONS):
        return
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for script in MIGRATIONS[version:]:
        for statement in statements((Path(__file__).parent / script).read_text("utf-8")):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def claim(connection: sqlite3.Connection, path: Path) -> str:
    """The epoch; another one where this file is a copy of the one that had it, as when a backup was put in its place.

    A copy at rest that happens to get the original's inode is taken for the original.
    """
    epoch, home = connection.execute(QUERIES["epoch"]).fetchone()
    file = identity(path)
    if file is None or home == file[1]:
        return str(epoch)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(QUERIES["settle"] if home is None else QUERIES["begin_history"], (file[1],))
    connection.execute("COMMIT")
    return str(connection.execute(QUERIES["epoch"]).fetchone()[0])


def statements(script: str) -> Iterator[str]:
    """The script's statements one by one: `executescript` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def what_is_open(path: Path) -> Opened:
    return Opened(identity(path), _identity_of(side_files(path)[0]))


def _identity_of(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _lock(folder: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return  # A file system without such locks: SQLite's own have to do.
            if time.monotonic() >= deadline:
                raise StoreUnavailable(f"the store {path} is being opened by another process") from error
        time.sleep(0.005)


def _create_private(path: Path) -> None:
    """An empty file that only this user may read, where there is none. SQLite's side files take over its mode."""
    if path.exists():
        return
    with contextlib.suppress(FileExistsError):
        try:
            os.mknod(path, 0o600)
        except PermissionError:
            # Some systems let only root do that; there the file has to be opened.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

"""The database as the store uses it: always the file that is in place, in transactions, across forks."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from headway.model.errors import StoreError, StoreUnavailable
from headway.stores.forks import at_fork
from headway.stores.sqlite_errors import in_words, spoils_connections
from headway.stores.sqlite_file import Row, SqliteFile

# How long a deleted or replaced file may go unnoticed by reads and by writes that aren't synced.
CHECK_S = 0.05


class Access(NamedTuple):
    """A connection that is one's own for the while, and which history it belongs to."""

    db: sqlite3.Connection
    epoch: str


class SqliteDatabase:
    """Opens the file when it is needed, and again when it was deleted, replaced or emptied.

    Closed before a fork: SQLite keeps its view of the locks in process memory, and a child that found it there would
    take the parent's locks for its own (https://sqlite.org/howtocorrupt.html, 2.6). Both sides open it again.
    """

    def __init__(self, path: Path, *, busy_s: float) -> None:
        self._path = path
        self._busy_s = busy_s
        self._opening = Lock()
        self._file: SqliteFile | None = None
        self._check_at = 0.0
        at_fork(before=self._before_fork, in_parent=self._after_fork, in_child=self._start_anew)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Access]:
        """Raises `StoreError` for whatever SQLite raises in the block."""
        file, connection = self._reader()
        try:
            yield Access(connection, file.epoch)
        except sqlite3.Error as error:
            raise self._explained(error, file) from error
        finally:
            file.give_reader(connection)

    @contextlib.contextmanager
    def writing(self, *, synced: bool, in_one_statement: bool = False) -> Iterator[Access]:
        """A transaction, committed when the block ends, undone when it raises. *Atomic*; on disk where `synced`.

        Where the block is `in_one_statement`, that begins and commits the transaction by itself.

        Raises `StoreError` for whatever SQLite raises in the block.
        """
        file, connection = self._writer(synced=synced, begins=not in_one_statement)
        try:
            yield Access(connection, file.epoch)
            if not in_one_statement:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._explained(error, file) from error
        finally:
            file.give_writer()

    def watched(self, file: SqliteFile, query: str, values: Sequence[object] = ()) -> list[Row] | None:
        """`SqliteFile.watched`. Raises `StoreError`."""
        try:
            return file.watched(query, values)
        except sqlite3.Error as error:
            raise self._explained(error, file) from error

    def opened(self, *, look: bool = False) -> SqliteFile:
        """The file that is in place: looked at now, or, without `look`, at most CHECK_S ago."""
        file = self._file
        if file is not None and not file.is_spoiled:
            now = time.monotonic()
            if now < self._check_at and not look:
                return file
            self._check_at = now + CHECK_S
            if file.is_in_place():
                return file
        with self._opening:
            current = self._file
            if current is not None and current is not file:
                return current  # Another thread was faster.
            self._file = SqliteFile(self._path, busy_s=self._busy_s, previous=file)
            self._check_at = time.monotonic() + CHECK_S
            return self._file

    def last_opened(self) -> SqliteFile:
        """The file that was in place when it was last looked at."""
        return self._file or self.opened()

    def close(self) -> None:
        with self._opening:
            self._retire()

    def _reader(self) -> tuple[SqliteFile, sqlite3.Connection]:
        while True:
            file = self.opened()
            try:
                connection = file.take_reader()
            except sqlite3.Error as error:
                raise self._explained(error, file) from error
            if connection is not None:  # Else it was closed a moment ago: take the next.
                return file, connection

    def _writer(self, *, synced: bool, begins: bool) -> tuple[SqliteFile, sqlite3.Connection]:
        while True:
            file = self.opened(look=synced)
            try:
                connection = file.take_writer(synced=synced, begins=begins)
            except sqlite3.Error as error:
                raise self._explained(error, file) from error
            if connection is not None:
                return file, connection

    def _explained(self, error: sqlite3.Error, file: SqliteFile) -> StoreError:
        if spoils_connections(error):
            file.is_spoiled = True
            if not file.is_in_place():
                return StoreUnavailable(f"the store {self._path} was replaced while in use; try again")
        return in_words(error, self._path)

    def _retire(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.retire(wait_s=self._busy_s)

    def _before_fork(self) -> None:
        # Held until the fork is over, so that nobody opens the file in between.
        self._opening.acquire()
        self._retire()

    def _after_fork(self) -> None:
        self._opening.release()

    def _start_anew(self) -> None:
        self._opening = Lock()
        self._file = None

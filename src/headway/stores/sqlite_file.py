"""One opened SQLite file: one connection that writes, a few that read, one that watches for others' commits."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Lock
from typing import Any

from headway.model.errors import StoreUnavailable
from headway.stores import sqlite_opening as opening
from headway.stores.sqlite_errors import in_words, is_busy

Row = tuple[Any, ...]  # Any: what the columns hold

# More than this many threads that read at once open connections that are closed again.
KEPT_READERS = 8


class SqliteFile:
    """Connections to one file, until it is retired: after that nobody gets one, and those that are out end on return.

    `previous` is retired first, at the moment when that is safe. Raises `StoreError`.
    """

    def __init__(self, path: Path, *, busy_s: float, previous: SqliteFile | None = None) -> None:
        self.path = path
        self.is_spoiled = False
        self._busy_s = busy_s
        self._changed = Condition(Lock())
        self._is_retired = False
        self._out = 0
        self._readers: list[sqlite3.Connection] = []
        self._watcher: sqlite3.Connection | None = None
        self._watching = Lock()
        self._write_lock = Lock()
        self._is_synced = True
        with opening.folder_locked(path, busy_s):
            opening.make_way(
                path,
                abandon=previous.retire if previous else _nothing,
                before=previous.opened if previous else None,
            )
            self._writer, self.epoch = self._first_connection()
            self.opened: opening.Opened = opening.what_is_open(path)

    def is_in_place(self) -> bool:
        """False once the file was deleted, replaced or emptied."""
        try:
            return opening.identity(self.path) == self.opened.file
        except OSError:
            return True  # Can't be told now; the next query will say what is wrong.

    # ── borrowing ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_reader(self) -> sqlite3.Connection | None:
        """A connection for one reader at a time; None where this file is retired, or no longer there. Give it back."""
        with self._changed:
            if self._is_retired:
                return None
            self._out += 1
            if self._readers:
                return self._readers.pop()
        connection = None
        try:
            connection = self._new_reader()
            return connection
        finally:
            if connection is None:
                self._returned()

    def give_reader(self, connection: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.rollback()
        with self._changed:
            keep = not self._is_retired and len(self._readers) < KEPT_READERS
            if keep:
                self._readers.append(connection)
        if not keep:
            connection.close()
        self._returned()

    def take_writer(self, *, synced: bool, begins: bool = True) -> sqlite3.Connection | None:
        """The connection that writes, in a transaction where `begins`; None where this file is retired. Give it back.

        `synced`: what it commits, and all that was committed before it, is on disk when the commit returns: the log
        is one file, so that its fsync covers what was committed without one.
        """
        if not self._write_lock.acquire(timeout=self._busy_s):
            raise StoreUnavailable(f"the store {self.path} is busy: another thread has been writing for too long")
        if self._is_retired:
            self._write_lock.release()
            return None
        try:
            if synced is not self._is_synced:
                self._writer.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self._is_synced = synced
            if begins:
                self._writer.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._write_lock.release()
            raise
        return self._writer

    def give_writer(self) -> None:
        """What was not committed is undone."""
        try:
            if self._writer.in_transaction:
                # Where SQLite has rolled back by itself, or can't, there is nothing left to undo.
                with contextlib.suppress(sqlite3.Error):
                    self._writer.rollback()
            if self._is_retired:
                self._writer.close()
        finally:
            self._write_lock.release()

    def watched(self, query: str, values: Sequence[object] = ()) -> list[Row] | None:
        """What a query gives on the connection by which others' commits are watched for. None when retired, or gone."""
        with self._changed:
            if self._is_retired:
                return None
            self._out += 1
        try:
            with self._watching:
                if self._watcher is None:
                    self._watcher = self._new_reader()
                return None if self._watcher is None else self._watcher.execute(query, values).fetchall()
        finally:
            self._returned()

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────

    def retire(self, *, wait_s: float = 0.0) -> bool:
        """Close what is not in use; say whether, after up to `wait_s`, that was all. The rest closes on return."""
        with self._changed:
            self._is_retired = self.is_spoiled = True
            idle, self._readers = self._readers, []
            is_free = self._out == 0 or self._changed.wait_for(lambda: self._out == 0, wait_s)
        for connection in idle:
            connection.close()
        if is_free:
            self._close_watcher()
        if not self._write_lock.acquire(timeout=max(wait_s, self._busy_s)):
            return False
        try:
            self._writer.close()
        finally:
            self._write_lock.release()
        return is_free

    def _returned(self) -> None:
        with self._changed:
            self._out -= 1
            if self._is_retired and not self._out:
                # Under the lock: who waits for the last one in order to fork must find everything closed.
                self._close_watcher()
            self._changed.notify_all()

    def _close_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _first_connection(self) -> tuple[sqlite3.Connection, str]:
        """The one that writes, and the epoch."""
        deadline = time.monotonic() + self._busy_s
        while True:
            connection = None
            try:
                connection = self._connected(reads_only=False)
                opening.prepare(connection, self.path)
                connection.execute("PRAGMA synchronous = FULL")
                return connection, opening.claim(connection, self.path)
            except sqlite3.Error as error:
                if connection is not None:
                    connection.close()
                # SQLite doesn't wait by itself when two switch to WAL mode, or when one recovers the log.
                if not is_busy(error) or time.monotonic() >= deadline:
                    raise in_words(error, self.path) from error
                time.sleep(0.005)
            except BaseException:
                if connection is not None:
                    connection.close()
                raise

    def _new_reader(self) -> sqlite3.Connection | None:
        """None where another file is at the path by now: opened beside our log, it would be overwritten from that."""
        if not self.is_in_place():
            self.is_spoiled = True
            return None
        return self._connected(reads_only=True)

    def _connected(self, *, reads_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        if reads_only:
            connection.execute("PRAGMA query_only = ON")
        return connection


def _nothing() -> None:
    """There was no file before."""

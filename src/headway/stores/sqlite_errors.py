"""SQLite's errors in words, and which of them mean that the connections are no longer good for anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from headway.model.errors import StoreError, StoreUnavailable

# Primary result codes: https://sqlite.org/rescode.html
_SENTENCES = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_FULL: "can't grow: the disk is full",
    sqlite3.SQLITE_READONLY: "can't be written: it, its folder or its disk is read-only",
    sqlite3.SQLITE_PERM: "can't be opened: permission is denied",
    sqlite3.SQLITE_AUTH: "can't be opened: permission is denied",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: check that its folder exists and that this user may write there",
    sqlite3.SQLITE_IOERR: "can't be read or written: the disk reports an error",
    sqlite3.SQLITE_NOMEM: "can't be used: memory has run out",
}
_BROKEN = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database; choose another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup, or move it away to begin anew",
}
_SPOILING = {
    *_BROKEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}


def in_words(error: sqlite3.Error, path: Path) -> StoreError:
    """`StoreUnavailable` where trying again later may help, `StoreError` where it can't."""
    code = _primary_code(error)
    if code in _BROKEN:
        return StoreError(f"the store {path} {_BROKEN[code]} ({error})")
    return StoreUnavailable(f"the store {path} {_SENTENCES.get(code, 'failed')} ({error})")


def spoils_connections(error: sqlite3.Error) -> bool:
    """Whether to open the file anew: a connection that began on a read-only or broken file stays so."""
    return _primary_code(error) in _SPOILING


def is_busy(error: sqlite3.Error) -> bool:
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    extended: int = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    return extended & 0xFF

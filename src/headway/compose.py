"""What is asked for → adapters: store URLs → stores. Imported lazily, so that nothing is loaded that is not used."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from headway.model.errors import InvalidValue
from headway.model.ports import Store

log = logging.getLogger("headway")


def open_store(url: str | None, socketio: object | None = None) -> Store:
    """The store behind a URL; by default `HEADWAY_STORE`, else a file of the app's. Raises `InvalidValue`."""
    if url is None:
        url = os.environ.get("HEADWAY_STORE") or _default_url(socketio)
    scheme, _, rest = url.partition("://")
    if scheme == "memory":
        from headway.stores.memory import MemoryStore

        return MemoryStore()
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from headway.stores.sqlite import SqliteStore

        return SqliteStore(rest[1:])
    raise InvalidValue("store", "must be memory://, sqlite:///PATH or redis://HOST:PORT/DB")


def _default_url(socketio: object | None) -> str:
    app = getattr(getattr(socketio, "server", None), "wsgi_app", None) or getattr(socketio, "app", None)
    instance = getattr(app, "instance_path", None)
    folder = Path(instance) if isinstance(instance, str) else Path.cwd() / ".headway"
    url = f"sqlite:///{folder / 'headway.db'}"
    log.info("tasks are kept in %s", folder / "headway.db")
    return url

"""What is asked for → adapters: store URLs → stores. Imported lazily, and loads no adapter that is not used."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from headway.model.clock import Clock
from headway.model.errors import InvalidValue
from headway.model.ports import Store
from headway.settings import STORE_FORMS, from_environ, store_url

log = logging.getLogger("headway")


def open_store(
    given: Store | str | None,
    socketio: object | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> Store:
    """The store behind a URL, not opened yet, or the one that was given. Raises `InvalidValue`, `MissingExtra`.

    By default that of `HEADWAY_STORE`, else a file `headway.db` in the instance folder of the Flask app behind
    `socketio` (or of `socketio` itself, where it is the app), else in `.headway/` of the working directory.
    """
    if given is None:
        given = from_environ({"HEADWAY_STORE": environ.get("HEADWAY_STORE", "")}).store or _default_url(socketio)
    if not isinstance(given, str):
        if isinstance(given, type) or not hasattr(given, "swap"):
            raise InvalidValue("store", f"must be a Store or a URL: {STORE_FORMS}; it is a {type(given).__name__}")
        return given
    url = store_url(given)
    scheme = url.partition("://")[0]
    if scheme == "memory":
        from headway.stores.memory import MemoryStore

        return MemoryStore(clock=clock)
    if scheme == "sqlite":
        from headway.stores.sqlite import SqliteStore

        return SqliteStore(url.removeprefix("sqlite:///"), clock=clock)
    from headway.stores.redis import RedisStore

    return RedisStore(url, clock=clock)


def share_store(store: Store) -> tuple[Store, Callable[[], None]]:
    """A store that no URL opens elsewhere, as one that can go to child processes; and what ends the sharing."""
    from headway.stores.proxy import ProxyStore

    if isinstance(store, ProxyStore):
        return store, lambda: None
    from headway.stores.proxy_server import StoreServer

    server = StoreServer(store)
    return ProxyStore(server.address, server.key), server.close


def _default_url(socketio: object | None) -> str:
    folder = _instance_folder(socketio) or Path.cwd() / ".headway"
    log.info("tasks are kept in %s", folder / "headway.db")
    return f"sqlite:///{folder / 'headway.db'}"


def _instance_folder(socketio: object | None) -> Path | None:
    """Flask-SocketIO knows its app by the middleware that it puts around it; a Flask app knows its folder."""
    app = getattr(getattr(socketio, "sockio_mw", None), "flask_app", socketio)
    folder = getattr(app, "instance_path", None)
    return Path(folder) if isinstance(folder, str) else None

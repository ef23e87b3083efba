"""How the sockets of Flask-SocketIO end, and what they may bring, where engineio leaves both to the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI

from headway.web.socketio_handlers_polls import PACKET


def end_session(eio: Any, eio_sid: str) -> None:
    """engineio's own `disconnect` would wait for a client to read what is queued for it, and perhaps for ever."""
    session = eio.sockets.get(eio_sid)
    if session is not None:
        session.close(wait=False, reason=eio.reason.SERVER_DISCONNECT)


def bound_messages(eio: Any) -> None:
    """simple-websocket would take a message whole, however long, before engineio finds it too long; and on what is no
    packet engineio logs a traceback. Either ends the connection.
    """
    make = eio._async["websocket"]
    if make is None:
        return  # That server speaks none.

    def made(handler: Any, server: Any) -> Any:
        websocket = make(handler, server)
        if isinstance(websocket, SimpleWebSocketWSGI):
            websocket.server_args["max_message_size"] = eio.max_http_buffer_size
            websocket.wait = partial(_packet, websocket.wait)
            websocket.close = partial(_close, websocket, websocket.close)
        return websocket

    eio._async = {**eio._async, "websocket": made}


def _packet(wait: Callable[[], str | bytes | None]) -> str | bytes | None:
    said = wait()
    return None if isinstance(said, str) and not PACKET.match(said) else said


def _close(websocket: Any, close: Callable[[], None]) -> None:
    """And hang up: else the connection stays, and a thread waits at it, for as long as its client likes."""
    close()
    with suppress(OSError):  # The client was first.
        websocket.ws.sock.shutdown(socket.SHUT_RDWR)

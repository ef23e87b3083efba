"""What stands between engineio and ASGI: the little environment that it needs, and packets that it can decode.

engineio raises through the server, with a traceback, on what is no packet: that is kept from it.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs

from engineio.async_drivers import asgi

from headway.web.gateway_http import Receive, Scope, Send
from headway.web.packets import bytes_of
from headway.web.wire import WireError

POST_PACKETS = 16
_PACKET = re.compile(r"4[0-6]|1\Z|2probe\Z|3(probe)?\Z|5\Z")
"""What engineio may be given to decode. It tries to read all else as JSON, however deep."""
_POSTED = re.compile(r"4[0-6]|1\Z|3\Z")


class WebSocket(asgi.WebSocket):  # type: ignore[misc]  # engineio ships no types
    """engineio's, but what is no packet ends the connection instead of raising through it."""

    async def __call__(self, environ: dict[str, Any]) -> Any:
        # Kept with engineio's socket, so that a client that does not read can be ended all the same.
        socket = self.handler.__self__
        socket.headway_transport = getattr(getattr(environ["asgi.send"], "__self__", None), "transport", None)
        return await super().__call__(environ)

    async def wait(self) -> str | bytes:
        message: str | bytes = await super().wait()
        if isinstance(message, bytes):
            return message  # Refused as a binary attachment, with an answer.
        if not _PACKET.match(message):
            raise OSError("no Engine.IO packet")
        # engineio counts characters.
        if bytes_of(message) > self.handler.__self__.server.max_http_buffer_size:
            raise OSError("a message over the limit")
        return message


async def translate(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    """The little of a WSGI environment that engineio looks at; it lives as long as the socket."""
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "QUERY_STRING": (scope.get("query_string") or b"").decode("latin-1"),
        "asgi.receive": receive,
        "asgi.send": send,
        "asgi.scope": scope,
    }
    for name, value in scope["headers"]:
        if name in (b"upgrade", b"connection"):
            environ["HTTP_" + name.decode().upper()] = value.decode("latin-1")
    body = scope.get("headway.body")
    if body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = _Body(body)
    return environ


def sid_in(scope: Scope) -> str:
    """Of an engineio session, in the query; or ''."""
    return _in_query(scope, "sid")


def mark_in(scope: Scope) -> str:
    """What a client puts on a poll, another one each time; or ''."""
    return _in_query(scope, "t")


def _in_query(scope: Scope, name: str) -> str:
    query: str = (scope.get("query_string") or b"").decode("latin-1")
    return parse_qs(query).get(name, [""])[0]


class _Body:
    """A body that has been read, as engineio reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int | None = None) -> bytes:
        return self._body[:length]


def checked_payload(body: bytes) -> bytes:
    """Engine.IO packets, parted by U+001E. Raises `WireError`: engineio would log a traceback.

    Attachments are left out: the event that they belong to is refused, and the session goes on.
    """
    try:
        packets = body.decode().split("\x1e")
    except UnicodeDecodeError:
        raise WireError("invalid_request", "the body must be UTF-8") from None
    kept = [packet for packet in packets if not packet.startswith("b")]
    if not kept or len(packets) > POST_PACKETS or not all(map(_POSTED.match, kept)):
        raise WireError("invalid_request", f"the body must be 1 to {POST_PACKETS} Engine.IO packets")
    return "\x1e".join(kept).encode()


def abort_if_blocked(socket: Any) -> None:
    """End the transport of an engineio socket whose client does not read: its writer would wait for ever."""
    transport = getattr(socket, "headway_transport", None)
    if isinstance(transport, asyncio.Transport) and transport.get_write_buffer_size():
        transport.abort()

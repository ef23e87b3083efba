"""A viewer's raw WebSocket connection, as cheap as it gets in Python: thousands of events a second in one process.

Speaks just enough of RFC 6455, Engine.IO 4 and Socket.IO 5 (https://github.com/socketio/socket.io-protocol): whole text
frames, one namespace, no attachments.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from typing import Any

try:
    from orjson import loads
except ImportError:
    from json import loads

NAMESPACE = "/progress"


class Disconnected(Exception):
    """The connection has ended, or never came about."""


class WireConnection(asyncio.Protocol):
    """Entered into the namespace by `connect`. `on_event(name, payload)` is called for each event."""

    def __init__(self, on_event: Callable[[str, Any], None], path: str = "/socket.io/") -> None:
        self._on_event = on_event
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._is_upgraded = False
        self._transport: asyncio.Transport | None = None
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_ack = 0
        self._entered: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.received = 0

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        on_event: Callable[[str, Any], None],
        *,
        path: str = "/socket.io/",
        timeout: float = 10.0,
    ) -> WireConnection:
        """Raises `Disconnected`."""
        connection: WireConnection | None = None
        try:
            async with asyncio.timeout(timeout):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: cls(on_event, path), host, port
                )
                await connection._entered
        except (OSError, TimeoutError, Disconnected) as error:
            if connection is not None:
                connection.abort()
            raise Disconnected(str(error) or type(error).__name__) from error
        return connection

    async def call(self, event: str, payload: dict[str, Any], *, timeout: float = 20.0) -> dict[str, Any]:
        """Send an event and wait for its acknowledgement. Raises `Disconnected`, also where none comes in time."""
        number = self.send(event, payload)
        answer = self._acks[number]
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise Disconnected(f"no answer to {event}") from None
        finally:
            self._acks.pop(number, None)

    def send(self, event: str, payload: dict[str, Any]) -> int:
        if self.closed.done():
            raise Disconnected("the connection has ended")
        number = self._next_ack = self._next_ack + 1
        self._acks[number] = self._loop.create_future()
        self.write(f"42{NAMESPACE},{number}{json.dumps([event, payload])}")
        return number

    def write(self, text: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(text_frame(text))

    def abort(self) -> None:
        """Gone without a word, as when a laptop lid closes."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """In order."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(bytes((0x88, 0x80, 0, 0, 0, 0)))
            self._transport.close()

    # ── asyncio.Protocol ─────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._is_upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in buffer[:end]:
                self.abort()
                return
            self._is_upgraded = True
            del buffer[: end + 4]
        while (frame := _next_frame(buffer)) is not None:
            opcode, payload = frame
            if opcode == 1:
                self._packet(payload.decode())
            elif opcode == 8:
                self.abort()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        error = Disconnected(str(exc or "the server has closed it"))
        if not self._entered.done():
            self._entered.set_exception(error)
        for answer in self._acks.values():
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # Whoever has ceased to wait for it need not hear.
        if not self.closed.done():
            self.closed.set_result(None)

    def _packet(self, text: str) -> None:
        if text.startswith("42"):
            self.received += 1
            name, payload = loads(text[text.index("[") :])
            self._on_event(name, payload)
        elif text.startswith("43"):
            start = text.index("[")
            answer = self._acks.get(int(text[text.index(",") + 1 : start]))
            if answer is not None and not answer.done():
                answer.set_result(loads(text[start:])[0])
        elif text == "2":
            self.write("3")
        elif text.startswith("0"):
            self.write(f"40{NAMESPACE},")
        elif text.startswith("40"):
            if not self._entered.done():
                self._entered.set_result(None)
        elif text.startswith("41") or text == "1":
            self.abort()


def text_frame(text: str) -> bytes:
    """A final, masked text frame. The mask is zero: it hides nothing from anybody but old proxies."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + bytes(4) + data
    if size < 65_536:
        return bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big") + bytes(4) + data
    return bytes((0x81, 0x80 | 127)) + size.to_bytes(8, "big") + bytes(4) + data


def _next_frame(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take one whole frame off the front; servers don't mask theirs. Fragments don't occur in what we are sent."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(buffer[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(buffer[2:10], "big"), 10
    if len(buffer) < start or len(buffer) < start + size:
        return None
    opcode = buffer[0] & 0x0F
    payload = bytes(buffer[start : start + size])
    del buffer[: start + size]
    return opcode, payload

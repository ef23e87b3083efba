"""The fast road: Engine.IO sessions over WebSocket of our own, whose frames go straight to the server's transport.

Server frames are unmasked, so that all viewers of a task get the same bytes: a frame is built once and written to each.
A viewer costs one coroutine that reads, no queue, no writer task, no timer. Where the transport can't be reached
(transport.py), and for polling, python-socketio serves (gateway_engine.py): the ordinary road.

Engine.IO 4: https://github.com/socketio/engine.io-protocol, Socket.IO 5: https://github.com/socketio/socket.io-protocol,
frames: RFC 6455, section 5.2; messages may go uncompressed where compression was agreed on (RFC 7692, section 6).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Executor

from headway.web.frames import Frame, PacketOutlet
from headway.web.gateway_http import Receive, Scope, Send
from headway.web.json_text import to_json
from headway.web.packets import bytes_of
from headway.web.protocol import Connection, Protocol
from headway.web.request import Request
from headway.web.transport import Transport, keep_little_unsent

log = logging.getLogger(__name__)

PING_TIMEOUT_S = 20
STRAY_PACKETS = 10
"""Packets that are no events of ours which a connection may send."""
AFTER_LEAVING_S = 1.0
TICK_S = 0.5
QUEUED_BYTES = 64 * 1024
"""Answers waiting for a client that does not read; beyond, it is dropped."""

_PING = b"\x81\x012"
_PONG = "3"


def text_frame(text: str) -> bytes:
    """A WebSocket text frame from a server: final, unmasked."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data


class Sockets:
    """All sessions of one gateway."""

    def __init__(self, protocol: Protocol, executor: Executor) -> None:
        self.protocol = protocol
        self._executor = executor
        self._sessions: dict[Session, None] = {}
        self._outside: dict[Session, float] = {}
        """Not in the namespace, and until when they may be so."""
        self._ticker: asyncio.TimerHandle | None = None
        # Everybody is pinged once in `heartbeat_s`, a few at each tick.
        self._slots: list[dict[Session, None]] = [{} for _ in range(max(1, round(protocol.heartbeat_s / TICK_S)))]
        self._turn = 0

    async def serve(self, request: Request, scope: Scope, receive: Receive, send: Send, transport: Transport) -> None:
        """One WebSocket, whose origin has been checked, from its handshake to its end."""
        await receive()  # websocket.connect
        if not self.protocol.take_place():
            await send({"type": "websocket.close", "code": 1013})
            return
        if not self.protocol.access.needs_headers:
            request = Request(scheme=request.scheme, remote=request.remote, mount=request.mount)
        keep_little_unsent(transport.get_extra_info("socket"))
        scope["headers"] = []  # They would live as long as the socket.
        session = Session(self, request, transport)
        try:
            await send({"type": "websocket.accept"})
            self._begin(session)
            while True:
                message = await receive()
                text = message.get("text")
                # uvicorn refuses a long message before it is in memory, where it was told to (serve.py).
                if message["type"] != "websocket.receive" or bytes_of(text or "") > self.protocol.bounds.message_bytes:
                    return
                work = session.hear(text)
                if work is not None:
                    await asyncio.get_running_loop().run_in_executor(self._executor, work)
                if session.is_over:
                    return
        finally:
            self._end(session)

    def drain(self) -> None:
        """Before the server closes all: it would wait for those that don't read."""
        for session in list(self._sessions):
            session.close_if_slow()

    def close(self) -> None:
        for session in list(self._sessions):
            session.close()

    def wait_for_entry(self, session: Session, within_s: float) -> None:
        """Close it if it is not in the namespace by then."""
        self._outside[session] = session.loop.time() + within_s

    def has_entered(self, session: Session) -> None:
        self._outside.pop(session, None)

    def _begin(self, session: Session) -> None:
        self._sessions[session] = None
        session.slot = self._slots[(self._turn - 1) % len(self._slots)]
        session.slot[session] = None
        self.wait_for_entry(session, self.protocol.bounds.enter_within_s)
        opening = {
            "sid": secrets.token_urlsafe(15),
            "upgrades": [],
            "pingTimeout": PING_TIMEOUT_S * 1000,
            "pingInterval": round(self.protocol.heartbeat_s * 1000),
            "maxPayload": self.protocol.bounds.message_bytes,
        }
        session.write(text_frame(f"0{to_json(opening)}"))
        if self._ticker is None:
            self._ticker = session.loop.call_later(TICK_S, self._tick, session.loop)

    def _end(self, session: Session) -> None:
        session.is_over = True
        session.leave()
        self._sessions.pop(session, None)
        self._outside.pop(session, None)
        if session.slot is not None:
            session.slot.pop(session, None)
        self.protocol.give_place()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ping those whose turn it is, and end those that are silent, or outside for too long."""
        self._ticker = loop.call_later(TICK_S, self._tick, loop) if self._sessions else None
        for session in list(self._slots[self._turn]):
            session.ping()
        self._turn = (self._turn + 1) % len(self._slots)
        now = loop.time()
        for session in [one for one, until in self._outside.items() if now >= until]:
            session.close()


class Session(PacketOutlet):
    """One client: its connection, and the transport to it. All but `close`, `emit` and `acknowledge` on the loop."""

    __slots__ = (
        "_corked",
        "_is_pinged",
        "_request",
        "_sockets",
        "_strays",
        "_thread",
        "_transport",
        "connection",
        "is_over",
        "loop",
        "slot",
    )

    def __init__(self, sockets: Sockets, request: Request, transport: Transport) -> None:
        super().__init__(sockets.protocol.hub.namespace)
        self.connection: Connection | None = None
        self.is_over = False
        self.loop = asyncio.get_running_loop()
        self.slot: dict[Session, None] | None = None
        self._sockets = sockets
        self._request = request
        self._transport = transport
        self._thread = threading.get_ident()
        self._strays = 0
        self._is_pinged = False
        self._corked: list[bytes] | None = None

    # ── what the client says ─────────────────────────────────────────────────────────────────────────────────

    def hear(self, text: str | None) -> Callable[[], None] | None:
        """Handle a message; what may block is given back, to be done elsewhere."""
        self._is_pinged = False
        protocol, connection = self._sockets.protocol, self.connection
        if text is None:
            if connection is None:
                self.close()
            else:
                protocol.ignore(connection)  # An attachment; its event has been refused.
            return None
        if text.startswith(("42", "43", "44", "45", "46")):
            if connection is None:
                self.close()  # Nothing may be said outside the namespace.
                return None
            event = protocol.admit(connection, text[1:])
            if event is None:
                return None
            if protocol.is_quick(event):
                protocol.receive(connection, event)
                return None
            return lambda: protocol.receive(connection, event)
        if text != _PONG:
            self._hear_other(text)
        return None

    def _hear_other(self, text: str) -> None:
        """CONNECT and DISCONNECT, in moderation."""
        self._strays += 1
        if self._strays > STRAY_PACKETS or text[:2] not in ("40", "41"):
            self.close()
        elif text.startswith("40"):
            self._enter(_namespace_in(text))
        elif text.startswith("41") and _namespace_in(text) == self.namespace and self.connection is not None:
            self.leave()
            # Some clients leave the namespace and then don't say that they have gone.
            self._sockets.wait_for_entry(self, AFTER_LEAVING_S)

    def _enter(self, namespace: str) -> None:
        prefix = "" if namespace == "/" else f"{namespace},"
        if namespace != self.namespace:
            self.write(text_frame(f'44{prefix}{{"message":"Unable to connect"}}'))
        elif self.connection is not None:
            self.close()
        else:
            self.connection = Connection(self._request, self)
            self._sockets.has_entered(self)
            self.write(text_frame(f'40{prefix}{{"sid":"{secrets.token_urlsafe(15)}"}}'))
            self._sockets.protocol.greet(self.connection)

    def leave(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            self._sockets.protocol.forget(connection)

    # ── what it is told ──────────────────────────────────────────────────────────────────────────────────────

    def offer(self, frame: Frame) -> bool:
        transport = self._transport
        if transport.is_closing():
            return True  # It is about to be dropped.
        if transport.get_write_buffer_size():
            return False
        data = frame.sent
        if data is None:
            data = frame.sent = text_frame("4" + frame.packet(self.namespace))
        connection = self.connection
        if connection is None or len(connection.subscriptions) == 1:
            transport.write(data)
        else:
            self._cork(data)
        return True

    def _cork(self, data: bytes) -> None:
        """A viewer of many tasks gets the frames of one turn in one write."""
        if self._corked is None:
            self._corked = [data]
            self.loop.call_soon(self._uncork)
        else:
            self._corked.append(data)

    def _uncork(self) -> None:
        corked, self._corked = self._corked, None
        if corked:
            self.write(b"".join(corked))

    def say(self, packet: str) -> None:
        data = text_frame("4" + packet)
        if threading.get_ident() == self._thread:
            self._say(data)
        else:
            self._on_loop(lambda: self._say(data))

    def _say(self, data: bytes) -> None:
        self._uncork()
        if self._transport.get_write_buffer_size() > QUEUED_BYTES:
            self._close()
        else:
            self.write(data)

    def write(self, data: bytes) -> None:
        if not self.is_over and not self._transport.is_closing():
            self._transport.write(data)

    def ping(self) -> None:
        """Once in a heartbeat; a client that has said nothing since the last one is gone."""
        if self._is_pinged:
            self._close()
        else:
            self._is_pinged = True
            self.write(_PING)

    def close(self) -> None:
        if threading.get_ident() == self._thread:
            self._close()
        else:
            self._on_loop(self._close)

    def close_if_slow(self) -> None:
        if self._transport.get_write_buffer_size():
            self._close()

    def _close(self) -> None:
        """At once: a client that is closed for cause may not be reading at all."""
        if not self.is_over:
            self.is_over = True
            self._transport.abort()

    def _on_loop(self, call: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(call)
        except RuntimeError:
            log.debug("the loop has been closed, and this client with it")


def _namespace_in(text: str) -> str:
    """Of a CONNECT or DISCONNECT packet."""
    name = text[2:].partition(",")[0].partition("?")[0]
    return name if name.startswith("/") else "/"

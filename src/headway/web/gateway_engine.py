"""Socket.IO on ASGI by python-socketio: connects and keeps sockets; every event goes to the `Protocol`.

Messages are looked at before python-socketio parses them: that is where they are counted, and where what is no event
of ours is refused. Frames are put straight into a client's queue, and only while nearly nothing waits there:
python-socketio's own `emit` costs a task a recipient, and its queues are unbounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from concurrent.futures import Executor
from typing import Any

import socketio
from engineio.packet import MESSAGE, Packet

from headway.web.engineio_polls import watch_polls
from headway.web.frames import Frame, PacketOutlet
from headway.web.gateway_engine_asgi import WebSocket, abort_if_blocked, checked_payload, mark_in, sid_in, translate
from headway.web.gateway_http import Message, Receive, Scope, Send, read_body, request_of
from headway.web.protocol import Connection, Protocol
from headway.web.rates import Bounds
from headway.web.request import Request
from headway.web.wire import WireError

log = logging.getLogger(__name__)
_engine_log = logging.getLogger("headway.web.socketio")

PING_TIMEOUT_S = 20
QUEUED_FRAMES = 2
"""A client with so many packets waiting is slow, and passed over."""
STRAY_PACKETS = 10
"""Packets that are no events of ours which a connection may send."""
AFTER_LEAVING_S = 1.0


class Engine:
    """The Socket.IO server of a gateway."""

    def __init__(self, protocol: Protocol, executor: Executor) -> None:
        self._protocol = protocol
        self._executor = executor
        self._clients: dict[str, Client] = {}
        _engine_log.setLevel(logging.CRITICAL)  # What it would say is what clients send.
        self.sio: Any = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # One event of a client after the other, the next one read when this one is done.
            namespaces=[protocol.hub.namespace],
            cors_allowed_origins=[],  # Checked before a request comes here.
            max_http_buffer_size=protocol.bounds.message_bytes,
            ping_interval=int(protocol.heartbeat_s),
            ping_timeout=PING_TIMEOUT_S,
            http_compression=False,
            logger=_engine_log,
            engineio_logger=_engine_log,
        )
        self.sio.on("connect", self._on_enter, namespace=protocol.hub.namespace)
        self.sio.on("disconnect", self._on_leave, namespace=protocol.hub.namespace)
        self._eio = self.sio.eio
        self._eio._async = {**self._eio._async, "translate_request": translate, "websocket": WebSocket}
        # python-socketio's own, which these stand before.
        self._sio_connect = self._eio.handlers["connect"]
        self._sio_message = self._eio.handlers["message"]
        self._sio_disconnect = self._eio.handlers["disconnect"]
        self._eio.on("connect", self._on_connect)
        self._eio.on("message", self._on_message)
        self._eio.on("disconnect", self._on_disconnect)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request for /socket.io whose origin has been checked. Raises `WireError` for a body that is no payload."""
        bounds = self._protocol.bounds
        if scope["type"] == "http" and scope["method"] == "POST":
            try:
                body = await read_body(scope, receive, bounds.message_bytes, bounds.body_within_s)
                body = checked_payload(body)
            except WireError:
                # As a WebSocket ends with such a frame. Some clients would send nothing more, and yet stay.
                client = self._clients.get(sid_in(scope))
                if client is not None:
                    client.close()
                raise
            scope["headway.body"] = body
        if scope["type"] == "http" and scope["method"] == "GET":
            await self._poll(scope, receive, send)
        else:
            await self._eio.handle_request(scope, receive, send)

    async def _poll(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One turn of long polling. Where its answer may be lost the session ends, and the client joins anew.

        A poll that comes again is seen by engineio_polls.py, a connection that is lost before the answer here.
        """
        is_answered = False
        sid = sid_in(scope)
        client = self._clients.get(sid)
        if client is not None:
            await self._take_turn(client, mark_in(scope))

        async def sending(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.body":
                await asyncio.sleep(0)  # If the connection has just been lost, let it be seen.
                is_answered = True
                if client is not None:
                    client.turns.end()
            await send(message)

        async def until_lost() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            if client is not None and not is_answered:
                client.close()

        watcher = asyncio.ensure_future(until_lost())
        try:
            await self._eio.handle_request(scope, receive, sending)
        finally:
            watcher.cancel()
            if client is not None and not is_answered:
                client.turns.end()

    async def _take_turn(self, client: Client, mark: str) -> None:
        """Raises `WireError` where the session has ended."""
        try:
            if not client.turns.begin(mark):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(client.turns.patience_s(self._protocol.bounds.pong_within_s)):
                        await client.turns.confirmed.wait()
                client.turns.check()
        except WireError:
            client.close()
            raise

    def disconnect_all(self) -> None:
        """They come back, to whoever serves then."""
        for client in list(self._clients.values()):
            client.close()

    def stop(self) -> None:
        if self._eio.service_task_event is not None:
            self._eio.service_task_event.set()

    # ── from engineio ────────────────────────────────────────────────────────────────────────────────────────

    async def _on_connect(self, eio_sid: str, environ: dict[str, Any]) -> bool | None:
        if not self._protocol.take_place():
            return False
        request = request_of(environ["asgi.scope"])
        if not self._protocol.access.needs_headers:
            request = Request(scheme=request.scheme, remote=request.remote, mount=request.mount)
        self._clients[eio_sid] = Client(self, self._eio, eio_sid, request, self._protocol.bounds)
        # It keeps what it is given as long as the client stays.
        await self._sio_connect(eio_sid, {})
        return None

    async def _on_message(self, eio_sid: str, data: object) -> None:
        client = self._clients.get(eio_sid)
        if client is None:
            return
        if isinstance(data, str) and data[:1] in ("0", "1"):
            await self._pass_on(client, data)
            return
        if client.connection is None:
            client.close()  # Nothing may be said outside the namespace.
            return
        if isinstance(data, bytes):
            self._protocol.ignore(client.connection)  # An attachment; its event has been refused.
            return
        event = self._protocol.admit(client.connection, data)
        if event is None:
            return
        if self._protocol.is_quick(event):
            self._protocol.receive(client.connection, event)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._protocol.receive, client.connection, event)

    async def _pass_on(self, client: Client, data: str) -> None:
        """CONNECT and DISCONNECT are python-socketio's, in moderation."""
        client.strays += 1
        enters_again = data.startswith("0") and client.connection is not None
        if client.strays > STRAY_PACKETS or enters_again:
            client.close()
            return
        try:
            await self._sio_message(client.eio_sid, data)
        except (ValueError, TypeError, KeyError, RecursionError):
            client.close()
        if data.startswith("0") and client.connection is not None:
            self._protocol.greet(client.connection)

    async def _on_disconnect(self, eio_sid: str, reason: str) -> None:
        await self._sio_disconnect(eio_sid, reason)
        client = self._clients.pop(eio_sid, None)
        if client is not None:
            client.leave(self._protocol)
            client.end()
            self._protocol.give_place()

    # ── from python-socketio ─────────────────────────────────────────────────────────────────────────────────

    async def _on_enter(self, sid: str, environ: object, auth: object) -> bool | None:  # noqa: ARG002
        eio_sid = self.sio.manager.eio_sid_from_sid(sid, self._protocol.hub.namespace)
        client = self._clients.get(eio_sid)
        if client is None:
            return False
        client.enter()
        return None

    async def _on_leave(self, sid: str, reason: str) -> None:  # noqa: ARG002
        eio_sid = self.sio.manager.eio_sid_from_sid(sid, self._protocol.hub.namespace)
        client = self._clients.get(eio_sid)
        if client is not None:
            client.leave(self._protocol)


class Client(PacketOutlet):
    """One Engine.IO session: the connection that it is, and the way to it."""

    __slots__ = (
        "_bounds",
        "_eio",
        "_loop",
        "_socket",
        "_thread",
        "_timer",
        "connection",
        "eio_sid",
        "request",
        "strays",
        "turns",
    )

    def __init__(self, engine: Engine, eio: Any, eio_sid: str, request: Request, bounds: Bounds) -> None:
        super().__init__(engine._protocol.hub.namespace)
        self.eio_sid = eio_sid
        self.request = request
        self.connection: Connection | None = None
        self.strays = 0
        self._bounds = bounds
        self._eio = eio
        self._socket = eio.sockets[eio_sid]
        self.turns = watch_polls(self._socket, asyncio.Event())
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._timer: asyncio.TimerHandle | None = None
        self._wait_for_entry(bounds.enter_within_s)

    def enter(self) -> None:
        self.connection = Connection(self.request, self)
        self.cancel_timer()

    def leave(self, protocol: Protocol) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            protocol.forget(connection)
            # Some clients leave the namespace and then don't say that they have gone.
            self._wait_for_entry(AFTER_LEAVING_S)

    def _wait_for_entry(self, within_s: float) -> None:
        self.cancel_timer()
        self._timer = self._loop.call_later(within_s, self.close)

    def end(self) -> None:
        """The session is over: its writer, or a poll that hangs, must not wait for a next packet."""
        self.cancel_timer()
        self._socket.queue.put_nowait(None)
        abort_if_blocked(self._socket)

    def cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def offer(self, frame: Frame) -> bool:
        queue = self._socket.queue
        if queue.qsize() >= QUEUED_FRAMES:
            return self._socket.closed is True
        packet = frame.cached
        if packet is None:
            packet = frame.cached = Packet(MESSAGE, frame.packet(self.namespace))
        queue.put_nowait(packet)
        return True

    def say(self, packet: str) -> None:
        if threading.get_ident() == self._thread:
            self._say(packet)
        else:
            self._on_loop(self._say, packet)

    def _say(self, packet: str) -> None:
        if self._socket.closed:
            return
        if self._socket.queue.qsize() >= self._bounds.replies_queued:
            self._close()
        else:
            self._socket.queue.put_nowait(Packet(MESSAGE, packet))

    def close(self) -> None:
        self._on_loop(self._close)

    def _close(self) -> None:
        task = self._loop.create_task(_disconnect(self._eio, self.eio_sid))
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    def _on_loop(self, call: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            log.debug("the loop has been closed, and this client with it")


_closing: set[asyncio.Task[None]] = set()
"""asyncio keeps no strong reference to a task."""


async def _disconnect(eio: Any, eio_sid: str) -> None:
    socket = eio.sockets.pop(eio_sid, None)
    if socket is None:
        return
    # Without a CLOSE packet: clients take that for a farewell, and some don't come back after it.
    await socket.close(wait=False, abort=True, reason=eio.reason.SERVER_DISCONNECT)

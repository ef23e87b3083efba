"""`SocketIOHandlers`: the protocol in an existing Flask-SocketIO app, in threading and in gevent mode.

    socketio = SocketIO(app)
    handlers = SocketIOHandlers(socketio, ProgressManager(socketio))

Flask-SocketIO connects the sockets; every event of the namespace goes to the `Protocol`. What is sent to viewers is
sent by one background task that fits the async mode: emits from a true OS thread get lost under gevent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import flask
from engineio.packet import MESSAGE, Packet
from flask_socketio import SocketIO
from socketio.packet import CONNECT_ERROR

from headway.core.progress_manager import ProgressManager
from headway.model.errors import InvalidValue
from headway.web.access import Access, HostRule, access_for
from headway.web.drivers import TaskDriver, ThreadWaker, Waker
from headway.web.engineio_polls import watch_polls
from headway.web.flask import HeadwayBlueprint
from headway.web.frames import Frame, PacketOutlet
from headway.web.hub import Hub
from headway.web.origins import Origins
from headway.web.packets import ALL_KINDS, bytes_of, checked_namespace, is_about
from headway.web.protocol import Connection, Protocol
from headway.web.rates import Bounds
from headway.web.request import Request
from headway.web.rest import Api, Operator, Owner
from headway.web.socketio_handlers_in_tests import TestClient, listen
from headway.web.socketio_handlers_polls import PollGuard
from headway.web.socketio_handlers_sockets import bound_messages, end_session

log = logging.getLogger(__name__)

QUEUED_FRAMES = 2
"""A client with so many packets waiting is slow, and passed over."""
AFTER_LEAVING_S = 1.0
BLUEPRINT = "headway_socketio"


class SocketIOHandlers:
    """Serves viewers in `namespace`. Starts nothing before the first of them comes.

    Where the Flask app is known it also gets /api/tasks… and the shipped files under /static/ (a blueprint;
    `http=False` leaves it out). `origins` are by default those that Flask-SocketIO was given as
    `cors_allowed_origins`. The other options are those of `Gateway`.
    """

    def __init__(
        self,
        socketio: SocketIO,
        progress_manager: ProgressManager,
        namespace: str = "/progress",
        *,
        access: str | HostRule | Access | None = None,
        secrets: str | Sequence[str] | None = None,
        owner: Owner | None = None,
        operator: Operator | None = None,
        origins: Iterable[str] | None = None,
        http: bool = True,
        bounds: Bounds | None = None,
        max_rate: float | None = 20,
    ) -> None:
        self.namespace = checked_namespace(namespace)
        self.manager = progress_manager
        self.access = access_for(progress_manager.access, access, secrets)
        self.hub = Hub(progress_manager, namespace=self.namespace, max_rate=max_rate)
        self.protocol = Protocol(progress_manager, self.hub, self.access, bounds=bounds)
        self.origins = _origins(socketio) if origins is None else Origins(origins)
        self._socketio: Any = socketio
        self._driver = TaskDriver(self.hub, self._spawn, self._new_waker, self._close_strays)
        self._lock = threading.Lock()
        self._clients: dict[str, Client | TestClient] = {}
        self._outside: dict[str, float] = {}
        self._eio: Any = None
        self._pass_on: Callable[[str, object], None] = _nowhere
        socketio.on_event("connect", self._on_enter, namespace=self.namespace)
        socketio.on_event("disconnect", self._on_leave, namespace=self.namespace)
        if getattr(socketio, "server", None) is not None:
            self._hook()
        app = getattr(getattr(socketio, "sockio_mw", None), "flask_app", None)
        if http and app is not None:
            api = Api(self.protocol, self.origins, owner=owner, operator=operator)
            _register(app, HeadwayBlueprint(BLUEPRINT, api, self._driver, self._new_waker, operations=False))

    def close(self) -> None:
        """Stop telling viewers. The manager and the sockets stay."""
        self._driver.stop()

    # ── the async mode ───────────────────────────────────────────────────────────────────────────────────────

    def _spawn(self, work: Callable[[], None]) -> object:
        return self._socketio.start_background_task(work)

    def _new_waker(self) -> Waker:
        mode: str = self._socketio.async_mode
        if mode.startswith("gevent"):
            from headway.web.socketio_handlers_gevent import GeventWaker

            return GeventWaker()
        if mode == "threading":
            return ThreadWaker()
        raise InvalidValue("async_mode", f"must be 'threading' or 'gevent'; this SocketIO has {mode!r}")

    # ── sockets, before they are in the namespace ────────────────────────────────────────────────────────────

    def _hook(self) -> None:
        """Look at every message first: only there is seen if an acknowledgement is asked for, and how many come."""
        with self._lock:
            if self._eio is not None:
                return
            self._eio = eio = self._socketio.server.eio
            bound_messages(eio)
            eio_handlers = eio.handlers
            self._pass_on, connect, disconnect = (
                eio_handlers["message"],
                eio_handlers["connect"],
                eio_handlers["disconnect"],
            )

        def on_connect(eio_sid: str, environ: dict[str, Any]) -> object:
            self._outside[eio_sid] = time.monotonic() + self.protocol.bounds.enter_within_s
            self._driver.start()
            return connect(eio_sid, environ)

        def on_disconnect(eio_sid: str, reason: str) -> object:
            self._outside.pop(eio_sid, None)
            return disconnect(eio_sid, reason)

        clients: Any = self._clients  # Those of tests are among them; they do not poll.
        eio.handle_request = PollGuard(eio, clients, self.protocol.bounds.pong_within_s)
        eio.on("connect", on_connect)
        eio.on("message", self._on_message)
        eio.on("disconnect", on_disconnect)
        listen(self._socketio.server, self._on_message, lambda: self._driver.settle(self._socketio.sleep))

    def _close_strays(self) -> None:
        """End sockets that have entered no namespace in time, or have left the last one."""
        now = time.monotonic()
        for eio_sid, until in list(self._outside.items()):
            if now < until:
                continue
            self._outside.pop(eio_sid, None)
            if self._is_nobody(eio_sid):
                end_session(self._eio, eio_sid)

    def _on_message(self, eio_sid: str, data: object) -> None:
        if eio_sid not in self._socketio.server.environ:
            return  # Said before it knew that its session has ended.
        client = self._clients.get(eio_sid)
        if self._is_too_much(eio_sid, data):
            self._hang_up(eio_sid)
            return
        if client is None or not isinstance(data, str) or not is_about(self.namespace, data):
            if client is not None and isinstance(data, bytes) and eio_sid not in self._socketio.server._binary_packet:
                if len(data) > self.protocol.bounds.message_bytes:
                    client.close()
                else:
                    self.protocol.ignore(client.connection)  # An attachment; its event has been refused.
                return
            if (client is not None or eio_sid in self._outside) and not self._is_packet(data):
                self._hang_up(eio_sid)
                return
            self._pass_on(eio_sid, data)
            if client is None and (client := self._clients.get(eio_sid)) is not None:
                self.protocol.greet(client.connection)  # It has just entered, and has been told.
            return
        event = self.protocol.admit(client.connection, data)
        if event is not None:
            self.protocol.receive(client.connection, event)

    def _hang_up(self, eio_sid: str) -> None:
        client = self._clients.get(eio_sid)
        if client is not None:
            client.close()
        else:
            self._eio.start_background_task(end_session, self._eio, eio_sid)

    def _is_too_much(self, eio_sid: str, data: object) -> bool:
        """Over the limit, and ours or of who is nobody yet, who has nothing to say in bytes either.

        What the app's own namespaces are sent, Flask-SocketIO bounds.
        """
        if not isinstance(data, str):
            return eio_sid not in self._socketio.server._binary_packet and self._is_nobody(eio_sid)
        # Engine.IO's own character before it counts as well.
        most = self.protocol.bounds.message_bytes - 1
        if len(data) * 4 <= most or bytes_of(data) <= most:
            return False
        return is_about(self.namespace, data, ALL_KINDS) or self._is_nobody(eio_sid)

    def _is_nobody(self, eio_sid: str) -> bool:
        manager = self._socketio.server.manager
        return not any(manager.sid_from_eio_sid(eio_sid, name) for name in list(manager.get_namespaces()))

    def _is_packet(self, data: object) -> bool:
        """Whether python-socketio takes it: it would log a traceback."""
        decode = self._socketio.server.packet_class
        try:
            return not isinstance(data, str) or decode(encoded_packet=data).packet_type != CONNECT_ERROR
        except (ValueError, TypeError, LookupError, RecursionError):
            return False

    # ── clients in the namespace ─────────────────────────────────────────────────────────────────────────────

    def _on_enter(self, auth: object = None) -> bool:  # noqa: ARG002
        was_hooked = self._eio is not None
        self._hook()
        request = self._request()
        if not self.origins.permits(request) or not self.protocol.take_place():
            return False
        sid: str = flask.request.sid  # type: ignore[attr-defined]  # Flask-SocketIO's
        server = self._socketio.server
        eio_sid: str = server.manager.eio_sid_from_sid(sid, self.namespace)
        self._driver.start()
        if not self.protocol.access.needs_headers:
            request = Request(scheme=request.scheme, remote=request.remote, mount=request.mount)
        client: Client | TestClient
        if eio_sid in self._eio.sockets:
            client = Client(self.namespace, self._eio, eio_sid, request, self.protocol.bounds)
        else:
            client = TestClient(self.namespace, server, eio_sid, request)
        self._clients[eio_sid] = client
        if not was_hooked and isinstance(client, TestClient):
            self.protocol.greet(client.connection)
        elif not was_hooked:
            # Only the very first client of a server that was not there at construction.
            self._driver.later(lambda: self.protocol.greet(client.connection))
        return True

    def _on_leave(self, reason: object = None) -> None:  # noqa: ARG002
        sid: str = flask.request.sid  # type: ignore[attr-defined]  # Flask-SocketIO's
        eio_sid = self._socketio.server.manager.eio_sid_from_sid(sid, self.namespace)
        client = self._clients.pop(eio_sid, None)
        if client is not None:
            self.protocol.forget(client.connection)
            self.protocol.give_place()
            if client.is_open:
                # Some clients leave the namespace and then don't say that they have gone.
                self._outside[eio_sid] = time.monotonic() + AFTER_LEAVING_S

    def _request(self) -> Request:
        asked = flask.request
        return Request(
            method="SOCKET",
            path=asked.path,
            headers={name.lower(): value for name, value in asked.headers.items()},
            scheme=asked.scheme,
            remote=asked.remote_addr,
            mount=asked.script_root,
        )


class Client(PacketOutlet):
    """One socket in the namespace. Its queue is engineio's, read by a thread or greenlet of the socket's own."""

    __slots__ = ("_bounds", "_eio", "_eio_sid", "_queue", "_socket", "connection", "turns")

    def __init__(self, namespace: str, eio: Any, eio_sid: str, request: Request, bounds: Bounds) -> None:
        super().__init__(namespace)
        self._eio = eio
        self._eio_sid = eio_sid
        self._socket = eio.sockets[eio_sid]
        self._queue = self._socket.queue
        self.turns = watch_polls(self._socket, eio.create_event())
        self._bounds = bounds
        self.connection = Connection(request, self)

    @property
    def is_open(self) -> bool:
        """Whether its session goes on, in this namespace or without it."""
        return not self._socket.closing

    def offer(self, frame: Frame) -> bool:
        if self._queue.qsize() >= QUEUED_FRAMES:
            return self._socket.closed is True
        packet = frame.cached
        if packet is None:
            packet = frame.cached = Packet(MESSAGE, frame.packet(self.namespace))
        self._queue.put_nowait(packet)
        return True

    def say(self, packet: str) -> None:
        if self._socket.closed:
            return
        if self._queue.qsize() >= self._bounds.replies_queued:
            self.close()
        else:
            self._queue.put_nowait(Packet(MESSAGE, packet))

    def close(self) -> None:
        self._eio.start_background_task(self._disconnect)

    def give_up(self) -> None:
        """End the session at once, and without a farewell: some clients would not come back after one."""
        session = self._eio.sockets.pop(self._eio_sid, None)
        if session is not None:
            session.close(wait=False, abort=True, reason=self._eio.reason.SERVER_DISCONNECT)

    def _disconnect(self) -> None:
        end_session(self._eio, self._eio_sid)


def _origins(socketio: SocketIO) -> Origins:
    """What Flask-SocketIO was told; a callable of the host's has been asked by it already."""
    allowed: Any = getattr(socketio, "server_options", {}).get("cors_allowed_origins")
    if allowed is None or allowed == []:
        return Origins()
    return Origins("*" if callable(allowed) else allowed)


def _register(app: Any, blueprint: HeadwayBlueprint) -> None:
    if any(isinstance(known, HeadwayBlueprint) for known in app.blueprints.values()):
        return
    try:
        app.register_blueprint(blueprint)
    except AssertionError:
        log.warning("the app is serving already: register headway.web.flask.blueprint(manager) before it does")


def _nowhere(eio_sid: str, data: object) -> None:
    """Until the server is there."""

"""What each event does, free of transport: join, leave, cancel_task, retry_task, ping. Synchronous and thread-safe.

An adapter makes a `Connection` for each client that entered the namespace, hands every message to `admit` and the event
in it to `receive`, and `forget`s the connection when the client is gone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.core.progress_manager import ProgressManager
from headway.model import limits
from headway.model.clock import Clock, SystemClock
from headway.model.errors import HeadwayError, InvalidValue, NotCancellable, TaskNotFound
from headway.model.replacing import replace
from headway.model.task import Task
from headway.web import wire
from headway.web.access import Access, TaskAction
from headway.web.frames import Outlet
from headway.web.json_text import to_json
from headway.web.packets import parse_event
from headway.web.rates import Bounds, EventRate
from headway.web.request import Request
from headway.web.wire import Ack, Action, WireError

if TYPE_CHECKING:
    from headway.web.hub import Hub
    from headway.web.watches import Subscription

log = logging.getLogger(__name__)


class Connection:
    """One client: who asks, the way back, what it watches."""

    __slots__ = ("is_closed", "outlet", "rate", "request", "subscriptions")

    def __init__(self, request: Request, outlet: Outlet) -> None:
        self.request = request
        self.outlet = outlet
        self.rate = EventRate()
        self.subscriptions: dict[str, Subscription] = {}
        self.is_closed = False


@dataclass(frozen=True, slots=True)
class Event:
    """What a client asks for, decoded but not checked."""

    name: str
    data: object
    ack_id: str | None


class Protocol:
    """The events of a namespace, answered by a manager under an access rule."""

    def __init__(
        self,
        manager: ProgressManager,
        hub: Hub,
        access: Access,
        *,
        bounds: Bounds | None = None,
        heartbeat_s: float = 25,
        clock: Clock | None = None,
    ) -> None:
        self.manager = manager
        self.hub = hub
        self.access = access
        self.bounds = bounds or Bounds()
        self.heartbeat_s = heartbeat_s
        self.connections = 0
        self._counting = threading.Lock()
        self._clock = clock or SystemClock()
        self._events: dict[str, Callable[[Connection, object], Ack]] = {
            "join": self._join,
            "leave": self._leave,
            "cancel_task": self._cancel,
            "retry_task": self._retry,
            "ping": self._ping,
        }

    # ── from the adapter ─────────────────────────────────────────────────────────────────────────────────────

    def take_place(self) -> bool:
        """Count one more socket or stream, in the namespace or not; False where there are too many."""
        with self._counting:
            if self.connections >= self.bounds.connections:
                return False
            self.connections += 1
            return True

    def give_place(self) -> None:
        with self._counting:
            self.connections -= 1

    def greet(self, connection: Connection) -> None:
        """The client has entered the namespace."""
        payload: wire.ConnectedPayload = {
            "protocol": wire.PROTOCOL,
            "server_time": self._clock.time(),
            "heartbeat_s": self.heartbeat_s,
            "shareable": not self.access.needs_headers,
        }
        connection.outlet.emit("connected", to_json(payload))

    def admit(self, connection: Connection, text: object) -> Event | None:
        """The event that a Socket.IO packet is, if it may be handled; else the client has been answered (None)."""
        self.hub.stats.events += 1
        if not connection.rate.admits(self._clock.monotonic(), self.bounds):
            self.hub.stats.refused += 1
            if connection.rate.is_hopeless(self.bounds):
                connection.outlet.close()
                return None
            error = WireError("rate_limited", f"at most {self.bounds.events_per_s} events a second")
            self._answer_error(connection, _ack_id_of(text), error)
            return None
        ack_id: str | None = None
        try:
            if not isinstance(text, str):
                raise InvalidValue("packet", "must be text; binary attachments are not accepted")
            packet = parse_event(text)
            if packet is None or packet.namespace != self.hub.namespace:
                raise InvalidValue("packet", f"must be an event in namespace {self.hub.namespace}")
            ack_id = packet.ack_id
            name, data = packet.decoded()
        except InvalidValue as error:
            self._answer_error(connection, ack_id, error)
            return None
        return Event(name, data, ack_id)

    def ignore(self, connection: Connection) -> None:
        """A message that is no answer's worth, as the attachment of a refused event: it counts all the same."""
        rate = connection.rate
        if not rate.admits(self._clock.monotonic(), self.bounds) and rate.is_hopeless(self.bounds):
            connection.outlet.close()

    def is_quick(self, event: Event) -> bool:
        """Whether handling it can't block: nothing that asks the store, or a callable of the host application's."""
        if event.name == "join":
            return self.access.is_quick and isinstance(event.data, dict) and self.hub.knows(event.data.get("task_id"))
        return event.name not in ("cancel_task", "retry_task")

    def receive(self, connection: Connection, event: Event) -> None:
        """Do what an admitted event asks for, and answer it. Never raises."""
        task_id = _task_id_in(event.data)
        try:
            handle = self._events.get(event.name)
            if handle is None:
                raise InvalidValue("event", f"must be one of {', '.join(self._events)}")
            ack = handle(connection, event.data)
        except HeadwayError as error:
            self._answer_error(connection, event.ack_id, error, task_id)
            return
        except Exception:
            log.exception("an event could not be handled")
            unknown = WireError("internal", "something went wrong here; the server's log says what")
            self._answer_error(connection, event.ack_id, unknown, task_id)
            return
        if event.ack_id is not None:
            connection.outlet.acknowledge(event.ack_id, to_json(ack))

    def forget(self, connection: Connection) -> None:
        """The client is gone. Its tasks go on. Safe to call twice."""
        connection.is_closed = True
        self.hub.drop(connection)

    # ── the events ───────────────────────────────────────────────────────────────────────────────────────────

    def _join(self, connection: Connection, data: object) -> Ack:
        join = wire.parse_join(data)
        rooms = connection.subscriptions
        if join.task_id not in rooms and len(rooms) >= self.bounds.rooms:
            raise WireError("too_many_rooms", f"at most {self.bounds.rooms:,} tasks a connection; leave some first")
        request = _asking(connection, "join", join.token)
        task = self.join(connection, request, join.task_id, join.log_from)
        return {"ok": True, "actions": self.actions(request, task)}

    def join(
        self,
        connection: Connection,
        request: Request,
        task_id: str,
        log_from: int | None,
        seen: tuple[str, int] | None = None,
    ) -> Task:
        """Subscribe, then have the current state sent. The task. Raises `TaskNotFound`, also where it is not allowed.

        `seen`: (epoch, rev) of what a resumed stream has sent already.
        """
        if not self.access.admits(request, "read", task_id):
            raise TaskNotFound(task_id)
        # What is known may be old by now, and many who ask again and again must not each wait for the store.
        self.hub.check_fresh()
        with self.hub.watching(task_id) as known:
            # A callable's yes or no must take as long for a task in memory as for one that there isn't.
            task = known if known is not None and self.access.is_quick else self.manager.get_task(task_id)
            if not self.access.allows(request, "read", task):
                raise TaskNotFound(task_id)
            return self.hub.join(connection, task, log_from, seen=seen)

    def _leave(self, connection: Connection, data: object) -> Ack:
        self.hub.leave(connection, wire.parse_about(data).task_id)
        return {"ok": True}

    def _cancel(self, connection: Connection, data: object) -> Ack:
        cancel = wire.parse_cancel(data)
        self.cancel(_asking(connection, "cancel_task", cancel.token), cancel.task_id, cancel.reason)
        return {"ok": True}

    def _retry(self, connection: Connection, data: object) -> Ack:
        retry = wire.parse_about(data)
        self.retry(_asking(connection, "retry_task", retry.token), retry.task_id)
        return {"ok": True}

    def _ping(self, connection: Connection, data: object) -> Ack:
        payload: wire.PongPayload = {"t": wire.parse_ping(data), "server_time": self._clock.time()}
        connection.outlet.emit("pong", to_json(payload))
        return {"ok": True}

    # ── shared with HTTP ─────────────────────────────────────────────────────────────────────────────────────

    def authorised(self, request: Request, action: TaskAction, task_id: str) -> Task:
        """The task, read now. Raises `TaskNotFound` where there is none, and where it is not allowed."""
        if not self.access.admits(request, action, task_id):
            raise TaskNotFound(task_id)
        task = self.manager.get_task(task_id)
        if not self.access.allows(request, action, task):
            raise TaskNotFound(task_id)
        return task

    def cancel(self, request: Request, task_id: str, reason: str | None) -> None:
        self.authorised(request, "cancel", task_id)
        if not self.manager.cancel_task(task_id, reason):
            raise NotCancellable(task_id)

    def retry(self, request: Request, task_id: str) -> None:
        self.authorised(request, "retry", task_id)
        self.manager.retry_task(task_id)

    def actions(self, request: Request, task: Task) -> list[Action]:
        """What this caller may do with the task, now or when it has ended."""
        found: list[Action] = []
        if self._may(request, "cancel", task):
            found.append("cancel")
        if task.runner is not None and self._may(request, "retry", task):
            ended = task if task.has_ended else replace(task, state="failed")
            if self.manager.can_retry(ended):
                found.append("retry")
        return found

    def _may(self, request: Request, action: Action, task: Task) -> bool:
        return self.access.admits(request, action, task.task_id) and self.access.allows(request, action, task)

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────

    def _answer_error(
        self, connection: Connection, ack_id: str | None, error: HeadwayError, task_id: str | None = None
    ) -> None:
        if ack_id is not None:
            # Who asks for an acknowledgement knows which task it was about.
            ack: Ack = {"ok": False, "error": wire.error_payload(error)}
            connection.outlet.acknowledge(ack_id, to_json(ack))
        else:
            connection.outlet.emit("error", to_json(wire.error_payload(error, task_id)))


def _asking(connection: Connection, event: str, token: str | None) -> Request:
    return replace(connection.request, method="SOCKET", path=event, token=token)


def _ack_id_of(text: object) -> str | None:
    try:
        packet = parse_event(text) if isinstance(text, str) else None
    except InvalidValue:
        return None
    return None if packet is None else packet.ack_id


def _task_id_in(data: object) -> str | None:
    """Which task an error is about: told back only where it could be the id of one (half of a surrogate pair could
    not even be sent)."""
    try:
        return limits.task_id(data.get("task_id")) if isinstance(data, dict) else None
    except InvalidValue:
        return None

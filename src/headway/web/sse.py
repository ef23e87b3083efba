"""Server-Sent Events: one task as a stream of `progress` and `log` events, free of transport.

Each event's id is `EPOCH:REV:N` (N the last log line sent, or 0), so that `Last-Event-ID` resumes where a stream broke.
It ends after the final state and the log that was asked for; a resume after that is answered by 204.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.web.frames import Frame
from headway.web.protocol import Connection, Protocol
from headway.web.request import Request
from headway.web.wire import WireError

HEARTBEAT_S = 15.0
HEARTBEAT = b": still here\n\n"
OPENING = b"retry: 3000\n\n"
PENDING = 4
"""Events that may wait for a slow reader; after that it gets the newest when it has read them."""
HEADERS = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),
)

_EVENT_ID = re.compile(r"([A-Za-z0-9]{8,32}):([0-9]{1,16}):([0-9]{1,16})")


@dataclass(frozen=True, slots=True)
class EventId:
    """What a stream had sent when it broke."""

    epoch: str
    rev: int
    line: int


class EventStream:
    """One viewer's stream: an outlet on the hub's side, text to send on the other. `wake` says that there is some."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._pending: deque[str] = deque()  # One thread appends while another takes.
        self._epoch = ""
        self._rev = 0
        self._line = 0
        self.is_closed = False

    # ── the hub's side ───────────────────────────────────────────────────────────────────────────────────────

    def offer(self, frame: Frame) -> bool:
        if len(self._pending) >= PENDING:
            return False
        if frame.event == "log":
            self._line = frame.last_line
        else:
            if frame.epoch != self._epoch:
                self._line = 0 if self._epoch else self._line
            self._epoch, self._rev = frame.epoch, frame.rev
        event_id = f"{frame.epoch}:{self._rev}:{self._line}"
        self._put(f"event: {frame.event}\nid: {event_id}\ndata: {frame.payload}\n\n")
        return True

    def emit(self, event: str, payload: str) -> None:
        self._put(f"event: {event}\ndata: {payload}\n\n")

    def acknowledge(self, ack_id: str, payload: str) -> None:
        """Nobody asks for acknowledgements here."""

    def close(self) -> None:
        self.is_closed = True
        self._wake()

    def _put(self, text: str) -> None:
        self._pending.append(text)
        self._wake()

    # ── the server's side ────────────────────────────────────────────────────────────────────────────────────

    def take(self) -> bytes:
        """What is to be sent now."""
        return "".join(self._pending.popleft() for _ in range(len(self._pending))).encode()

    def resumes(self, seen: EventId) -> None:
        self._epoch, self._rev, self._line = seen.epoch, seen.rev, seen.line


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream that has joined its task."""

    protocol: Protocol
    connection: Connection
    stream: EventStream
    task_id: str
    actions: str
    """For the `Headway-Actions` header."""

    def has_ended(self) -> bool:
        """Whether nothing is left to come. Look before `take`: what is taken after a yes is the last."""
        if self.stream.is_closed:
            return True
        subscription = self.connection.subscriptions.get(self.task_id)
        if subscription is None:
            return True
        task, follower = subscription.watch.task, subscription.follower
        if task is None or not task.has_ended or subscription.is_owed:
            return False
        if subscription.epoch != task.epoch or subscription.rev < task.rev:
            return False
        return follower is None or (follower.page is None and follower.next_line > task.log_count)

    def close(self) -> None:
        """Leave the task. Safe to call twice."""
        if self.connection.is_closed:
            return
        self.protocol.forget(self.connection)
        self.protocol.give_place()


def open_stream(protocol: Protocol, request: Request, task_id: str, wake: Callable[[], None]) -> Opened | None:
    """Join for a stream. None: it had ended, and nothing has come since (204). May block.

    Raises `InvalidValue` and `TaskNotFound`.
    """
    limits.task_id(task_id)
    log_from = parse_line(request.query.get("log_from"), "log_from")
    seen = parse_event_id(request.headers.get("last-event-id"))
    task = protocol.authorised(request, "read", task_id)
    stream = EventStream(wake)
    if seen is not None and seen.epoch != task.epoch:
        seen = None
    if seen is not None:
        stream.resumes(seen)
        log_from = None if log_from is None else max(log_from, seen.line + 1)
        has_all_lines = log_from is None or log_from > task.log_count
        if task.has_ended and seen.rev >= task.rev and has_all_lines:
            return None
    connection = Connection(request, stream)
    if not protocol.take_place():
        raise WireError("unavailable", "too many connections; try again later")
    opened = Opened(protocol, connection, stream, task_id, ", ".join(protocol.actions(request, task)))
    try:
        protocol.join(connection, request, task_id, log_from, None if seen is None else (seen.epoch, seen.rev))
    except BaseException:
        opened.close()
        raise
    return opened


def parse_line(text: str | None, field: str) -> int | None:
    """A line's number from a query."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text):
        raise InvalidValue(field, f"must be a whole number from 1 to {limits.AMOUNT:,}")
    return limits.whole(int(text), field, 1, limits.AMOUNT)


def parse_event_id(text: str | None) -> EventId | None:
    if not text:
        return None
    match = _EVENT_ID.fullmatch(text)
    if match is None:
        raise InvalidValue("Last-Event-ID", "must be EPOCH:REV:N, as this server sent it")
    return EventId(match[1], int(match[2]), int(match[3]))

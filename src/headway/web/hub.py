"""The hub: tasks that somebody watches, and what each of their viewers has seen.

Stored changes come in on any thread (`take`), wait as 'dirty' tasks, never as queued messages, and go out on the one
thread or loop of the hub's driver (`deliver`): the newest state of each, as one frame for all viewers. What a viewer
has seen is kept as (epoch, rev), so that what it sees rises strictly; a slow viewer is passed over and gets newer news
later. Lost notifications heal: every few seconds the revs of watched tasks are compared with the store.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Protocol

from headway.core.progress_manager import ProgressManager
from headway.model.clock import Clock, SystemClock
from headway.model.errors import StoreError, TaskNotFound
from headway.model.task import Task
from headway.web import wire
from headway.web.frames import Frame
from headway.web.json_text import to_json
from headway.web.logs import LogFollower, LogReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from headway.web.protocol import Connection

log = logging.getLogger(__name__)

RETRY_S = 0.05
"""How often a slow viewer is tried again."""
FRESH_S = 0.1
"""A frame kept for longer is built anew: its `server_time` is what viewers count ages against."""
CHUNK = 32
"""Viewers served between two looks at the clock."""
HEAL_IDS = 500


class Driver(Protocol):
    """Turns the hub's crank: calls `deliver` on one thread or loop when woken, and `heal` every few seconds."""

    def wake(self) -> None:
        """There is something to deliver. From any thread; cheap when it was woken already."""

    def heal_soon(self) -> None:
        """Call `heal`, not here but soon. From any thread; must return quickly."""

    def background(self, work: Callable[[], None]) -> None:
        """Do what may block elsewhere, soon."""


@dataclass(slots=True)
class Stats:
    """Counters since the start, for /metrics."""

    frames: int = 0
    skipped: int = 0
    events: int = 0
    refused: int = 0
    healed: int = 0


class Subscription:
    """One viewer of one task: what it has seen."""

    __slots__ = ("connection", "epoch", "follower", "is_over", "is_owed", "rev", "watch")

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self.connection = connection
        self.watch = watch
        self.epoch = ""
        self.rev = -1
        self.is_owed = True
        """It has just joined: the current state is due, even if it repeats the last one."""
        self.is_over = False
        self.follower: LogFollower | None = None


class Watch:
    """One watched task: its newest stored state, and who watches."""

    __slots__ = (
        "audience",
        "followers",
        "frame",
        "frame_at",
        "head",
        "is_reading_log",
        "is_waiting",
        "next_at",
        "pins",
        "sent",
        "subscriptions",
        "task",
    )

    def __init__(self) -> None:
        self.task: Task | None = None
        self.subscriptions: dict[Connection, Subscription] = {}
        self.audience: tuple[Subscription, ...] | None = ()
        """The same as a tuple, made when needed."""
        self.pins = 0
        self.followers: dict[Subscription, None] = {}
        """Those that follow its log."""
        self.is_reading_log = False
        self.head: tuple[Task, str] | None = None
        """The payload's beginning, and which state it tells."""
        self.frame: Frame | None = None
        self.frame_at = 0.0
        self.next_at = 0.0
        """Before that (monotonic), only a change of state goes out."""
        self.is_waiting = False
        self.sent: Task | None = None


class Hub:
    """Watched tasks → frames. `join`, `leave`, `drop` and `take` from any thread; `deliver` from the driver's alone.

    `max_rate`: states a second of one task when several processes write it (one conflates by itself); None: no cap.
    """

    def __init__(
        self,
        manager: ProgressManager,
        *,
        namespace: str = "/progress",
        mount: str = "",
        max_rate: float | None = 20,
        clock: Clock | None = None,
    ) -> None:
        self.namespace = namespace
        self.mount = mount
        self.stats = Stats()
        self.interval_s = 0.0 if max_rate is None else 1 / max_rate
        self.driver: Driver | None = None
        self._manager = manager
        self._clock = clock or SystemClock()
        self._logs = LogReader(manager, self)
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}
        self._dirty: dict[Watch, None] = {}
        self._joined: deque[Subscription] = deque()
        self._slow: dict[Subscription, None] = {}
        self._retry_at = 0.0
        self._waiting: list[tuple[float, int, Watch]] = []
        self._tie = count()
        self._round: Iterator[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._is_stale = False

    # ── who watches what: from any thread ────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Subscribe to the store's changes, once. Opens the store; may block."""
        if self._unsubscribe is not None:
            return
        with self._opening:
            if self._unsubscribe is None:
                self._unsubscribe = self._manager.subscribe(self.take, self.reset)

    def close(self) -> None:
        """Stop listening to the store. Safe to call twice."""
        with self._opening:
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def knows(self, task_id: object) -> bool:
        watch = self._watches.get(task_id) if isinstance(task_id, str) else None
        return watch is not None and watch.task is not None

    @contextmanager
    def watching(self, task_id: str) -> Iterator[Task | None]:
        """The task as the hub knows it. Inside, its changes are taken even if nobody watches it yet."""
        self.open()
        with self._lock:
            watch = self._watches.setdefault(task_id, Watch())
            watch.pins += 1
        try:
            yield watch.task
        finally:
            with self._lock:
                watch.pins -= 1
                self._forget_unwatched(task_id, watch)

    def join(
        self,
        connection: Connection,
        task: Task,
        log_from: int | None = None,
        *,
        seen: tuple[str, int] | None = None,
    ) -> Task:
        """Subscribe inside `watching`, and owe the viewer the current state. The newest task known.

        `log_from` also follows the log from that line. `seen` is the (epoch, rev) that the viewer has already (a
        resumed stream): only newer states are due then.
        """
        self.take((task,))
        with self._lock:
            watch = self._watches[task.task_id]
            subscription = watch.subscriptions.get(connection)
            if subscription is None:
                subscription = Subscription(connection, watch)
                watch.subscriptions[connection] = subscription
                watch.audience = None
                connection.subscriptions[task.task_id] = subscription
            if seen is None:
                subscription.is_owed = True
            else:
                subscription.is_owed = False
                subscription.epoch, subscription.rev = seen
            if log_from is not None:
                subscription.follower = LogFollower(log_from)
                watch.followers[subscription] = None
            self._joined.append(subscription)
            newest = watch.task or task
        if connection.is_closed:
            self.drop(connection)
        self._wake()
        return newest

    def leave(self, connection: Connection, task_id: str) -> None:
        with self._lock:
            self._end(connection.subscriptions.pop(task_id, None))

    def drop(self, connection: Connection) -> None:
        """Leave everything."""
        with self._lock:
            subscriptions = list(connection.subscriptions.values())
            connection.subscriptions.clear()
            for subscription in subscriptions:
                self._end(subscription)

    def counts(self) -> tuple[int, int]:
        """Tasks watched, and subscriptions to them."""
        watches = list(self._watches.values())
        return len(watches), sum(len(watch.subscriptions) for watch in watches)

    def _end(self, subscription: Subscription | None) -> None:
        if subscription is None or subscription.is_over:
            return
        subscription.is_over = True
        watch = subscription.watch
        watch.subscriptions.pop(subscription.connection, None)
        watch.followers.pop(subscription, None)
        watch.audience = None
        self._slow.pop(subscription, None)
        if watch.task is not None:
            self._forget_unwatched(watch.task.task_id, watch)

    def _forget_unwatched(self, task_id: str, watch: Watch) -> None:
        if not watch.subscriptions and not watch.pins and self._watches.get(task_id) is watch:
            del self._watches[task_id]
            self._dirty.pop(watch, None)

    # ── what changed: from any thread ────────────────────────────────────────────────────────────────────────

    def take(self, tasks: Sequence[Task]) -> None:
        """Stored tasks; those that nobody watches, and what is no news, are passed over."""
        is_news = False
        for task in tasks:
            watch = self._watches.get(task.task_id)
            if watch is not None and self._take_one(watch, task):
                is_news = True
        if is_news:
            self._wake()

    def _take_one(self, watch: Watch, task: Task) -> bool:
        other_history = watch.task is not None and watch.task.epoch != task.epoch
        if other_history and task.epoch != self._manager.store.epoch():
            return False
        with self._lock:
            known = watch.task
            if known is not None and known.epoch == task.epoch and known.rev >= task.rev:
                return False
            watch.task = task
            self._dirty[watch] = None
        return True

    def reset(self) -> None:
        """The store has another history, or notifications were lost: read again what is watched."""
        if self.driver is not None:
            self.driver.heal_soon()

    def heal(self) -> None:
        """Compare what is watched with the store. May block. What is gone from the store is told to its viewers."""
        watched = list(self._watches)
        try:
            for start in range(0, len(watched), HEAL_IDS):
                ids = watched[start : start + HEAL_IDS]
                stored = self._manager.store.get_many(ids)
                before = {task_id: watch.task for task_id in ids if (watch := self._watches.get(task_id))}
                self.take(tuple(stored.values()))
                self.stats.healed += sum(
                    1 for task_id, task in stored.items() if (old := before.get(task_id)) and old.rev < task.rev
                )
                for task_id in before.keys() - stored.keys():
                    self._gone(task_id)
            self.serve_again([sub for watch in list(self._watches.values()) for sub in list(watch.followers)])
        except StoreError as error:
            self._tell_stale(error)
        else:
            self._is_stale = False

    def _gone(self, task_id: str) -> None:
        with self._lock:
            watch = self._watches.get(task_id)
            if watch is None or watch.task is None or watch.pins:
                return
            told = [] if watch.task.has_ended else list(watch.subscriptions.values())
            for subscription in list(watch.subscriptions.values()):
                subscription.connection.subscriptions.pop(task_id, None)
                self._end(subscription)
        error = TaskNotFound(task_id)
        for subscription in told:
            self._tell(subscription.connection, to_json(wire.error_payload(error, task_id)))

    def _tell_stale(self, error: StoreError) -> None:
        """Once each time that the store can't be reached: live updates are delayed."""
        if self._is_stale:
            return
        self._is_stale = True
        log.warning("live updates are delayed: %s", error)
        payload = to_json({"code": "unavailable", "message": "live updates are delayed: the store can't be reached"})
        connections = {sub.connection for watch in list(self._watches.values()) for sub in _subscriptions(watch)}
        for connection in connections:
            self._tell(connection, payload)

    def _tell(self, connection: Connection, payload: str) -> None:
        try:
            connection.outlet.emit("error", payload)
        except Exception:
            log.exception("a viewer could not be told")

    def serve_again(self, subscriptions: Sequence[Subscription]) -> None:
        """They may be due something: a page of the log has been read."""
        if subscriptions:
            self._joined.extend(subscriptions)
            self._wake()

    def _wake(self) -> None:
        if self.driver is not None:
            self.driver.wake()

    # ── what goes out: the driver's thread ───────────────────────────────────────────────────────────────────

    def deliver(self, budget_s: float | None = 0.005) -> float | None:
        """Send what is due, for about `budget_s` seconds. When to call again, in seconds: 0 now, None when woken."""
        started = self._clock.monotonic()
        while True:
            if self._round is None:
                self._round = self._deliveries(started)
            for _ in self._round:
                if budget_s is not None and self._clock.monotonic() - started >= budget_s:
                    return 0
            self._round = None
            if not self._dirty and not self._joined:
                return self._next_delay(self._clock.monotonic())
            if budget_s is not None and self._clock.monotonic() - started >= budget_s:
                return 0

    def _next_delay(self, now: float) -> float | None:
        due = [self._waiting[0][0]] if self._waiting else []
        if self._slow:
            due.append(self._retry_at)
        return max(0.0, min(due) - now) if due else None

    def _deliveries(self, now: float) -> Iterator[None]:
        """One round; yields now and then, so that a large room doesn't hold up the loop."""
        while self._joined:
            self._serve_one(self._joined.popleft())
            yield
        if self._slow and now >= self._retry_at:
            self._retry_at = now + RETRY_S
            for subscription in list(self._slow):
                self._serve_one(subscription)
            yield
        while self._waiting and self._waiting[0][0] <= now:
            watch = heapq.heappop(self._waiting)[2]
            watch.is_waiting = False
            if watch.sent is not watch.task:
                yield from self._serve_all(watch, now)
        with self._lock:
            dirty, self._dirty = self._dirty, {}
        for watch in dirty:
            if not self._must_wait(watch, now):
                yield from self._serve_all(watch, now)
            elif not watch.is_waiting:
                watch.is_waiting = True
                heapq.heappush(self._waiting, (watch.next_at, next(self._tie), watch))

    def _must_wait(self, watch: Watch, now: float) -> bool:
        """Above the rate for one task; never a change of state, an end above all."""
        task, sent = watch.task, watch.sent
        if not self.interval_s or task is None or sent is None or watch.next_at <= now:
            return False
        return (task.state, task.attempt, task.epoch) == (sent.state, sent.attempt, sent.epoch)

    def _serve_all(self, watch: Watch, now: float) -> Iterator[None]:
        task = watch.task
        if task is None:
            return
        # One interval of credit: a writer's own 20 a second must pass, however its turns and ours fall together.
        watch.next_at = max(watch.next_at, now - self.interval_s) + self.interval_s
        watch.sent = task
        since_look = 0
        for subscription in self._audience(watch):
            # Newest wins in the middle of a large room, too.
            self._serve(subscription, watch)
            since_look += 1
            if since_look == CHUNK:
                since_look = 0
                yield
        for subscription in list(watch.followers):
            self._logs.follow(subscription)
        yield

    def _audience(self, watch: Watch) -> tuple[Subscription, ...]:
        with self._lock:
            if watch.audience is None:
                watch.audience = tuple(watch.subscriptions.values())
            return watch.audience

    def _serve_one(self, subscription: Subscription) -> None:
        self._slow.pop(subscription, None)
        if not subscription.is_over:
            self._serve(subscription, subscription.watch)
            self._logs.follow(subscription)
            self._serve(subscription, subscription.watch)

    def _serve(self, subscription: Subscription, watch: Watch) -> None:
        task = watch.task
        if subscription.is_over or task is None:
            return
        if subscription.rev >= task.rev and subscription.epoch == task.epoch and not subscription.is_owed:
            return
        if task.has_ended and not subscription.is_owed and subscription.follower is not None:
            self._logs.follow(subscription)
            if subscription.follower.is_behind(task):
                return  # The end comes last; reading the page brings us back here.
        frame = self._frame(watch, task)
        if self.offer(subscription, frame):
            subscription.epoch, subscription.rev, subscription.is_owed = frame.epoch, frame.rev, False

    def offer(self, subscription: Subscription, frame: Frame) -> bool:
        """Whether the viewer took it. One that could not is tried again soon, with what is newest then."""
        try:
            if subscription.connection.outlet.offer(frame):
                self.stats.frames += 1
                return True
        except Exception:
            log.exception("a viewer was dropped: its way out is broken")
            self.drop(subscription.connection)
            return False
        self.stats.skipped += 1
        if not self._slow:
            self._retry_at = self._clock.monotonic() + RETRY_S
        self._slow[subscription] = None
        return False

    def _frame(self, watch: Watch, task: Task) -> Frame:
        frame = watch.frame
        now = self._clock.monotonic()
        if frame is not None and frame.rev == task.rev and frame.epoch == task.epoch and now - watch.frame_at < FRESH_S:
            return frame
        if watch.head is None or watch.head[0] is not task:
            watch.head = (task, wire.task_payload_head(task, self.mount))
        frame = Frame.of_task(task, f"{watch.head[1]}{self._manager.store.now()!r}}}")
        watch.frame, watch.frame_at = frame, now
        return frame


def _subscriptions(watch: Watch) -> list[Subscription]:
    return list(watch.subscriptions.values())

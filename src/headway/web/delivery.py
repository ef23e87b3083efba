"""What goes out: on the one thread or loop of the hub's driver, the newest state of each task to all its viewers.

Nothing queues: a task is 'dirty', not a list of messages; a viewer that can't take a frame now is 'slow', and gets what
is newest when it can. A round yields now and then, so that a large room doesn't hold up the loop.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from headway.core.progress_manager import ProgressManager
from headway.model.clock import Clock
from headway.model.task import Task
from headway.web import wire
from headway.web.frames import Frame
from headway.web.logs import LogFollower, LogReader
from headway.web.pace import Pace
from headway.web.protocol import Connection
from headway.web.watches import Driver, Stats, Subscription, Watch

log = logging.getLogger(__name__)

RETRY_S = 0.05
"""How often a slow viewer is tried again."""
END_WAITS_S = 5.0
"""How long a final state lets the lines of the log go first: many a viewer leaves when it has the end …"""
JOINER_WAITS_S = 1.0
"""… and for one that has just joined, and sees nothing until then."""
FRESH_S = 0.1
"""A frame kept for longer is built anew: its `server_time` is what viewers count ages against."""
CHUNK = 32
"""Viewers served between two looks at the clock."""


class Delivery:
    """`mark` and `serve_again` from any thread, the rest from the driver's.

    `lock` is the hub's: it guards who watches. `drop` ends a connection whose way out is broken.
    """

    def __init__(
        self,
        manager: ProgressManager,
        lock: threading.Lock,
        drop: Callable[[Connection], None],
        *,
        max_rate: float | None,
        clock: Clock,
    ) -> None:
        self.driver: Driver | None = None
        self.mount = ""
        self.stats = Stats()
        self._pace = Pace(max_rate)
        self._manager = manager
        self._lock = lock
        self._drop = drop
        self._clock = clock
        self._logs = LogReader(manager, self)
        self._dirty: dict[Watch, None] = {}
        self._joined: deque[Subscription] = deque()
        self._slow: dict[Subscription, None] = {}
        self._retry_at = 0.0
        self._now = 0.0
        """The time (monotonic), as it was a few viewers ago, and that by the store's clock, as a payload's end."""
        self._server_time = ""
        self._waiting: list[tuple[float, int, Watch]] = []
        self._tie = count()
        self._round: Iterator[None] | None = None

    # ── from any thread ──────────────────────────────────────────────────────────────────────────────────────

    def mark(self, watch: Watch) -> None:
        """It has a newer state. Under the hub's lock."""
        self._dirty[watch] = None

    def unmark(self, watch: Watch) -> None:
        """Nobody watches it any more. Under the hub's lock."""
        self._dirty.pop(watch, None)

    def forget(self, subscription: Subscription) -> None:
        """It is over."""
        self._slow.pop(subscription, None)

    def serve_again(self, subscriptions: Sequence[Subscription]) -> None:
        """They may be due something: they have joined, or a page of the log has been read."""
        if subscriptions:
            self._joined.extend(subscriptions)
            self.wake()

    def wake(self) -> None:
        if self.driver is not None:
            self.driver.wake()

    # ── on the driver's ──────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, budget_s: float) -> float | None:
        """Send what is due, for about `budget_s` seconds. When to call again, in seconds: 0 now, None when woken."""
        started = self._look_at_clocks()
        try:
            return self._deliver(started + budget_s)
        finally:
            self._pace.spent(started, self._clock.monotonic())

    def _deliver(self, until: float) -> float | None:
        while True:
            if self._round is None:
                self._round = self._deliveries(self._now)
            try:
                for _ in self._round:
                    if self._look_at_clocks() >= until:
                        return 0
            except BaseException:
                self._round = None
                raise
            self._round = None
            if not self._dirty and not self._joined:
                return self._next_delay(self._clock.monotonic())

    def _look_at_clocks(self) -> float:
        self._server_time = f"{self._manager.store.now()!r}}}"
        self._now = now = self._clock.monotonic()
        return now

    def _next_delay(self, now: float) -> float | None:
        due = [self._waiting[0][0]] if self._waiting else []
        if self._slow:
            due.append(self._retry_at)
        return max(0.0, min(due) - now) if due else None

    def _deliveries(self, now: float) -> Iterator[None]:
        while self._joined:
            self._serve_one(self._joined.popleft())
            yield
        if self._slow and now >= self._retry_at:
            self._retry_at = now + RETRY_S
            for subscription in list(self._slow):
                self._serve_one(subscription)
            yield
        since_look = 0
        slow = self._slow
        # All tasks in one loop: many have one viewer.
        for watch in self._due(now):
            try:
                for subscription in self._audience(watch, now):
                    if subscription not in slow:  # Those are tried again together, with what is newest then.
                        self._serve(subscription, watch)
                    since_look += 1
                    if since_look == CHUNK:
                        since_look = 0
                        yield
                if watch.followers:
                    for subscription in list(watch.followers):
                        self._logs.follow(subscription)
            except Exception:
                log.exception("the viewers of a task could not be told its state")
        yield

    def _due(self, now: float) -> Iterator[Watch]:
        """The tasks whose turn it is; the others wait for theirs."""
        while self._waiting and self._waiting[0][0] <= now:
            watch = heapq.heappop(self._waiting)[2]
            watch.is_waiting = False
            if watch.sent is not watch.task:
                yield watch
        with self._lock:
            dirty, self._dirty = self._dirty, {}
        for watch in dirty:
            if not self._must_wait(watch, now):
                yield watch
            elif not watch.is_waiting:
                watch.is_waiting = True
                heapq.heappush(self._waiting, (watch.next_at, next(self._tie), watch))

    def _must_wait(self, watch: Watch, now: float) -> bool:
        """Above the rate for one task; never a change of state, an end above all."""
        task, sent = watch.task, watch.sent
        if not self._pace.interval_s or task is None or sent is None or watch.next_at <= now:
            return False
        return (task.state, task.attempt, task.epoch) == (sent.state, sent.attempt, sent.epoch)

    def _audience(self, watch: Watch, now: float) -> tuple[Subscription, ...]:
        """Who is to be served in the turn of this task, which begins now."""
        # One interval of credit: a writer's own 20 a second must pass, however its turns and ours fall together.
        interval_s = self._pace.interval_s
        watch.next_at = max(watch.next_at, now - interval_s) + interval_s
        watch.sent = watch.task
        audience = watch.audience
        if audience is None:
            with self._lock:
                audience = watch.audience = tuple(watch.subscriptions.values())
        return audience

    def _serve_one(self, subscription: Subscription) -> None:
        self._slow.pop(subscription, None)
        if subscription.is_over:
            return
        watch = subscription.watch
        # What is too early for everybody is so for who has just had some lines, too. It comes in its turn, which is
        # still ahead: what is newer than what was sent has been marked.
        waits = not subscription.is_owed and watch.task is not watch.sent and self._must_wait(watch, self._now)
        if not waits:
            self._serve(subscription, watch)
        self._logs.follow(subscription)
        if not waits:
            self._serve(subscription, watch)

    def _serve(self, subscription: Subscription, watch: Watch) -> None:
        """Its newest state, be it newer than the one that this round began with."""
        task = watch.task
        if subscription.is_over or task is None:
            return
        if subscription.rev >= task.rev and subscription.epoch == task.epoch and not subscription.is_owed:
            return
        follower = subscription.follower
        if follower is not None and task.has_ended and self._lets_lines_go_first(subscription, follower, task):
            return
        frame = watch.frame
        if frame is None or watch.framed is not task or self._now - watch.frame_at >= FRESH_S:
            frame = self._frame(watch, task)
        if self.offer(subscription, frame):
            subscription.epoch, subscription.rev, subscription.is_owed = frame.epoch, frame.rev, False
            if follower is not None:
                follower.waits_since = None

    def _lets_lines_go_first(self, subscription: Subscription, follower: LogFollower, task: Task) -> bool:
        self._logs.follow(subscription)
        if not follower.is_behind(task):
            return False
        now = self._clock.monotonic()
        if follower.waits_since is None:
            follower.waits_since = now
        if now - follower.waits_since >= (JOINER_WAITS_S if subscription.is_owed else END_WAITS_S):
            return False
        self._try_again(subscription)  # When a page has been read, too.
        return True

    def offer(self, subscription: Subscription, frame: Frame) -> bool:
        """Whether the viewer took it. One that could not is tried again soon, with what is newest then."""
        try:
            if subscription.connection.outlet.offer(frame):
                self.stats.frames += 1
                return True
        except Exception:
            log.exception("a viewer was dropped: its way out is broken")
            self._drop(subscription.connection)
            return False
        self.stats.skipped += 1
        self._try_again(subscription)
        return False

    def _try_again(self, subscription: Subscription) -> None:
        if not self._slow:
            self._retry_at = self._clock.monotonic() + RETRY_S
        self._slow[subscription] = None

    def _frame(self, watch: Watch, task: Task) -> Frame:
        """A new one; what does not change with the time is kept."""
        if watch.framed is not task:
            watch.framed, watch.head = task, wire.task_payload_head(task, self.mount)
        watch.frame = frame = Frame("progress", watch.head + self._server_time, task.epoch, task.rev)
        watch.frame_at = self._now
        return frame

"""The hub: which tasks are watched, and how news of them comes in, from any thread.

Stored changes are taken for the tasks that somebody watches, and marked for delivery.py, which sends them. What a
viewer has seen is kept as (epoch, rev), so that what it sees rises strictly. Lost notifications heal: every few seconds
the revs of watched tasks are compared with the store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from headway.core.progress_manager import ProgressManager
from headway.core.slots import further, was_lost
from headway.model.clock import Clock, SystemClock
from headway.model.errors import StoreError, StoreUnavailable, TaskNotFound
from headway.model.ports import Following, Swap
from headway.model.replacing import replace
from headway.model.task import Task
from headway.web import wire
from headway.web.delivery import Delivery
from headway.web.json_text import to_json
from headway.web.logs import LogFollower
from headway.web.protocol import Connection
from headway.web.watches import Driver, Stats, Subscription, Watch

log = logging.getLogger(__name__)

HEAL_IDS = 500
DELAYED = "live updates are delayed: the store can't be reached"
TURN_S = 0.005


class Hub:
    """Watched tasks → frames. All but `deliver` may be called from any thread.

    `max_rate`: states a second of one task when several processes write it (one conflates by itself); None: no cap.
    """

    def __init__(
        self,
        manager: ProgressManager,
        *,
        namespace: str = "/progress",
        max_rate: float | None = 20,
        clock: Clock | None = None,
    ) -> None:
        self.namespace = namespace
        self._manager = manager
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}
        self._delivery = Delivery(manager, self._lock, self.drop, max_rate=max_rate, clock=clock or SystemClock())
        self._following: Following | None = None
        self.is_stale = False
        """The last healing could not reach the store."""

    @property
    def stats(self) -> Stats:
        return self._delivery.stats

    @property
    def mount(self) -> str:
        """Where Headway is mounted: what URLs in payloads begin with."""
        return self._delivery.mount

    @mount.setter
    def mount(self, mount: str) -> None:
        self._delivery.mount = mount

    def driven_by(self, driver: Driver) -> None:
        self._delivery.driver = driver

    def deliver(self, budget_s: float = TURN_S) -> float | None:
        """Send what is due; the driver's. When to call again, in seconds: 0 now, None when woken."""
        return self._delivery.deliver(budget_s)

    # ── who watches what ─────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Subscribe to the store's changes, once. Opens the store; may block."""
        if self._following is not None:
            return
        with self._opening:
            if self._following is None:
                following = self._manager.subscribe(self.take, self.reset, selective=True)
                with self._lock:
                    self._following = following
                    for task_id in self._watches:
                        following.watch(task_id)

    def close(self) -> None:
        """Stop listening to the store. Safe to call twice."""
        with self._opening:
            following, self._following = self._following, None
        if following is not None:
            following()

    def knows(self, task_id: object) -> bool:
        watch = self._watches.get(task_id) if isinstance(task_id, str) else None
        return watch is not None and watch.task is not None

    @contextmanager
    def watching(self, task_id: str) -> Iterator[Task | None]:
        """The task as the hub knows it. Inside, its changes are taken even if nobody watches it yet."""
        self.open()
        with self._lock:
            watch = self._watches.get(task_id)
            if watch is None:
                watch = self._watches[task_id] = Watch()
                if self._following is not None:
                    self._following.watch(task_id)
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
            subscription.is_owed = seen is None
            if seen is not None:
                subscription.epoch, subscription.rev = seen
            if log_from is not None:
                subscription.follower = LogFollower(log_from)
                watch.followers[subscription] = None
            newest = watch.task or task
        if connection.is_closed:
            self.drop(connection)
        self._delivery.serve_again([subscription])
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
        self._delivery.forget(subscription)
        if watch.task is not None:
            self._forget_unwatched(watch.task.task_id, watch)

    def _forget_unwatched(self, task_id: str, watch: Watch) -> None:
        if not watch.subscriptions and not watch.pins and self._watches.get(task_id) is watch:
            del self._watches[task_id]
            if self._following is not None:
                self._following.unwatch(task_id)
            self._delivery.unmark(watch)

    # ── what changed ─────────────────────────────────────────────────────────────────────────────────────────

    def take(self, tasks: Sequence[Task]) -> None:
        """Stored tasks; those that nobody watches, and what is no news, are passed over."""
        others = self._take(tasks)
        if others:  # Of another history: asked for here, as the store may have to be read for it.
            epoch = self._manager.store.epoch()
            self._take([task for task in others if task.epoch == epoch], epoch)

    def _take(self, tasks: Sequence[Task], new_epoch: str | None = None) -> Sequence[Task]:
        """Those of another history than is known, unless it is the new one, are given back."""
        others: list[Task] = []
        is_news = False
        with self._lock:
            for task in tasks:
                watch = self._watches.get(task.task_id)
                if watch is None:
                    continue
                known = watch.task
                if known is not None and known.epoch != task.epoch != new_epoch:
                    others.append(task)
                elif _is_news(task, known):
                    watch.task = task
                    self._delivery.mark(watch)
                    is_news = True
        if is_news:
            self._delivery.wake()
        return others

    def check_fresh(self) -> None:
        """Raises `StoreUnavailable` while the store can't be read."""
        if self.is_stale:
            raise StoreUnavailable(DELAYED)

    def reset(self) -> None:
        """The store has another history, or notifications were lost: read again what is watched."""
        if self._delivery.driver is not None:
            self._delivery.driver.heal_soon()

    def heal(self) -> None:
        """Compare what is watched with the store. May block. What is gone from the store is told to its viewers."""
        watched = list(self._watches)
        try:
            for start in range(0, len(watched), HEAL_IDS):
                self._heal_some(watched[start : start + HEAL_IDS])
        except StoreError as error:
            self._tell_stale(error)
            return
        self.is_stale = False
        following = [subscription for watch in list(self._watches.values()) for subscription in list(watch.followers)]
        for subscription in following:
            if subscription.follower is not None:
                subscription.follower.is_stuck = False
        self._delivery.serve_again(following)

    def _heal_some(self, task_ids: Sequence[str]) -> None:
        before = {task_id: watch.task for task_id in task_ids if (watch := self._watches.get(task_id))}
        stored = self._manager.store.get_many(task_ids)
        self.take(tuple(stored.values()))
        for task_id, known in before.items():
            task = stored.get(task_id)
            if task is None:
                self._gone(task_id)
            elif known is not None and task.rev > known.rev:
                self.stats.healed += 1
            elif known is not None and was_lost(known, task):
                self._write_again(task_id, known, task)

    def _write_again(self, task_id: str, known: Task, stored: Task) -> None:
        """A fail-over of the store has taken back an end or a retry that viewers saw. Who made it writes it again;
        where nobody has by the next time (its process died, too), it is done from here."""
        watch = self._watches.get(task_id)
        if watch is None:
            return
        if watch.doubted is known:
            again = further(known, stored)
            # A large result is not known here.
            with suppress(StoreError):  # It may be read-only here.
                self._manager.store.swap(Swap(stored, replace(again, has_large_result=stored.has_large_result)))
        watch.doubted = known

    def _gone(self, task_id: str) -> None:
        with self._lock:
            watch = self._watches.get(task_id)
            if watch is None or watch.task is None or watch.pins:
                return
            has_ended = watch.task.has_ended
            # An end that a viewer has not been sent is sent all the same, when it can take it.
            subscriptions = [
                one for one in watch.subscriptions.values() if not has_ended or one.has_been_sent(watch.task)
            ]
            for subscription in subscriptions:
                subscription.connection.subscriptions.pop(task_id, None)
                self._end(subscription)
        if not has_ended:  # One that had is deleted in the course of things.
            payload = to_json(wire.error_payload(TaskNotFound(task_id), task_id))
            for subscription in subscriptions:
                _tell(subscription.connection, payload)

    def _tell_stale(self, error: StoreError) -> None:
        """Once each time that the store can't be reached: live updates are delayed."""
        if self.is_stale:
            return
        self.is_stale = True
        log.warning("live updates are delayed: %s", error)
        payload = to_json({"code": "unavailable", "message": DELAYED})
        for connection in {sub for watch in list(self._watches.values()) for sub in list(watch.subscriptions)}:
            _tell(connection, payload)


def _is_news(task: Task, known: Task | None) -> bool:
    if known is None or known.epoch != task.epoch:
        return True
    # An end is seen once, though it may be stored twice: after a fail-over that had lost it.
    is_told = known.has_ended and known.attempt == task.attempt
    return known.rev < task.rev and not is_told


def _tell(connection: Connection, payload: str) -> None:
    try:
        connection.outlet.emit("error", payload)
    except Exception:
        log.exception("a viewer could not be told")

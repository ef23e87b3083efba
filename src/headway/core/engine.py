"""What is open while a manager is in use: the store, the write-behind, the leases, and what ties them together."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable

from headway.core import forks
from headway.core.housekeeping import Chore, Housekeeping
from headway.core.leases import Leases
from headway.core.retention import Retention
from headway.core.write_behind import WriteBehind
from headway.model import limits
from headway.model.change import LogLine
from headway.model.clock import Clock
from headway.model.errors import StoreError, TaskCancelled, TaskNotFound
from headway.model.ports import Following, Store
from headway.model.replacing import replace
from headway.model.task import Task, TaskError, Worker

log = logging.getLogger("headway")

RENEW_S = 1.0
LOOK_S = 0.5
SWEEP_S = 60.0
WORKER_LOST = TaskError("worker_lost", "the worker process has ended without finishing the task")


class Engine:
    """Opens the store with its first use; `close` ends every thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        lease_s: float,
        retention: Retention,
        is_queued: Callable[[Task], bool] = lambda _: True,
        will_tell: Callable[[Task], bool] = lambda _: False,
    ) -> None:
        """`is_queued`: whether a pending task that this process holds is in a queue here.

        `will_tell`: whether a runner here waits for the end of this attempt.
        """
        self.store = store
        self._is_queued = is_queued
        self._will_tell = will_tell
        self._retention = retention
        self._housekeeping = Housekeeping(
            clock,
            [
                Chore("renewing the lease", min(RENEW_S, lease_s / 10), lambda: self._renew()),
                Chore("looking after workers", min(LOOK_S, lease_s / 3), lambda: self.leases.reap()),
                Chore("deleting old tasks", SWEEP_S, lambda: self._sweep()),
            ],
        )
        self.leases = Leases(
            store,
            clock,
            lease_s=lease_s,
            on_lost=self.lose,
            on_sign=self._sign,
            on_first=self._housekeeping.start,
            runs_here=self._runs,
        )
        self.writes = WriteBehind(store, clock, hold=self.leases.hold, watch=self._watch, unwatch=self._unwatch)
        self._following: Following | None = None
        self._subscribing = threading.Lock()
        self._closes_at_exit_of: int | None = None
        forks.in_child(self._restart_in_child)

    def complete(self, task_id: str, result: str | None, message: str | None, *, attempt: int | None = None) -> bool:
        """Complete with a result as JSON text; False once the task (or that attempt) has ended. Synced."""
        large = result if result is not None and len(result.encode()) > limits.INLINE_RESULT_BYTES else None

        def completing(task: Task, now: float) -> Task:
            return task.completing(now, result=result, message=message)

        # A reporter's work is over: nobody would call again.
        write = self.writes.change if attempt is None else self.writes.end
        return write(task_id, completing, attempt=attempt, large_result=large) is not None

    def take_over(self, task_id: str, attempt: int | None, *, again: bool = False) -> Task:
        """The task as it runs from now on, held by this process. Raises `TaskCancelled` where it must not run."""
        holder = self.leases.hold()

        def taken_over(task: Task, now: float) -> Task:
            if again and task.state == "running" and task.confirms_cancel:
                task = task.failing(now, WORKER_LOST, by_work=False)  # So its broker thinks.
            if again and task.state == "failed":
                task = task.retrying(now)
            if task.has_ended or task.state == "cancelling":
                return task
            return replace(task.starting(now, holder=holder), holder=holder, worker="alive", confirms_cancel=True)

        stored = self.writes.change(task_id, taken_over, attempt=attempt)
        if stored is None:
            raise TaskCancelled(task_id, self.store.get(task_id).cancel_reason)
        return stored

    def lose(self, task: Task, error: TaskError = WORKER_LOST) -> None:
        """The worker of this attempt is gone: the task fails, or is cancelled where it was asked to stop.

        A runner of this process that waits for it says so itself, and says how its worker has ended.
        """
        if self._will_tell(task):
            return

        def lost(stored: Task, now: float) -> Task:
            if stored.holder != task.holder:
                return stored  # Another process has taken it over meanwhile.
            return _given_up(stored, now, error)

        with contextlib.suppress(TaskNotFound):  # Deleted before it could be given up.
            self.writes.change(task.task_id, lost, attempt=task.attempt)

    def give_up(self, task_id: str, attempt: int, error: TaskError) -> None:
        """The same where the runner knows it first, whoever holds the task."""

        def lost(stored: Task, now: float) -> Task:
            return _given_up(stored, now, error)

        with contextlib.suppress(TaskNotFound):
            self.writes.end(task_id, lost, attempt=attempt)

    def try_again(self, task_id: str, attempt: int, why: str) -> None:
        """This attempt is over, and its runner goes on by itself: the next one waits from now on, and says why."""

        def next_one(task: Task, now: float) -> Task:
            if task.has_ended:
                return task
            if task.state == "cancelling":
                return task.cancelled(now)
            return replace(task.failing(now, WORKER_LOST).retrying(now), message=why)

        with contextlib.suppress(TaskNotFound):
            slot = self.writes.slots.get(task_id)
            if slot.attempt == attempt:
                slot.add_log(LogLine(0, self.store.now(), "warning", why))
            self.writes.end(task_id, next_one, attempt=attempt)

    def looked_after(self, tasks: Iterable[Task]) -> bool:
        """Whether the workers of these were looked for just now, so that they may have to be read again."""
        try:
            return self.leases.look_before_telling(tasks)
        except StoreError as error:  # It may be read-only here; who watches will see to it.
            log.debug("looking after workers: %s", error)
            return False

    def close(self) -> None:
        """Store what is pending, end the threads, close the store. Safe to call twice."""
        self.writes.close()
        self._housekeeping.close()
        self.leases.close()
        with self._subscribing:
            following, self._following = self._following, None
        if following is not None:
            following()
        self.store.close()

    def _renew(self) -> None:
        self.leases.renew()
        self.leases.look_at_own()

    def _runs(self, task: Task) -> bool:
        return self._is_queued(task) if task.state == "pending" else self.writes.slots.reports(task)

    def _sweep(self) -> None:
        deleted = self._retention.sweep(self.store) if self.leases.watches else 0
        if deleted:
            log.info("deleted %d tasks that ended long ago", deleted)

    def _watch(self, task_id: str) -> None:
        """Know what other processes do to a task that is reported here."""
        following = self._following or self._follow()
        if following is not None:
            following.watch(task_id)

    def _unwatch(self, task_id: str) -> None:
        following = self._following
        if following is not None:
            following.unwatch(task_id)

    def _follow(self) -> Following | None:
        """Subscribe, with the first task."""
        with self._subscribing:
            if self._following is not None:
                return self._following
            try:
                following = self._following = self.store.subscribe(self.writes.slots.saw, self._reset, selective=True)
            except RuntimeError as error:
                log.debug("at the interpreter's exit no thread can be started: %s", error)
                return None
            if self._closes_at_exit_of != os.getpid():
                # What is pending at the exit is stored, also by a child of multiprocessing, which ends without atexit.
                # After the runners have closed: their priority is higher.
                from multiprocessing import util  # Lazily: who only imports headway needn't load it.

                self._closes_at_exit_of = os.getpid()
                close = weakref.WeakMethod(self.close)
                util.Finalize(self, forks.call_if_alive, args=(close,), exitpriority=10)
            return following

    def _reset(self) -> None:
        try:
            self.leases.resync()
            self.writes.slots.resync()
        except StoreError as error:
            log.warning("the store has another history, and can't be read: %s", error)

    def _sign(self, task: Task, worker: Worker) -> None:
        """The holder went silent, or was heard of again."""

        def signed(stored: Task, _now: float) -> Task:
            return stored.with_worker(worker) if stored.holder == task.holder else stored

        with contextlib.suppress(TaskNotFound):
            self.writes.change(task.task_id, signed, attempt=task.attempt)

    def _restart_in_child(self) -> None:
        self._subscribing = threading.Lock()
        self._following = None
        self._housekeeping.restart_in_child()
        self.leases.restart_in_child()
        self.writes.restart_in_child()


def _given_up(task: Task, now: float, error: TaskError) -> Task:
    if task.state == "cancelling":
        return task.cancelled(now, f"asked to stop; {error.message}")
    return task.failing(now, error, by_work=False)

"""`memory://`: tasks in this process only, for tests and for work that need not outlive it."""

from __future__ import annotations

import heapq
import secrets
from collections import deque
from collections.abc import Collection, Sequence
from threading import Lock

from headway.model import limits
from headway.model.change import LogLine
from headway.model.clock import Clock, SystemClock
from headway.model.errors import TaskExists, TaskNotFound
from headway.model.ports import Following, Lease, LogPage, OnChange, OnReset, Swap, TaskPage, TaskQuery
from headway.model.replacing import replace
from headway.model.task import FINAL, State, Task
from headway.stores import paging
from headway.stores.forks import at_fork
from headway.stores.subscribers import Subscribers


class MemoryStore:
    """Everything under one lock; subscribers are told outside it.

    A forked child has an empty store of its own: a copy that drifts from the parent's would only look like the truth.
    `close` keeps the tasks, since nothing else does.
    """

    url: str | None = None

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        # Asked at every report: not by way of a method of its own.
        self.now = self._clock.time
        self._floor_rev = 0
        self._start_anew()
        at_fork(in_child=self._start_anew)

    def epoch(self) -> str:
        return self._epoch

    def create(self, task: Task) -> Task:
        with self._lock:
            if task.task_id in self._tasks:
                raise TaskExists(task.task_id)
            now = self.now()
            stored = replace(task, epoch=self._epoch, rev=max(self._floor_rev + 1, int(now * 1000)), server_time=now)
            self._tasks[task.task_id] = stored
            self._logs[task.task_id] = deque(maxlen=limits.LOG_LINES)
        self._subscribers.tell((stored,))
        return stored

    def get(self, task_id: str) -> Task:
        task = self._tasks.get(task_id)
        if task is None:
            raise TaskNotFound(task_id)
        return replace(task, server_time=self.now())

    def get_many(self, task_ids: Collection[str]) -> dict[str, Task]:
        now = self.now()
        with self._lock:
            found = [self._tasks[task_id] for task_id in task_ids if task_id in self._tasks]
        return {task.task_id: replace(task, server_time=now) for task in found}

    def swap(self, swap: Swap) -> Task | None:
        return self.swap_many((swap,))[0]

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        with self._lock:
            now = self.now()
            stored = [self._swap(swap, now) for swap in swaps]
        self._subscribers.tell([task for task in stored if task is not None])
        return stored

    def list(self, query: TaskQuery) -> TaskPage:
        listing = paging.checked(query)
        with self._lock:
            tasks = list(self._tasks.values())
        keyed = [
            (paging.sort_key(task, listing.order), task.task_id, task)
            for task in tasks
            if task.state in listing.states
            and (listing.owner is None or task.owner == listing.owner)
            and (listing.needle is None or paging.matches(task, listing.needle))
        ]
        after = listing.after
        if after is not None:
            keyed = [item for item in keyed if (item[:2] < after if listing.newest_first else item[:2] > after)]
        first = heapq.nlargest if listing.newest_first else heapq.nsmallest
        page = [item[2] for item in first(listing.limit + 1, keyed)]
        now = self.now()
        shown = tuple(replace(task, server_time=now) for task in page[: listing.limit])
        return TaskPage(shown, paging.cursor_after(shown[-1], listing.order) if len(page) > listing.limit else None)

    def delete(
        self, *, finished_before: float | None = None, states: Collection[State] = (), keep: int | None = None
    ) -> int:
        with self._lock:
            final = [task for task in self._tasks.values() if task.has_ended and (not states or task.state in states)]
            final.sort(key=lambda task: (task.finished_at or 0, task.task_id), reverse=True)
            doomed = [
                task.task_id
                for place, task in enumerate(final)
                if (finished_before is not None and (task.finished_at or 0) < finished_before)
                or (keep is not None and place >= keep)
            ]
            for task_id in doomed:
                self._remove(task_id)
        return len(doomed)

    def delete_task(self, task_id: str) -> bool:
        with self._lock:
            task = self._tasks.get(task_id)
            if task is None or task.state not in FINAL:
                return False
            self._remove(task_id)
        return True

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        with self._lock:
            if task_id not in self._tasks:
                raise TaskNotFound(task_id)
            lines = tuple(self._logs[task_id])
        first_kept = lines[0].n if lines else 1
        start = max(start, 1)
        skipped = max(start - first_kept, 0)
        return LogPage(lines[skipped : skipped + limit], first_kept if start < first_kept else None)

    def large_result(self, task_id: str) -> str | None:
        return self._results.get(task_id)

    def renew(self, lease: Lease) -> None:
        with self._lock:
            self._leases[lease.lease_id] = lease

    def leases(self) -> Sequence[Lease]:
        with self._lock:
            return list(self._leases.values())

    def drop_lease(self, lease_id: str) -> None:
        with self._lock:
            self._leases.pop(lease_id, None)

    def held(self, holder: str | None = None) -> Sequence[Task]:
        now = self.now()
        with self._lock:
            held = [task for task in self._tasks.values() if task.holder is not None and not task.has_ended]
        return [replace(task, server_time=now) for task in held if holder is None or task.holder == holder]

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        return self._subscribers.add(on_change, on_reset, selective=selective)

    def close(self) -> None:
        self._subscribers.clear()

    def _swap(self, swap: Swap, now: float) -> Task | None:
        task_id = swap.old.task_id
        current = self._tasks.get(task_id)
        if current is None or (current.epoch, current.rev) != (swap.old.epoch, swap.old.rev):
            return None
        stored = swap.stored(now)
        self._tasks[task_id] = stored
        if swap.log:
            first = stored.log_count - len(swap.log) + 1
            lines = (LogLine(n, line.t, line.level, line.text) for n, line in enumerate(swap.log, first))
            self._logs[task_id].extend(lines)
        if swap.large_result is not None:
            self._results[task_id] = swap.large_result
        elif not stored.has_large_result:
            self._results.pop(task_id, None)
        return stored

    def _remove(self, task_id: str) -> None:
        self._floor_rev = max(self._floor_rev, self._tasks.pop(task_id).rev)
        del self._logs[task_id]
        self._results.pop(task_id, None)

    def _start_anew(self) -> None:
        self._lock = Lock()
        self._epoch = secrets.token_hex(8)
        # The highest rev that was ever deleted: a task that takes a deleted one's id goes on above it.
        self._floor_rev = 0
        self._tasks: dict[str, Task] = {}
        self._logs: dict[str, deque[LogLine]] = {}
        self._results: dict[str, str] = {}
        self._leases: dict[str, Lease] = {}
        self._subscribers = Subscribers()

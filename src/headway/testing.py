"""Test doubles for applications that use Headway: a clock that you move, a manager in memory, a viewer that remembers.

with memory_manager() as manager:
    task_id = import_rows(manager)
    with RecordingViewer(manager, task_id) as viewer:
        assert viewer.wait_for_end().state == "completed"
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from headway.core.progress_manager import ProgressManager
from headway.model.clock import Clock
from headway.model.task import Task
from headway.stores.memory import MemoryStore


class FakeClock:
    """A clock that stands still until it is told to go. Give it to a manager: `memory_manager(clock=clock)`."""

    def __init__(self, time: float = 1_700_000_000.0) -> None:
        self._time = time
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def time(self) -> float:
        """Unix seconds."""
        return self._time

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time goes by."""
        if seconds < 0:
            raise ValueError("time does not go back; use jump() for a wall clock that was set")
        with self._lock:
            self._time += seconds
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock, forward or back; monotonic time does not notice."""
        with self._lock:
            self._time += seconds


@contextmanager
def memory_manager(*, clock: Clock | None = None) -> Iterator[ProgressManager]:
    """A `ProgressManager` whose tasks are in memory and gone afterwards. The same promises as with any store."""
    with ProgressManager(store=MemoryStore(clock=clock), clock=clock) as manager:
        yield manager


class RecordingViewer:
    """Sees of one task what a page would: its state when it joins, then each newer one. A context manager.

    `tasks` is all that was seen, the oldest first; how many states there are between the first and the last is up to
    conflation, so assert on the last, on their order, and on what never happens.
    """

    def __init__(self, manager: ProgressManager, task_id: str) -> None:
        self._manager = manager
        self._task_id = task_id
        self._seen: list[Task] = []
        self._news = threading.Condition()
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        with self._news:
            return tuple(self._seen)

    @property
    def last(self) -> Task:
        return self.tasks[-1]

    def wait_for(self, predicate: Callable[[Task], bool], timeout_s: float = 10.0) -> Task:
        """The first task seen, by now or later, that the predicate accepts. Raises `AssertionError` in the end."""
        with self._news:
            if not self._news.wait_for(lambda: any(map(predicate, self._seen)), timeout_s):
                raise AssertionError(f"not seen within {timeout_s:g} s; the last was {self._seen[-1]}")
            return next(filter(predicate, self._seen))

    def wait_for_end(self, timeout_s: float = 10.0) -> Task:
        """The task when it has ended, in its newest attempt."""
        with self._news:
            if not self._news.wait_for(lambda: self._seen[-1].has_ended, timeout_s):
                raise AssertionError(f"not ended within {timeout_s:g} s; the last was {self._seen[-1]}")
            return self._seen[-1]

    def __enter__(self) -> Self:
        """Subscribes, then reads: nothing that happens in between is missed. Raises `TaskNotFound`."""
        self._unsubscribe = following = self._manager.subscribe(self._saw, self._read, selective=True)
        following.watch(self._task_id)
        try:
            self._read()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _read(self) -> None:
        self._saw((self._manager.get_task(self._task_id),))

    def _saw(self, tasks: Sequence[Task]) -> None:
        with self._news:
            for task in tasks:
                if task.task_id == self._task_id and self._is_news(task):
                    self._seen.append(task)
                    self._news.notify_all()

    def _is_news(self, task: Task) -> bool:
        """Newer than the last, or of another history: as every reader decides it."""
        return not self._seen or task.epoch != self._seen[-1].epoch or task.rev > self._seen[-1].rev

"""Test doubles of the core: a clock that is moved by hand, and a store that counts, fails and interrupts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from headway.model.errors import StoreUnavailable
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.memory import MemoryStore


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def time(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds


class WatchedStore(MemoryStore):
    """Keeps every stored state. While `fails` it takes nothing; `before_write` may let another writer in."""

    def __init__(self, *, clock: HandClock | None = None) -> None:
        super().__init__(clock=clock)
        self.history: list[Task] = []
        self.reads = 0
        self.fails = False
        self.before_write: Callable[[Sequence[Swap]], None] | None = None
        # History in the order of the writes; reentrant for `before_write`.
        self._counting = threading.RLock()

    def states_of(self, task_id: str) -> list[Task]:
        return [task for task in list(self.history) if task.task_id == task_id]

    def create(self, task: Task) -> Task:
        self._may_fail()
        with self._counting:
            stored = super().create(task)
            self.history.append(stored)
        return stored

    def get(self, task_id: str) -> Task:
        with self._counting:
            self.reads += 1
        return super().get(task_id)

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        self._may_fail()
        interrupt, self.before_write = self.before_write, None
        if interrupt is not None:
            interrupt(swaps)
        with self._counting:
            results = super().swap_many(swaps)
            self.history += [task for task in results if task is not None]
        return results

    def renew(self, lease: Any) -> None:
        self._may_fail()
        super().renew(lease)

    def _may_fail(self) -> None:
        if self.fails:
            raise StoreUnavailable("the disk is full")

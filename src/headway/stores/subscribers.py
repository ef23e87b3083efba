"""Who is told of changes, and of which. Shared by all stores: telling never fails a writer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Container, Sequence
from threading import Lock

from headway.model.ports import Following, OnChange, OnReset
from headway.model.task import Task

_log = logging.getLogger(__name__)


class Subscribers:
    """A set of callbacks, and the tasks that are watched. All may change at any time, also from within a callback.

    Everybody is told everything that a store has at hand; what is wanted says what a store needn't fetch.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: tuple[_Subscriber, ...] = ()
        self._watched: Counter[str] = Counter()
        self._want_all = 0
        self.version = 0
        """Another one whenever something else is wanted."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def want_all(self) -> bool:
        return self._want_all > 0

    @property
    def want_any(self) -> bool:
        return self._want_all > 0 or bool(self._watched)

    @property
    def wanted(self) -> Container[str] | None:
        """The tasks that somebody wants to hear of, at any moment; None: all."""
        return None if self._want_all > 0 else self._watched

    def watched(self) -> set[str]:
        with self._lock:
            return set(self._watched)

    def add(
        self,
        on_change: OnChange,
        on_reset: OnReset,
        *,
        selective: bool = False,
        on_last: Callable[[], None] = lambda: None,
    ) -> Following:
        """Returns what removes them again. `on_last`: the last one was removed."""
        entry = _Subscriber(self, on_change, on_reset, selective, on_last)
        with self._lock:
            self._entries = (*self._entries, entry)
            self._want_all += not selective
            self.version += 1
        return entry

    def clear(self) -> None:
        with self._lock:
            self._entries = ()
            self._watched.clear()
            self._want_all = 0
            self.version += 1

    def tell(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        for entry in self._entries:
            try:
                entry.on_change(tasks)
            except Exception:  # noqa: BLE001 - what is stored is stored, whatever a listener makes of it
                _log.exception("a subscriber failed on a change")

    def tell_reset(self) -> None:
        for entry in self._entries:
            try:
                entry.on_reset()
            except Exception:  # noqa: BLE001
                _log.exception("a subscriber failed on a reset")

    def _remove(self, entry: _Subscriber) -> None:
        with self._lock:
            if entry not in self._entries:
                return
            self._entries = tuple(kept for kept in self._entries if kept is not entry)
            self._want_all -= not entry.selective
            for task_id in entry.watched:
                self._let_go(task_id)
            self.version += 1
            is_last = not self._entries
        if is_last:
            entry.on_last()

    def _watch(self, entry: _Subscriber, task_id: str) -> None:
        with self._lock:
            if entry.selective and task_id not in entry.watched and entry in self._entries:
                entry.watched.add(task_id)
                self._watched[task_id] += 1
                self.version += 1

    def _unwatch(self, entry: _Subscriber, task_id: str) -> None:
        with self._lock:
            if task_id in entry.watched and entry in self._entries:
                entry.watched.discard(task_id)
                self._let_go(task_id)
                self.version += 1

    def _let_go(self, task_id: str) -> None:
        self._watched[task_id] -= 1
        if self._watched[task_id] <= 0:
            del self._watched[task_id]


class _Subscriber:
    """One of them; what `Subscribers.add` returns."""

    def __init__(
        self,
        subscribers: Subscribers,
        on_change: OnChange,
        on_reset: OnReset,
        selective: bool,
        on_last: Callable[[], None],
    ) -> None:
        self._subscribers = subscribers
        self.on_change = on_change
        self.on_reset = on_reset
        self.selective = selective
        self.on_last = on_last
        self.watched: set[str] = set()

    def __call__(self) -> None:
        self._subscribers._remove(self)

    def watch(self, task_id: str) -> None:
        self._subscribers._watch(self, task_id)

    def unwatch(self, task_id: str) -> None:
        self._subscribers._unwatch(self, task_id)

"""Who is told of changes. Shared by all stores: telling never fails a writer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock

from headway.model.ports import OnChange, OnReset
from headway.model.task import Task

_log = logging.getLogger(__name__)


class Subscribers:
    """A set of callbacks. Adding and removing may happen at any time, also from within a callback."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: tuple[tuple[OnChange, OnReset], ...] = ()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, on_change: OnChange, on_reset: OnReset) -> Callable[[], None]:
        """Returns what removes them again; calling that twice is safe."""
        entry = (on_change, on_reset)
        with self._lock:
            self._entries = (*self._entries, entry)

        def remove() -> None:
            with self._lock:
                self._entries = tuple(kept for kept in self._entries if kept is not entry)

        return remove

    def clear(self) -> None:
        with self._lock:
            self._entries = ()

    def tell(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        for on_change, _ in self._entries:
            try:
                on_change(tasks)
            except Exception:  # noqa: BLE001 - what is stored is stored, whatever a listener makes of it
                _log.exception("a subscriber failed on a change")

    def tell_reset(self) -> None:
        for _, on_reset in self._entries:
            try:
                on_reset()
            except Exception:  # noqa: BLE001
                _log.exception("a subscriber failed on a reset")

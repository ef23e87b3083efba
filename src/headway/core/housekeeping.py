"""One thread that does the chores of a manager at their intervals: leases, the reaper, retention."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from headway.model.clock import Clock
from headway.model.errors import StoreError
from headway.model.values import dataclass

log = logging.getLogger("headway")


@dataclass(slots=True)
class Chore:
    """Something to do again and again. It may raise `StoreError`: the next time may go better."""

    name: str
    every_s: float
    do: Callable[[], None]
    due_at: float = float("-inf")


class Housekeeping:
    """Starts with `start`, and ends with `close`."""

    def __init__(self, clock: Clock, chores: Sequence[Chore]) -> None:
        self._clock = clock
        self._chores = chores
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Safe to call twice."""
        with self._lock:
            if self._thread is not None:
                return
            if self._stop.is_set():
                self._stop = threading.Event()
            thread = threading.Thread(target=self._run, args=(self._stop,), name="headway-housekeeping", daemon=True)
            # At the interpreter's exit no thread can be started, and none is needed.
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def close(self) -> None:
        """End the thread. Safe to call twice."""
        with self._lock:
            self._stop.set()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def restart_in_child(self) -> None:
        """After a fork: the parent's thread is not here."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = None

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for chore in self._chores:
                if self._clock.monotonic() >= chore.due_at:
                    self._do(chore)
            stop.wait(max(0.0, min(chore.due_at for chore in self._chores) - self._clock.monotonic()))

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except StoreError as error:
            log.warning("%s: %s", chore.name, error)
        except Exception:
            log.exception("%s failed", chore.name)
        chore.due_at = self._clock.monotonic() + chore.every_s

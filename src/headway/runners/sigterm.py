"""SIGTERM, where nobody else handles it: running tasks get their grace time, then the process ends as it would have."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """What has tasks running in this process."""

    def close(self) -> None: ...

    def close_manager(self) -> None: ...


def stop_at_sigterm(runner: Stoppable) -> None:
    """Have this runner closed at SIGTERM. Does nothing outside the main thread, or where the signal has a handler."""
    if threading.current_thread() is not threading.main_thread():
        return
    handler = signal.getsignal(signal.SIGTERM)
    if handler == signal.SIG_DFL:
        handler = _Stop()
        signal.signal(signal.SIGTERM, handler)
    if isinstance(handler, _Stop):
        handler.runners.add(runner)


class _Stop:
    """The handler: one for all runners of the process, which share their grace time."""

    def __init__(self) -> None:
        self.runners: weakref.WeakSet[Stoppable] = weakref.WeakSet()
        self._pid = os.getpid()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != self._pid:
            signal.raise_signal(number)  # A forked child: the tasks are its parent's.
            return
        # On another thread: the interrupted code may hold the locks that closing needs.
        threading.Thread(target=self._stop, args=(number,), name="headway-sigterm").start()

    def _stop(self, number: int) -> None:
        runners = list(self.runners)
        closing = [threading.Thread(target=runner.close, name="headway-sigterm-close") for runner in runners]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        for runner in runners:
            runner.close_manager()
        signal.raise_signal(number)

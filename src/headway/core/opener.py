"""Opened by the first call and not before, closed, opened again: the life of what a manager has open."""

from __future__ import annotations

import _thread
import contextlib
import threading
import weakref
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from headway.core import forks
from headway.core.engine import Engine


class Opener(ABC):
    """A context manager; leaving it closes."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._in_use: Engine | None = None
        """The same, while it is not closed."""
        self._finalizer: weakref.finalize[..., Opener] | None = None
        forks.in_child(self._restart_in_child)

    @abstractmethod
    def _make_engine(self) -> Engine: ...

    def close(self) -> None:
        """Store what is pending, end the threads, close the store. Safe to call twice; a later call opens it again."""
        with self._opening:
            self._in_use = None
            finalizer, self._finalizer = self._finalizer, None
        if finalizer is not None:
            finalizer.detach()
        if self._engine is not None:
            self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> Engine:
        engine = self._in_use
        if engine is not None:
            return engine
        with self._opening:
            if self._engine is None:
                self._engine = self._make_engine()
            if self._in_use is None:
                self._in_use = self._engine
                self._finalizer = weakref.finalize(self, _close_elsewhere, self._engine)
                # The engine itself sees to the interpreter's exit.
                self._finalizer.atexit = False
            return self._engine

    def _restart_in_child(self) -> None:
        self._opening = threading.Lock()


def _close_elsewhere(engine: Engine) -> None:
    """Not here: the collector runs in any thread, also in one that holds what closing waits for.

    For the same reason by the bare call: `threading.Thread` takes a lock of its own, which may be held right now.
    """
    with contextlib.suppress(RuntimeError):  # Too late to start a thread: the interpreter is about to end.
        _thread.start_new_thread(engine.close, ())

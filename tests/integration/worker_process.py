"""A real worker process for the liveness and durability tests: a program that is told lines, and says some."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from types import TracebackType
from typing import Self

from tests.helpers import ROOT, started

PRELUDE = """
import multiprocessing, os, select, signal, sys, threading, time
from headway import ProgressManager, TaskCancelled
from headway.runners import LocalRunner
from tests.contract import work

def say(*words):
    print(*words, flush=True)

def hear():
    line = b""
    while not line.endswith(b"\\n"):
        # Not in a read: a signal that comes just before one is handled only after it.
        while not select.select([0], [], [], 0.05)[0]:
            pass
        if not (some := os.read(0, 1)):
            break
        line += some
    return line.decode().strip()

def new_manager(**options):
    return ProgressManager(store=sys.argv[1], **({"lease_s": 1} | options))
"""


class WorkerProcess:
    """Runs `program` after the prelude, as the main file of a process group of its own."""

    def __init__(self, program: str, store: str, *arguments: object) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue()
        command = [sys.executable, "-W", "error", "-c", PRELUDE + program, store, *map(str, arguments)]
        (given, told), (heard, said) = os.pipe(), os.pipe()
        self.process = started(command, env=os.environ, cwd=ROOT, given=given, output=said, errors=2)
        for theirs in (given, said):
            os.close(theirs)
        self._told, self._heard = os.fdopen(told, "w", buffering=1), os.fdopen(heard)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def heard(self, timeout: float = 60) -> str:
        """The next line that it says."""
        line = self._lines.get(timeout=timeout)
        assert line is not None, f"it ended with {self.process.wait()} instead of saying something"
        return line

    def rest(self, timeout: float = 60) -> list[str]:
        """What it says until it ends."""
        lines = []
        while (line := self._lines.get(timeout=timeout)) is not None:
            lines.append(line)
        return lines

    def tell(self, line: str = "") -> None:
        self._told.write(line + "\n")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and gone when this returns."""
        self.process.kill()
        self.process.wait(10)

    def wait(self, timeout: float = 60) -> int:
        return self.process.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # Also what it has started.
        self.process.wait(10)
        self._reader.join(10)
        self._heard.close()
        with contextlib.suppress(BrokenPipeError):
            self._told.close()

    def _read(self) -> None:
        for line in self._heard:
            if line.endswith("\n"):  # Else it was killed while it said that.
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

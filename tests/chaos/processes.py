"""Processes that are killed and started again, and whose journals are read to the last line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tests.helpers import ROOT

LINE_BYTES = 1 << 20


class Killed:
    """`python -m MODULE ARGUMENTS`, its journal read line by line, its log appended to a file."""

    def __init__(
        self,
        module: str,
        arguments: Callable[[int], list[str]],
        log: IO[bytes],
        on_entry: Callable[[dict[str, Any]], None],
    ) -> None:
        """`arguments` are made anew for each start, from the number of starts before."""
        self._module = module
        self._arguments = arguments
        self._log = log
        self._on_entry = on_entry
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starts = 0
        self.is_ready = asyncio.Event()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        self.is_ready.clear()
        command = [sys.executable, "-m", self._module, *self._arguments(self._starts)]
        self._starts += 1
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            limit=LINE_BYTES,
        )
        self._reading = asyncio.ensure_future(self._read(self._process))

    async def signal(self, number: signal.Signals, *, timeout: float = 120.0) -> int:
        """Send it, and wait for the end. The exit code."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await self.ended(timeout=timeout)

    async def ended(self, *, timeout: float = 120.0) -> int:
        """Until it has ended and its journal is read. Raises TimeoutError."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(timeout):
            await self._reading
            return await self._process.wait()

    def finish(self) -> None:
        """Tell it to begin nothing new: its standard input ends."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            # The last line of a process that was killed may be half a line.
            if line.endswith(b"\n"):
                entry = json.loads(line)
                if entry["op"] == "ready":
                    self.is_ready.set()
                else:
                    self._on_entry(entry)


def new_log(folder: Path, name: str) -> IO[bytes]:
    return (folder / f"{name}.log").open("ab")

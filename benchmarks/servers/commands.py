"""How the harness drives a server: a JSON line on standard input, a JSON line as the answer."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def answer_commands(commands: dict[str, Callable[..., dict[str, object]]], *, port: int) -> None:
    """Say the port, then answer on a thread of its own until standard input ends, and with it the process."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # What a framework prints is no answer.
    out.write(json.dumps({"port": port}) + "\n")
    known = {"stat": _stat, **commands}

    def answer() -> None:
        for line in sys.stdin:
            request: dict[str, Any] = json.loads(line)
            out.write(json.dumps(known[request.pop("cmd")](**request)) + "\n")
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()


def paced(
    report: Callable[[int], None], rate: float, tasks: int, s: float, *, settle: Callable[[], None] | None = None
) -> int:
    """Call `report(task)` `rate` times a second for each task, spread evenly; how often it was called.

    Who is late does not catch up: a report that could not be made in its time is left out. `settle` waits for what was
    reported to be delivered: an overloaded server is measured, not a thread that takes its interpreter from it.
    """
    gap = 1 / (rate * tasks)
    # Each wake-up is measured as well; but who sleeps for longer than a task's own turn leaves reports out.
    least_s = min(max(0.002, 0.05 / rate), 0.01)
    began = time.monotonic()
    turn = sent = 0
    while True:
        now = time.monotonic() - began
        if now >= s:
            return sent
        due = int(now / gap)
        if due < turn:
            time.sleep(max(turn * gap - now, least_s))
            continue
        turn = max(turn, due - tasks)
        while turn <= due:
            report(turn % tasks)
            turn += 1
            sent += 1
        if settle is not None:
            settle()


def _stat() -> dict[str, object]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {
        "peak_kib": int(peak.split()[1]),
        "rss_kib": pages * resource.getpagesize() // 1024,
        "cpu_s": used.ru_utime + used.ru_stime,
        "threads": {thread.name: cpu_s(thread) for thread in threading.enumerate()},
    }


def cpu_s(thread: threading.Thread) -> float:
    """Seconds of CPU that it has used."""
    return 0.0 if thread.ident is None else time.clock_gettime(time.pthread_getcpuclockid(thread.ident))

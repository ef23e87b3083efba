"""What a report costs the worker, against tqdm in the same process; what the write-behind costs beside it."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO

from rich.console import Console
from rich.progress import track as rich_track
from tqdm import tqdm

from benchmarks.servers.commands import cpu_s
from benchmarks.table import Row, Samples
from headway import ProgressManager

TURNS = 300_000
ROUNDS = 5
DETAILS = {
    "current": "生成标题",
    "file": "export-2026-11-23.csv",
    "counts": {"rows": 18231, "skipped": 12, "failed": 0},
    "recent": [{"name": f"row-{index}", "ok": True, "ms": index * 1.5} for index in range(8)],
}


def rows() -> Iterator[Row]:
    yield from _reports()
    yield from _ten_thousand_tasks()
    yield from _import()


def _us(work: Callable[[], object], turns: int) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / turns * 1e6


def _reports() -> Iterator[Row]:
    samples = {
        name: Samples()
        for name in ("bare", "tqdm", "rich", "track", "tqdm.update", "advance", "update", "details", "dumps")
    }
    with ProgressManager(store="memory://") as manager, manager.task("bench") as task:
        plain = manager.create_task("plain")
        manager.update_progress(plain, 1)

        def bare() -> None:
            for _ in range(TURNS):
                pass

        def with_tqdm() -> None:
            for _ in tqdm(range(TURNS), file=StringIO()):
                pass

        terminal = Console(file=StringIO())

        def with_rich() -> None:
            for _ in rich_track(range(TURNS), console=terminal):
                pass

        def track() -> None:
            for _ in task.track(range(TURNS)):
                pass

        bar = tqdm(total=TURNS * ROUNDS, file=StringIO())

        def tqdm_update() -> None:
            for _ in range(TURNS):
                bar.update()

        def advance() -> None:
            for _ in range(TURNS):
                task.advance()

        few = TURNS // 10

        def update() -> None:
            for index in range(few):
                manager.update_progress(plain, completed=index)

        def details() -> None:
            for _ in range(few):
                manager.update_progress(plain, details=DETAILS)

        def dumps() -> None:
            for _ in range(few):
                json.dumps(DETAILS)

        for _ in range(ROUNDS):
            samples["bare"].values.append(_us(bare, TURNS))
            samples["tqdm"].values.append(_us(with_tqdm, TURNS))
            samples["rich"].values.append(_us(with_rich, TURNS))
            samples["track"].values.append(_us(track, TURNS))
            samples["tqdm.update"].values.append(_us(tqdm_update, TURNS))
            samples["advance"].values.append(_us(advance, TURNS))
            samples["update"].values.append(_us(update, few))
            samples["details"].values.append(_us(details, few))
            samples["dumps"].values.append(_us(dumps, few))
        bar.close()
    us = {name: sample.median for name, sample in samples.items()}
    note = f"{us['track']:.3f} µs against {us['tqdm']:.3f} µs; a bare loop {us['bare']:.3f} µs"
    yield Row("track, a turn, against tqdm", us["track"] / us["tqdm"], "×", ("≤", 1), note)
    yield Row("… against rich", us["track"] / us["rich"], "×", note=f"rich {us['rich']:.3f} µs")
    note = f"{us['advance']:.3f} µs against {us['tqdm.update']:.3f} µs"
    yield Row("advance() against tqdm.update()", us["advance"] / us["tqdm.update"], "×", ("≤", 2), note)
    yield Row("update_progress without details", us["update"], "µs", ("≤", 5), samples["update"].noise)
    note = f"{us['details']:.1f} µs against {us['dumps']:.1f} µs"
    yield Row(
        "update_progress with details, against json.dumps of them", us["details"] / us["dumps"], "×", ("≤", 1.5), note
    )


TASKS, LANES, ADVANCES_PER_S, ENDS = 10_000, 4, 1_000_000, 40


def _ten_thousand_tasks() -> Iterator[Row]:
    """What storing takes while four threads report, and how long an end takes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _reported(f"sqlite:///{folder}/bench.db", "SQLite")
    yield from _reported("memory://", "in memory")


def _reported(store: str, where: str) -> Iterator[Row]:
    seconds = 6.0
    stored = [0]
    with ProgressManager(store=store) as manager:
        tasks = [manager.task(f"t{index}", total=1_000_000) for index in range(TASKS)]
        manager.subscribe(lambda changed: stored.__setitem__(0, stored[0] + len(changed)), lambda: None)
        stop = threading.Event()
        counted = [0] * LANES

        def work(lane: int) -> None:
            mine = tasks[lane::LANES]
            began = time.monotonic()
            while not stop.is_set():
                for task in mine:
                    task.advance()
                    task.advance()
                counted[lane] += 2 * len(mine)
                ahead = counted[lane] / (ADVANCES_PER_S / LANES) - (time.monotonic() - began)
                if ahead > 0:
                    stop.wait(ahead)

        threads = [threading.Thread(target=work, args=(lane,)) for lane in range(LANES)]
        for thread in threads:
            thread.start()
        stop.wait(2)
        before, began, count, changes = _flusher_cpu_s(), time.monotonic(), sum(counted), stored[0]
        stop.wait(seconds)
        used, took, count = _flusher_cpu_s() - before, time.monotonic() - began, sum(counted) - count
        changes = stored[0] - changes
        ends = Samples()
        for task in tasks[:: TASKS // ENDS]:
            began_end = time.perf_counter()
            assert manager.complete_task(task.task_id)
            ends.values.append((time.perf_counter() - began_end) * 1e3)
        stop.set()
        for thread in threads:
            thread.join()
    note = f"{count / took:,.0f} advance()/s from {LANES} threads"
    yield Row(f"{TASKS:,} running tasks, {where}: write-behind, of a core", 100 * used / took, "%", ("≤", 50), note)
    yield Row("… stored changes a task", changes / took / TASKS, "/s", ("≤", 20))
    yield Row(
        "… an end is stored meanwhile within", ends.median, "ms", note=f"at most {max(ends.values):.0f} ms of {ENDS}"
    )


def _flusher_cpu_s() -> float:
    return sum(cpu_s(thread) for thread in threading.enumerate() if thread.name == "headway-write-behind")


def _import() -> Iterator[Row]:
    sample = Samples()
    code = "import time; t = time.perf_counter(); import headway; print((time.perf_counter() - t) * 1000)"
    with tempfile.TemporaryDirectory() as compiled:
        # As pip leaves a package: compiled. A checkout need not be, and some environments never compile.
        env = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for turn in range(8):
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
            if turn:
                sample.values.append(float(done.stdout))
    yield Row("import headway", sample.median, "ms", ("≤", 60), sample.noise)

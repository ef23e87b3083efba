"""From `update_progress` to the callback of a bar in a real Chromium: in one process, and from another."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import quantiles
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.processes import HERE, Generator, JsonProcess, Server
from benchmarks.table import Row, Samples
from tests.conftest import CHROMIUM_FLAGS
from tests.helpers import find_chromium

ROUNDS = 3
SECONDS = 6.0
BARS = 10
HOT = 100

# Each bar notes when its callback was called (Unix ms) and when the update was made (monotonic ns).
WATCH = """(tasks) => {
  window.seen = [];
  for (const taskId of tasks) {
    const box = document.createElement('div');
    box.id = taskId;
    document.body.append(box);
    const bar = new ProgressBar(taskId, { websocketUrl: '/progress' });
    bar.on('progress', (task) => window.seen.push([performance.timeOrigin + performance.now(), task.details.ts]));
    bar.start({ taskId });
  }
}"""


def rows() -> Iterator[Row]:
    one, other, following = Samples(), Samples(), Samples()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, "--no-sandbox"], headless=True
        )
        for _ in range(ROUNDS):
            one.values.append(_in_one_process(chromium.new_page()))
            p95_ms, share = _from_another_process(chromium.new_page())
            other.values.append(p95_ms)
            following.values.append(share)
        chromium.close()
    yield Row("p95 from update_progress to a bar's callback, 100 viewers", one.median, "ms", ("≤", 100), one.noise)
    yield Row("… from another process, 100 hot tasks, SQLite", other.median, "ms", ("≤", 100), other.noise)
    note = f"each watched and changed 20 times a second, {following.noise}"
    yield Row("… following it takes the web process, of a core", following.median, "%", ("≤", 3), note)


def _in_one_process(page: Page) -> float:
    with Server("headway on SQLite") as server, Generator(server.port) as generator:
        server.ask("create", tasks=1)
        generator.connect(99, 1)
        return _p95(page, server.port, 1, lambda: server.ask("run", mode="manager", rate=20, tasks=1, s=SECONDS))


def _from_another_process(page: Page) -> tuple[float, float]:
    """(p95 in ms, the share of a core in % that the thread takes which reads what others have stored)."""
    store = f"sqlite:///{tempfile.mkdtemp()}/bench.db"
    worker_script = [sys.executable, str(HERE / "servers" / "worker.py"), store]
    with (
        Server("headway", store=store) as server,
        JsonProcess(worker_script, core=1) as worker,
        Generator(server.port) as generator,
    ):
        worker.say(json.dumps({"create": HOT}))
        worker.hear()

        def following_s() -> float:
            return float(server.ask("stat")["threads"]["headway-sqlite-feed"])

        def work() -> None:
            worker.say(json.dumps({"run": HOT, "rate": 20, "s": SECONDS}))
            worker.hear()

        p95_ms = _p95(page, server.port, BARS, work)
        generator.connect(HOT, HOT)
        before = following_s()
        work()
        return p95_ms, 100 * (following_s() - before) / SECONDS


def _p95(page: Page, port: int, tasks: int, work: Callable[[], object]) -> float:
    page.goto(f"http://127.0.0.1:{port}/static/test-websocket-progress.html")
    for script in ("socket.io.min.js", "progress.js"):
        page.add_script_tag(url=f"/static/js/{script}")
    page.evaluate(WATCH, [f"bench-task-{index}" for index in range(tasks)])
    page.wait_for_function("(n) => window.seen.length >= n", arg=tasks)
    wall_ahead_ms = time.time() * 1e3 - time.monotonic_ns() / 1e6
    work()
    seen: list[list[Any]] = page.evaluate("window.seen")
    page.close()
    return quantiles([at - wall_ahead_ms - made / 1e6 for at, made in seen if made > 1], n=20)[-1]

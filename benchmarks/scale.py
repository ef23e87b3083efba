"""`make bench-scale`: several gateways on one Redis, and how cost grows with stored and with active tasks.

python benchmarks/scale.py [GATEWAYS VIEWERS TASKS RATE SECONDS]   # 3 1000 1000 5 10; viewers are of each gateway
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import HERE, Generator, JsonProcess
from benchmarks.run import machine
from benchmarks.table import Row, as_text
from headway.core.new_task import new_task_id
from headway.model.ports import Swap, TaskQuery
from headway.model.task import Task
from headway.stores.redis import RedisStore
from tests.helpers import eventually, free_port
from tests.redis_server import RedisServer

STORED = (10, 1_000, 100_000)
ACTIVE = (10, 100, 1_000, 10_000)
ROUNDS = 40


def main() -> int:
    gateways, viewers, tasks, rate, seconds = (int(part) for part in sys.argv[1:] or (3, 1_000, 1_000, 5, 10))
    rows: list[Row] = []
    for measured in (many_gateways(gateways, viewers, tasks, rate, seconds), by_active(seconds), by_stored()):
        for row in measured:
            rows.append(row)
            print(f"  {row.what}: {row.value:.4g} {row.unit} {row.verdict} {row.note}", flush=True)
    print(f"\n{as_text(rows)}\n\n{machine()}")
    result = {"machine": machine(), "rows": [{**vars(row), "verdict": row.verdict} for row in rows]}
    name = HERE / "results" / f"{time.strftime('%Y-%m-%d')}-scale.json"
    name.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    return 0


def many_gateways(gateways: int, viewers: int, tasks: int, rate: int, seconds: int) -> Iterator[Row]:
    """Each gateway has `viewers` viewers, one a task; one worker process reports all tasks."""
    with redis() as server, ExitStack() as running:
        worker = running.enter_context(Worker(server.url))
        worker.ask(create=tasks)
        ports = [free_port() for _ in range(gateways)]
        started = [running.enter_context(gateway(server.url, port)) for port in ports]
        generators = [running.enter_context(Generator(port)) for port in ports]
        before_kib = [rss_kib(process.pid) for process in started]
        for generator in generators:
            generator.connect(viewers, tasks)
        after_kib = [rss_kib(process.pid) for process in started]
        cpu = [cpu_s(process.pid) for process in started]
        redis_cpu = cpu_s(server.pid)
        for generator in generators:
            generator.watch(seconds, warm_s=2)
        done = worker.ask(run=tasks, rate=rate, s=seconds)
        seen = [generator.hear() for generator in generators]
        spent = [cpu_s(process.pid) - was for process, was in zip(started, cpu, strict=True)]
        redis_spent = cpu_s(server.pid) - redis_cpu
        what = f"{gateways} gateways × {viewers:,} viewers × {tasks:,} tasks × {rate}/s"
        wanted = gateways * viewers * rate
        delivered = sum(answer["per_s"] for answer in seen)
        yield Row(f"{what}: delivered", delivered, "/s", note=f"of {wanted:,} reported for viewers")
        yield Row("… p50", max(answer["p50_ms"] for answer in seen), "ms", note="the slowest gateway")
        yield Row("… p99", max(answer["p99_ms"] for answer in seen), "ms", note="the slowest gateway")
        yield Row(
            "… the worker's round trips to Redis", done["trips"] / seconds, "/s", note=f"{done['sent']:,} reports"
        )
        yield Row("… the worker", 100 * done["cpu_s"] / seconds, "% of a core")
        yield Row("… a gateway", 100 * sum(spent) / gateways / seconds, "% of a core", note="each; all share the cores")
        yield Row("… Redis", 100 * redis_spent / seconds, "% of a core")
        grown = [after - before for after, before in zip(after_kib, before_kib, strict=True)]
        yield Row("… memory a viewer and its task", max(grown) / viewers, "KiB")
        started[0].kill()
        moved = generators[0]
        moved.drop()
        with Generator(ports[1]) as back:
            begun = time.monotonic()
            calls = commands(server)
            back.connect(viewers, tasks)
            took = time.monotonic() - begun
            asked = commands(server) - calls
        yield Row(f"{viewers:,} viewers of a killed gateway join another", took, "s", note="without their delay")
        yield Row("… commands that Redis sees of it, a viewer", asked / viewers, "")


def by_active(seconds: int) -> Iterator[Row]:
    """What one worker costs by the number of tasks that it reports, each 5 times a second."""
    for active in ACTIVE:
        with redis() as server, Worker(server.url) as worker:
            worker.ask(create=active)
            before = cpu_s(server.pid)
            done = worker.ask(run=active, rate=5, s=seconds)
            note = f"{done['trips'] / seconds:.3g} round trips/s, {done['sent'] / seconds:,.0f} reports/s"
            spent = 100 * done["cpu_s"] / seconds
            yield Row(f"{active:,} active tasks × 5/s: the worker", spent, "% of a core", note=note)
            yield Row("… Redis", 100 * (cpu_s(server.pid) - before) / seconds, "% of a core")


def by_stored() -> Iterator[Row]:
    """What a change and a page cost by the number of tasks that are stored: it must not grow."""
    with redis() as server:
        store = RedisStore(server.url)
        stored = 0
        for count in STORED:
            while stored < count:
                store.create(Task(task_id=new_task_id(), created_at=store.now(), owner=f"owner-{stored % 100}"))
                stored += 1
            tasks = [store.create(Task(task_id=new_task_id(), created_at=store.now())) for _ in range(100)]
            stored += 100
            begun = time.perf_counter()
            for _ in range(ROUNDS):
                swapped = store.swap_many([Swap(task, task) for task in tasks])
                tasks = [task for task in swapped if task is not None]
            yield Row(f"{stored:,} stored: change 100 tasks", took_ms(begun), "ms")
            begun = time.perf_counter()
            for _ in range(ROUNDS):
                store.list(TaskQuery(limit=50))
            yield Row("… list 50", took_ms(begun), "ms")
            begun = time.perf_counter()
            for _ in range(ROUNDS):
                store.held()
            yield Row("… what the reaper reads", took_ms(begun), "ms")
        store.close()


def took_ms(begun: float) -> float:
    return (time.perf_counter() - begun) / ROUNDS * 1_000


class Worker(JsonProcess):
    """One process that reports: benchmarks/servers/worker.py."""

    def __init__(self, url: str) -> None:
        super().__init__([sys.executable, str(HERE / "servers" / "worker.py"), url], core=0)

    def ask(self, **what: int) -> dict[str, float]:
        self.say(json.dumps(what))
        return self.hear()


@contextmanager
def redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp())
    server = RedisServer(folder).start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


@contextmanager
def gateway(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "headway", "gateway", "--store", url, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: listens(port), 30)
        yield process
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def rss_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commands(server: RedisServer) -> int:
    from redis import Redis

    with Redis.from_url(server.url, decode_responses=True) as connection:
        stats = connection.info("stats")
    return int(stats["total_commands_processed"])


if __name__ == "__main__":
    sys.exit(main())

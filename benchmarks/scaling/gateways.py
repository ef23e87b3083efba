"""Several gateways on one Redis that is a longer wire away; and one of them killed under its viewers."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.processes import Generator
from benchmarks.scaling.parts import Delay, Worker, asked_by_gateways, cpu_s, gateway, redis, rss_kib
from benchmarks.table import Row
from tests.helpers import free_port
from tests.redis_server import RedisServer

RECONNECT_DELAY_MS = 3_000  # The bar's, ± 30 %.
SAMPLE_S = 0.5


@dataclass(frozen=True)
class Setup:
    """`viewers` are of each gateway, one a task, round and round."""

    gateways: int = 3
    viewers: int = 1_000
    tasks: int = 1_000
    rate: int = 5
    seconds: int = 10
    delay_ms: int = 5


@dataclass
class Running:
    server: RedisServer
    wire: Delay
    worker: Worker
    ports: list[int]
    gateways: list[subprocess.Popen[bytes]]
    generators: list[Generator]


def rows(setup: Setup) -> Iterator[Row]:
    with redis() as server, ExitStack() as stack:
        wire = stack.enter_context(Delay(server.port, setup.delay_ms))
        url = server.url.replace(f":{server.port}/", f":{wire.port}/")
        worker = stack.enter_context(Worker(url))
        worker.ask(create=setup.tasks)
        ports = [free_port() for _ in range(setup.gateways)]
        started = [stack.enter_context(gateway(url, port)) for port in ports]
        generators = [stack.enter_context(Generator(port)) for port in ports]
        running = Running(server, wire, worker, ports, started, generators)
        before_kib = [rss_kib(process.pid) for process in started]
        for generator in generators:
            generator.connect(setup.viewers, setup.tasks)
        grown = [rss_kib(process.pid) - was for process, was in zip(started, before_kib, strict=True)]
        yield Row("memory a viewer and its task", max(grown) / setup.viewers, "KiB", note="in a gateway")
        for rate in dict.fromkeys((setup.rate, 1)):
            yield from delivery(running, setup, rate)
        yield from killed(running, setup)


def delivery(running: Running, setup: Setup, rate: int) -> Iterator[Row]:
    pids = [running.server.pid, running.wire.pid, *(process.pid for process in running.gateways)]
    before = [cpu_s(pid) for pid in pids]
    for generator in running.generators:
        generator.watch(setup.seconds, warm_s=2)
    done = running.worker.ask(run=setup.tasks, rate=rate, s=setup.seconds)
    seen = [generator.hear() for generator in running.generators]
    redis_s, wire_s, *gateways_s = (cpu_s(pid) - was for pid, was in zip(pids, before, strict=True))

    def percent(spent_s: float) -> float:
        return 100 * spent_s / setup.seconds

    what = (
        f"{setup.gateways} gateways × {setup.viewers:,} viewers × {setup.tasks:,} tasks × {rate}/s, "
        f"Redis {setup.delay_ms} ms away"
    )
    wanted = setup.gateways * setup.viewers * rate
    yield Row(f"{what}: delivered", sum(answer["per_s"] for answer in seen), "/s", note=f"of {wanted:,} reported")
    yield Row("… p50", max(answer["p50_ms"] for answer in seen), "ms", note="the slowest gateway")
    yield Row("… p99", max(answer["p99_ms"] for answer in seen), "ms", note="the slowest gateway")
    ticks = done["ticks"] or 1
    note = (
        f"{done['sent'] / setup.seconds:,.0f} reports/s in {ticks / setup.seconds:.3g} ticks/s; "
        f"{done['trips'] / setup.seconds:.3g} round trips/s with leases and looks"
    )
    yield Row("… the worker's round trips to Redis a tick", done["in_ticks"] / ticks, "", note=note)
    yield Row("… the worker", percent(done["cpu_s"]), "% of a core")
    yield Row(
        "… a gateway", percent(sum(gateways_s) / len(gateways_s)), "% of a core", note="each; all share the cores"
    )
    yield Row("… Redis", percent(redis_s), "% of a core")
    yield Row("… what delays", percent(wire_s), "% of a core", note="the proxy between; it must not be the limit")


def killed(running: Running, setup: Setup) -> Iterator[Row]:
    """kill -9 while its tasks are reported; its viewers go to the others after the bar's reconnect delay.

    The others have no viewers by then: nothing that those who come ask for is known there already.
    """
    moved, others = running.generators[0], running.ports[1:] or running.ports
    for generator in running.generators[1:]:
        generator.drop()
    running.worker.begin(run=setup.tasks, rate=1, s=12)
    time.sleep(2)  # Until the work goes its usual pace, and the others have forgotten the tasks.
    moved.say(f"flee {RECONNECT_DELAY_MS} 60 {' '.join(map(str, others))}")
    with Sampler(running.server) as sampler:
        running.gateways[0].kill()
        back = moved.hear()
    running.worker.hear()
    viewers = setup.viewers
    note = f"{back['lost']:,} lost it, {back['back']:,} are back and {back['shown']:,} were shown a state"
    yield Row(f"a gateway killed under {viewers:,} viewers: half are back after", back["p50_s"], "s", note=note)
    yield Row("… the last one is back after", back["last_s"], "s", note="3 s ± 30 % is the bar's delay")
    note = "a read or a subscription; what the gateways compare meanwhile included"
    yield Row("… what Redis is asked for it, a viewer", sampler.total() / viewers, "", note=note)
    yield Row("… at most", sampler.most(), "/s", note=f"in any {SAMPLE_S:g} s")


class Sampler:
    """Looks twice a second at how much Redis was asked for."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._points: list[tuple[float, int]] = []

    def __enter__(self) -> Sampler:
        self._points = [self._point()]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._points.append(self._point())

    def total(self) -> int:
        return self._points[-1][1] - self._points[0][1]

    def most(self) -> float:
        pairs = zip(self._points, self._points[1:], strict=False)
        return max((later - was) / max(at - began, SAMPLE_S) for (began, was), (at, later) in pairs)

    def _run(self) -> None:
        while not self._is_over.wait(SAMPLE_S):
            self._points.append(self._point())

    def _point(self) -> tuple[float, int]:
        return time.monotonic(), asked_by_gateways(self._server)

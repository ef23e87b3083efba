"""Many tasks with a viewer each: nothing can be shared. Worker and gateway are one process."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Generator, Server
from benchmarks.table import Row, Samples

ROUNDS = 3
TASKS, RATE, SECONDS = 1_000, 5, 10


def rows() -> Iterator[Row]:
    core, p99, per_s = Samples(), Samples(), Samples()
    for _ in range(ROUNDS):
        with Server("headway") as server, Generator(server.port) as generator:
            server.ask("create", tasks=TASKS)
            generator.connect(TASKS, TASKS)
            before = server.ask("stat")["cpu_s"]
            server.tell("run", mode="manager", rate=RATE, tasks=TASKS, s=SECONDS)
            generator.watch(SECONDS, warm_s=2)
            seen = generator.hear()
            server.hear()
            core.values.append(100 * (server.ask("stat")["cpu_s"] - before) / SECONDS)
            p99.values.append(seen["p99_ms"])
            per_s.values.append(seen["per_s"])
    note = f"{per_s.median:,.0f} delivered/s, {core.noise}"
    yield Row(f"{TASKS:,} tasks × {RATE}/s, one viewer each: of a core", core.median, "%", ("≤", 40), note)
    yield Row("… p99 latency", p99.median, "ms", note="the writer's tick stretches to 100 ms")

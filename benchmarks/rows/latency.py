"""From `update_progress` to the viewer's socket: 100 viewers, 5,000 viewers."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Generator, Server
from benchmarks.table import Row, Samples

ROUNDS = 3


def rows() -> Iterator[Row]:
    yield from _hundred_viewers()
    yield from _five_thousand_viewers()


def _hundred_viewers() -> Iterator[Row]:
    names = ("headway", "python-socketio", "node socket.io", "C send loop")
    p99 = {name: Samples() for name in names}
    whole_road = Samples()
    for _ in range(ROUNDS):
        for name in names:
            with Server(name) as server, Generator(server.port) as generator:
                server.ask("create", tasks=1)
                generator.connect(100, 1)
                server.tell("run", mode="hub", rate=20, tasks=1, s=6)
                generator.watch(6)
                p99[name].values.append(float(generator.hear()["p99_ms"]))
        with Server("headway on SQLite") as server, Generator(server.port) as generator:
            server.ask("create", tasks=1)
            generator.connect(100, 1)
            server.tell("run", mode="manager", rate=100, tasks=1, s=6)
            generator.watch(6)
            whole_road.values.append(float(generator.hear()["p95_ms"]))
    for name in names:
        yield Row(f"p99 latency, 100 viewers, 20/s: {name}", p99[name].median, "ms", note=p99[name].noise)
    headway = p99["headway"].median
    yield Row("… against python-socketio on uvicorn", headway / p99["python-socketio"].median, "×", ("≤", 0.3))
    yield Row("… against Node's socket.io", headway / p99["node socket.io"].median, "×", ("≤", 1))
    yield Row(
        "p95 from update_progress (100/s, SQLite) to the socket, 100 viewers",
        whole_road.median,
        "ms",
        ("≤", 100),
        whole_road.noise,
    )


def _five_thousand_viewers() -> Iterator[Row]:
    states, staleness, final = Samples(), Samples(), Samples()
    dead = 0
    for _ in range(ROUNDS):
        with Server("headway") as server, Generator(server.port) as generator:
            server.ask("create", tasks=1)
            generator.connect(5_000, 1)
            server.tell("run", mode="manager", rate=1_000, tasks=1, s=8, finish=True)
            generator.watch(8, warm_s=2, drain_s=5)
            seen = generator.hear()
            server.hear()
        if seen["finals"] != 5_000 - seen["dead"]:
            raise RuntimeError(f"not everybody was shown the end: {seen}")
        states.values.append(seen["per_s"] / 5_000)
        staleness.values.append(seen["p99_ms"])
        final.values.append(seen["final_ms"])
        dead += seen["dead"]
    what = "5,000 viewers of a task updated 1,000/s: states/s each"
    yield Row(what, states.median, "/s", ("≥", 5), f"{states.noise}, {dead} connections lost")
    yield Row("… p99 staleness", staleness.median, "ms", ("≤", 100), staleness.noise)
    yield Row("… until the last of them has the final state", final.median, "ms", ("≤", 100), final.noise)

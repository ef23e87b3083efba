"""Delivered messages a second, overloaded: one room, many rooms, and rooms of fifty."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Generator, Server
from benchmarks.table import Row, Samples

PEERS = ("headway", "python-socketio", "node socket.io", "C send loop")
ALL = (*PEERS, "flask-socketio threading", "flask-socketio gevent")
ROUNDS = 3
SECONDS = 5.0
SHAPES = {
    # viewers, tasks, updates a second a task: more than anybody can deliver
    "1,000 viewers in one room": (1_000, 1, 200.0),
    "1,000 rooms of one viewer": (1_000, 1_000, 100.0),
    "100 rooms of 50 viewers": (5_000, 100, 40.0),
}


def delivered(name: str, viewers: int, tasks: int, rate: float) -> tuple[float, float]:
    """(messages a second, the generator's CPU in %)."""
    with Server(name) as server, Generator(server.port) as generator:
        server.ask("create", tasks=tasks)
        generator.connect(viewers, tasks)
        server.tell("run", mode="hub", rate=rate, tasks=tasks, s=SECONDS)
        generator.watch(SECONDS, drain_s=3)
        seen = generator.hear()
        return float(seen["per_s"]), float(seen["cpu"])


def rows() -> Iterator[Row]:
    for shape, (viewers, tasks, rate) in SHAPES.items():
        servers = ALL if tasks == 1 else PEERS[:3]
        samples = {name: Samples() for name in servers}
        cpu = 0.0
        for _ in range(ROUNDS):
            for name in servers:
                per_s, generator_cpu = delivered(name, viewers, tasks, rate)
                samples[name].values.append(per_s)
                cpu = max(cpu, generator_cpu) if name == "headway" else cpu
        for name, sample in samples.items():
            yield Row(f"delivered/s, {shape}: {name}", sample.median, "/s", note=sample.noise)
        headway = samples["headway"].median
        note = f"generator at {cpu:.0f} % of its core"
        target = 8.0 if tasks == 1 else 5.0
        against = headway / samples["python-socketio"].median
        yield Row(f"… against python-socketio on uvicorn, {shape}", against, "×", ("≥", target), note)
        if tasks == 1:
            yield Row("… against Node's socket.io", headway / samples["node socket.io"].median, "×", ("≥", 1.3))
            yield Row("… against a C loop of send()", headway / samples["C send loop"].median, "×", ("≥", 0.6))

"""Delivered messages by the number of viewers, and latency by load: what the plots of the docs show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.processes import Generator, Server
from benchmarks.rows.fanout import PEERS
from benchmarks.table import Row, Samples

ROUNDS = 3
SECONDS = 2.5
VIEWERS = (10, 100, 1_000, 3_000)
LOADS = (1_000, 5_000, 20_000, 80_000)
"""Messages a second, to 100 viewers in one room."""
ROOM = 100


def rows() -> Iterator[Row]:
    for viewers in VIEWERS:
        for name, sample in _interleaved(lambda name, count=viewers: _delivered(name, count)):
            yield Row(f"delivered/s, {viewers:,} viewers: {name}", sample.median, "/s", note=sample.noise)
    for load in LOADS:
        for name, sample in _interleaved(lambda name, wanted=load: _p99_ms(name, wanted)):
            yield Row(f"p99 at {load:,} messages/s: {name}", sample.median, "ms", note=sample.noise)


def _interleaved(measure: Callable[[str], float]) -> Iterator[tuple[str, Samples]]:
    samples = {name: Samples() for name in PEERS}
    for _ in range(ROUNDS):
        for name in PEERS:
            samples[name].values.append(measure(name))
    yield from samples.items()


def _delivered(name: str, viewers: int) -> float:
    """Overloaded."""
    with Server(name) as server, Generator(server.port) as generator:
        server.ask("create", tasks=1)
        generator.connect(viewers, 1)
        server.tell("run", mode="hub", rate=max(200, 150_000 / viewers), tasks=1, s=SECONDS)
        generator.watch(SECONDS, drain_s=3)
        return float(generator.hear()["per_s"])


def _p99_ms(name: str, load: float) -> float:
    with Server(name) as server, Generator(server.port) as generator:
        server.ask("create", tasks=1)
        generator.connect(ROOM, 1)
        server.tell("run", mode="hub", rate=load / ROOM, tasks=1, s=SECONDS)
        generator.watch(SECONDS, drain_s=10)
        return float(generator.hear()["p99_ms"])

"""What a viewer costs: memory, joining, coming back."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Generator, Server
from benchmarks.table import Row, Samples

ROUNDS = 3
VIEWERS = 5_000
CALLS = 200_000
PEERS = ("headway", "python-socketio", "node socket.io")


def rows() -> Iterator[Row]:
    joins = {name: Samples() for name in PEERS}
    memory = {name: Samples() for name in PEERS}
    cost = {viewers: Samples() for viewers in (0, VIEWERS)}
    for _ in range(ROUNDS):
        for name in PEERS:
            with Server(name) as server, Generator(server.port) as generator:
                server.ask("create", tasks=1)
                if name == "headway":
                    cost[0].values.append(server.ask("cost", calls=CALLS)["us"])
                generator.connect(200, 1)
                before = server.ask("stat")["rss_kib"]
                joins[name].values.append(generator.connect(VIEWERS, 1, limit_s=120)["per_s"])
                memory[name].values.append((server.ask("stat")["rss_kib"] - before) / VIEWERS)
                if name == "headway":
                    cost[VIEWERS].values.append(server.ask("cost", calls=CALLS)["us"])
    for name in PEERS:
        yield Row(f"joins/s: {name}", joins[name].median, "/s", note=joins[name].noise)
    for name, target in (("python-socketio", ("≥", 2.0)), ("node socket.io", None)):
        yield Row(f"… against {name}", joins["headway"].median / joins[name].median, "×", target)
    for name in PEERS:
        target = ("≤", 35.0) if name == "headway" else None
        yield Row(f"memory a viewer (N = {VIEWERS:,}): {name}", memory[name].median, "KiB", target, memory[name].noise)
    note = f"{cost[VIEWERS].median:.2f} against {cost[0].median:.2f} µs of its thread's CPU, {cost[VIEWERS].noise}"
    ratio = cost[VIEWERS].median / cost[0].median
    yield Row(f"update_progress with {VIEWERS:,} viewers against none", ratio, "×", note=note)
    yield from _back_again()


def _back_again() -> Iterator[Row]:
    back = {name: Samples() for name in PEERS[:2]}
    for _ in range(ROUNDS):
        for name in back:
            with Server(name) as server, Generator(server.port) as generator:
                server.ask("create", tasks=1)
                generator.connect(VIEWERS, 1, limit_s=120)
                generator.drop()
                back[name].values.append(generator.connect(VIEWERS, 1, concurrency=500, limit_s=120)["s"])
    for name, sample in back.items():
        yield Row(f"{VIEWERS:,} viewers dropped and back: {name}", sample.median, "s", note=sample.noise)
    yield Row(
        "… as many times faster than python-socketio",
        back["python-socketio"].median / back["headway"].median,
        "×",
        ("≥", 2),
    )

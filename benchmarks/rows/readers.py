"""Viewers that read slowly, or not at all: what they cost the others, and the server."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Generator, Server
from benchmarks.table import Row, Samples

ROUNDS = 3
SECONDS, WARM_S = 9.0, 4.0
FAST, SLOW = 1_000, 200
SLOW_BYTES_PER_S = 2_000
"""About three states a second, where hundreds are sent."""
STATE_BYTES = 1_000
UPDATES, UPDATE_BYTES = 20_000, 10_000


def rows() -> Iterator[Row]:
    yield from _slow_among_fast()
    yield from _never_reads()


def _slow_among_fast() -> Iterator[Row]:
    alone, among = Samples(), Samples()
    for _ in range(ROUNDS):
        alone.values.append(_delivered(slow=0))
        among.values.append(_delivered(slow=SLOW))
    what = f"{FAST:,} fast viewers with {SLOW} slow ones among them: delivered/s to the fast, of that without"
    note = f"{among.median:,.0f} of {alone.median:,.0f}/s, {among.noise}"
    yield Row(what, among.median / alone.median, "×", ("≥", 0.9), note)


def _delivered(slow: int) -> float:
    """States a second that the fast ones got."""
    with Server("headway") as server, Generator(server.port) as generator:
        server.ask("create", tasks=1)
        generator.slow(slow, SLOW_BYTES_PER_S)
        generator.connect(FAST + slow, 1)
        server.tell("run", mode="hub", rate=200, tasks=1, s=SECONDS, text_bytes=STATE_BYTES)
        generator.watch(SECONDS, warm_s=WARM_S, drain_s=3)  # Warm: the kernel's buffers are full.
        return float(generator.hear()["per_s"])


def _never_reads() -> Iterator[Row]:
    grown = Samples()
    for _ in range(ROUNDS):
        with Server("headway") as server, Generator(server.port) as generator:
            server.ask("create", tasks=1)
            generator.connect(2, 1)
            # The other one reads: what sending costs by itself is not what the deaf one costs.
            server.ask("run", mode="hub", rate=500, tasks=1, s=1, text_bytes=UPDATE_BYTES)
            generator.deaf(1)
            before = server.ask("stat")["peak_kib"]
            sent = server.ask("run", mode="hub", rate=2_500, tasks=1, s=UPDATES / 2_500, text_bytes=UPDATE_BYTES)[
                "sent"
            ]
            grown.values.append((server.ask("stat")["peak_kib"] - before) / 1024)
    what = f"memory while {UPDATES:,} updates of 10 KB go to a viewer that never reads"
    yield Row(what, grown.median, "MiB", ("≤", 10), f"{sent:,} sent in the last round")

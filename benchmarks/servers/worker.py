"""A worker under measurement: reports tasks `bench-task-N` to a store, driven by JSON lines on standard input.

{"create": N}                          {"run": N, "rate": a second a task, "s": seconds}
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import paced
from headway import ProgressManager
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.redis import RedisStore
from headway.stores.redis_client import RedisClient
from headway.stores.redis_servers import Command


class Trips:
    """Counts what goes to Redis in one write and is waited for; and ticks, in which all that has changed is stored."""

    def __init__(self) -> None:
        self.count = 0
        self.ticks = 0
        self.in_ticks = 0
        sent = RedisClient._sent
        swap_many = RedisStore.swap_many
        here = threading.local()

        def counted(client: RedisClient, commands: Sequence[Command]) -> list[Any]:
            self.count += 1
            self.in_ticks += getattr(here, "is_tick", False)
            return sent(client, commands)

        def ticked(store: RedisStore, swaps: Sequence[Swap]) -> list[Task | None]:
            self.ticks += 1
            here.is_tick = True
            try:
                return swap_many(store, swaps)
            finally:
                here.is_tick = False

        RedisClient._sent = counted  # type: ignore[method-assign]
        RedisStore.swap_many = ticked  # type: ignore[method-assign]


def main() -> None:
    trips = Trips()
    manager = ProgressManager(store=sys.argv[1])

    def report(index: int) -> None:
        manager.update_progress(f"bench-task-{index}", details={"ts": time.monotonic_ns()})

    def create(index: int) -> None:
        manager.create_task(task_id=f"bench-task-{index}", public=True)
        manager.update_progress(f"bench-task-{index}", 1, details={"ts": 1})

    for line in sys.stdin:
        asked = json.loads(line)
        if "create" in asked:
            # Each waits for Redis, which may be far away.
            with ThreadPoolExecutor(16) as threads:
                list(threads.map(create, range(asked["create"])))
            print(json.dumps({}), flush=True)
            continue
        count, ticks, in_ticks, cpu_s = trips.count, trips.ticks, trips.in_ticks, time.process_time()
        sent = paced(report, asked["rate"], asked["run"], asked["s"])
        answer = {
            "sent": sent,
            "trips": trips.count - count,
            "ticks": trips.ticks - ticks,
            "in_ticks": trips.in_ticks - in_ticks,
            "cpu_s": time.process_time() - cpu_s,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

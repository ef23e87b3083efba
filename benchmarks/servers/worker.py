"""A worker under measurement: reports tasks `bench-task-N` to a store, driven by JSON lines on standard input.

{"create": N}                          {"run": N, "rate": a second a task, "s": seconds}
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import paced
from headway import ProgressManager
from headway.stores.redis_client import Command, RedisClient


class Trips:
    """Counts what goes to Redis in one write and is waited for."""

    def __init__(self) -> None:
        self.count = 0
        sent = RedisClient._sent

        def counted(client: RedisClient, commands: Sequence[Command]) -> list[Any]:
            self.count += 1
            return sent(client, commands)

        RedisClient._sent = counted  # type: ignore[method-assign]


def main() -> None:
    trips = Trips()
    manager = ProgressManager(store=sys.argv[1])

    def report(index: int) -> None:
        manager.update_progress(f"bench-task-{index}", details={"ts": time.monotonic_ns()})

    for line in sys.stdin:
        asked = json.loads(line)
        if "create" in asked:
            for index in range(asked["create"]):
                manager.create_task(task_id=f"bench-task-{index}", public=True)
                manager.update_progress(f"bench-task-{index}", 1, details={"ts": 1})
            print(json.dumps({}), flush=True)
            continue
        count, cpu_s = trips.count, time.process_time()
        sent = paced(report, asked["rate"], asked["run"], asked["s"])
        answer = {"sent": sent, "trips": trips.count - count, "cpu_s": time.process_time() - cpu_s}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""Headway's gateway as a server under load: tasks `bench-task-N`, driven by JSON commands on standard input.

    run {"mode": "hub" | "manager", "rate": a second a task, "tasks": N, "s": seconds}

`hub` hands stored changes to the hub (the fan-out alone, without the writer's conflation); `manager` goes the whole way
from `update_progress`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import answer_commands, paced
from headway import ProgressManager
from headway.web.gateway import Gateway
from headway.web.rates import Bounds
from headway.web.serve import listen, serve


def main() -> None:
    store = sys.argv[1]
    manager = ProgressManager(store=store)
    # The generator is one address, and joins thousands at once.
    gateway = Gateway(manager, max_rate=None, bounds=Bounds(connections=40_000))
    created: set[str] = set()

    def create(tasks: int) -> dict[str, object]:
        for index in range(tasks):
            task_id = f"bench-task-{index}"
            if task_id not in created:
                manager.create_task(task_id=task_id, public=True)
                manager.update_progress(task_id, 1, details={"ts": 1})
                created.add(task_id)
        for task_id in created:
            manager.get_task(task_id)
        return {}

    def run(mode: str, rate: float, tasks: int, s: float) -> dict[str, object]:
        if mode == "manager":

            def report(index: int) -> None:
                manager.update_progress(f"bench-task-{index}", details={"ts": time.monotonic_ns()})
        else:
            known = {index: manager.get_task(f"bench-task-{index}") for index in range(tasks)}

            def report(index: int) -> None:
                task = known[index]
                details = f'{{"ts":{time.monotonic_ns()}}}'
                known[index] = replace(task, rev=task.rev + 1, caller_details=details)
                gateway.hub.take((known[index],))

        return {"sent": paced(report, rate, tasks, s)}

    def finish(tasks: int) -> dict[str, object]:
        for index in range(tasks):
            manager.complete_task(f"bench-task-{index}")
        return {}

    bound = listen("127.0.0.1", 0)
    answer_commands({"create": create, "run": run, "finish": finish}, port=bound.getsockname()[1])
    serve(gateway, sockets=[bound])


if __name__ == "__main__":
    main()

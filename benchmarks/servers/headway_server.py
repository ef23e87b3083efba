"""Headway's gateway as a server under load: tasks `bench-task-N`, driven by JSON commands on standard input.

    run {"mode": "hub" | "manager", "rate": a second a task, "tasks": N, "s": seconds,
         "text_bytes"?: N, "finish"?: true}
    cost {"calls": N}   what update_progress takes of its thread's CPU

`hub` hands stored changes to the hub (the fan-out alone, without the writer's conflation); `manager` goes the whole way
from `update_progress`. `finish` completes the tasks at the end, in the middle of the updates.

headway_server.py STORE [ordinary] [deflate] [CERTIFICATE KEY]
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import answer_commands, paced
from headway import ProgressManager
from headway.model.replacing import replace
from headway.web.gateway import Gateway
from headway.web.rates import Bounds
from headway.web.serve import listen, new_server


def main() -> None:
    store, *words = sys.argv[1:]
    options: dict[str, Any] = {"ws_per_message_deflate": "deflate" in words}
    if len(files := [word for word in words if "/" in word]) == 2:
        options |= {"ssl_certfile": files[0], "ssl_keyfile": files[1]}
    manager = ProgressManager(store=store)
    # The generator is one address, and joins thousands at once.
    gateway = Gateway(manager, max_rate=None, bounds=Bounds(connections=40_000), fast="ordinary" not in words)
    created: set[str] = set()
    loops: list[asyncio.AbstractEventLoop] = []

    async def settled() -> None:
        """Nothing was delivered in a whole turn of the loop."""
        stats, before = gateway.hub.stats, -1
        while before != (before := stats.frames + stats.skipped):  # noqa: ASYNC110 - each turn is looked at
            await asyncio.sleep(0)

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

    def run(
        mode: str, rate: float, tasks: int, s: float, text_bytes: int = 0, finish: bool = False
    ) -> dict[str, object]:
        text = f',"text":"{"x" * text_bytes}"' if text_bytes else ""
        settle = None
        if mode == "manager":

            def report(index: int) -> None:
                manager.update_progress(f"bench-task-{index}", details={"ts": time.monotonic_ns()})
        else:
            known = {index: manager.get_task(f"bench-task-{index}") for index in range(tasks)}

            def report(index: int) -> None:
                task = known[index]
                details = f'{{"ts":{time.monotonic_ns()}{text}}}'
                known[index] = replace(task, rev=task.rev + 1, caller_details=details)
                gateway.hub.take((known[index],))

            def settle() -> None:
                asyncio.run_coroutine_threadsafe(settled(), loops[0]).result()

        sent = paced(report, rate, tasks, s, settle=settle)
        if finish:
            for index in range(tasks):
                report(index)  # Its time is that of the end, which takes the pending change along.
                manager.complete_task(f"bench-task-{index}")
        return {"sent": sent}

    def cost(calls: int) -> dict[str, object]:
        began = time.thread_time_ns()
        for index in range(calls):
            manager.update_progress("bench-task-0", completed=index)
        return {"us": (time.thread_time_ns() - began) / calls / 1e3}

    bound = listen("127.0.0.1", 0)
    answer_commands({"create": create, "run": run, "cost": cost}, port=bound.getsockname()[1])
    server = new_server(gateway, **options)

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([bound])

    asyncio.run(serve())


if __name__ == "__main__":
    main()

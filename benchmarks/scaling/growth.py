"""How cost grows with stored tasks (it must not) and with active ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.scaling.parts import Worker, cpu_s, redis
from benchmarks.table import Row
from headway.core.new_task import new_task_id
from headway.model.ports import Swap, TaskQuery
from headway.model.task import Task
from headway.stores.redis import RedisStore

STORED = (10, 1_000, 100_000)
ACTIVE = (10, 100, 1_000, 10_000)
ROUNDS = 40


def by_active(seconds: int) -> Iterator[Row]:
    """What one worker costs by the number of tasks that it reports, each 5 times a second."""
    for active in ACTIVE:
        with redis() as server, Worker(server.url) as worker:
            worker.ask(create=active)
            before = cpu_s(server.pid)
            done = worker.ask(run=active, rate=5, s=seconds)
            note = f"{done['trips'] / seconds:.3g} round trips/s, {done['sent'] / seconds:,.0f} reports/s"
            yield Row(
                f"{active:,} active tasks × 5/s: the worker", share(done["cpu_s"], seconds), "% of a core", note=note
            )
            yield Row("… Redis", share(cpu_s(server.pid) - before, seconds), "% of a core")


def by_stored() -> Iterator[Row]:
    """What a change and a page cost by the number of tasks that are stored."""
    with redis() as server:
        store = RedisStore(server.url)
        stored = 0
        for count in STORED:
            while stored < count:
                store.create(Task(task_id=new_task_id(), created_at=store.now(), owner=f"owner-{stored % 100}"))
                stored += 1
            tasks = [store.create(Task(task_id=new_task_id(), created_at=store.now())) for _ in range(100)]
            stored += 100

            def change(tasks: list[Task] = tasks) -> None:
                tasks[:] = [task for task in store.swap_many([Swap(task, task) for task in tasks]) if task is not None]

            yield Row(f"{stored:,} stored: change 100 tasks", took_ms(change), "ms")
            yield Row("… list 50", took_ms(lambda: store.list(TaskQuery(limit=50))), "ms")
            yield Row("… what the reaper reads", took_ms(store.held), "ms")
        store.close()


def share(spent_s: float, seconds: int) -> float:
    return 100 * spent_s / seconds


def took_ms(act: Callable[[], object]) -> float:
    """The median of many: others may be at work on this machine, too."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return median(took) * 1_000

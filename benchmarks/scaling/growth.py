"""How cost grows with stored tasks (it must not) and with active ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
    """What a change and a page cost by the number of tasks that are stored.

    Each number has a Redis of its own, and they take turns: whatever else this machine does falls on all of them alike.
    """
    with ExitStack() as stack:
        stores = [stack.enter_context(filled(count)) for count in STORED]
        hundreds = [
            [store.create(Task(task_id=new_task_id(), created_at=store.now())) for _ in range(100)] for store in stores
        ]

        def change(at: int) -> None:
            swaps = [Swap(task, task) for task in hundreds[at]]
            hundreds[at] = [task for task in stores[at].swap_many(swaps) if task is not None]

        acts: list[tuple[str, Callable[[int], object]]] = [
            ("change 100 tasks", change),
            ("list 50", lambda at: stores[at].list(TaskQuery(limit=50))),
            ("what the reaper reads", lambda at: stores[at].held()),
        ]
        for what, act in acts:
            for count, took in zip(STORED, in_turns(act), strict=True):
                yield Row(f"{count + 100:,} stored: {what}", took, "ms")


@contextmanager
def filled(count: int) -> Iterator[RedisStore]:
    with redis() as server:
        store = RedisStore(server.url)
        for n in range(count):
            store.create(Task(task_id=new_task_id(), created_at=store.now(), owner=f"owner-{n % 100}"))
        yield store
        store.close()


def share(spent_s: float, seconds: int) -> float:
    return 100 * spent_s / seconds


def in_turns(act: Callable[[int], object]) -> list[float]:
    """The median of each store, in milliseconds."""
    took: list[list[float]] = [[] for _ in STORED]
    for turn in range(ROUNDS):
        for step in range(len(STORED)):
            at = (turn + step) % len(STORED)
            begun = time.perf_counter()
            act(at)
            took[at].append(time.perf_counter() - begun)
    return [median(one) * 1_000 for one in took]

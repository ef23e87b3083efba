"""A store does not grow for ever: what ended long ago goes, with results and logs, and its room is used again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from headway import ProgressManager
from headway.core.retention import Retention
from headway.stores.sqlite import SqliteStore
from headway.testing import FakeClock
from tests.helpers import eventually

TASKS_A_ROUND = 60
LARGE = "x" * 20_000
TABLES = ("tasks", "logs", "results")


def work(manager: ProgressManager) -> None:
    for number in range(TASKS_A_ROUND):
        task_id = manager.create_task(f"task {number}")
        for line in range(20):
            manager.add_log(task_id, f"line {line} " + "y" * 100)
        manager.complete_task(task_id, {"text": LARGE})


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        return {table: db.execute(f"SELECT count(DISTINCT task_id) FROM {table}").fetchone()[0] for table in TABLES}


def size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize(
    ("retention", "kept"),
    [(Retention(None, 30), 30), (Retention(timedelta(hours=1), None), TASKS_A_ROUND)],
    ids=["by number", "by age"],
)
def test_a_store_swept_again_and_again_stays_as_large_as_it_was(
    tmp_path: Path, retention: Retention, kept: int
) -> None:
    path, clock = tmp_path / "tasks.db", FakeClock()
    store = SqliteStore(path, clock=clock)
    sizes: list[int] = []
    with ProgressManager(store=store, keep_for=None, keep_tasks=None) as manager:
        running = manager.create_task("still at it")
        manager.update_progress(running, 5)
        for _ in range(8):
            clock.advance(7_200)
            work(manager)
            retention.sweep(store)
            sizes.append(size(path))

        assert rows(path) == {"tasks": kept + 1, "logs": kept, "results": kept}
        assert manager.get_task(running).progress == 5
        # The write-ahead log has its full length after some rounds.
        assert max(sizes[4:]) <= max(sizes[:4]) * 1.1, sizes


def test_a_manager_sweeps_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with ProgressManager(store=SqliteStore(path), keep_for=timedelta(hours=1), keep_tasks=5) as manager:
        ended = [manager.create_task() for _ in range(12)]
        for task_id in ended:
            manager.complete_task(task_id)
        alive = manager.create_task()

        # The sweep is a chore of whoever watches, and is done when the watching begins.
        stop = manager.subscribe(lambda tasks: None, lambda: None)
        eventually(lambda: len(list(manager.list_tasks())) == 6)
        stop()

        assert manager.get_task(alive).state == "pending"
        assert {task.task_id for task in manager.list_tasks()} == {alive, *ended[-5:]}

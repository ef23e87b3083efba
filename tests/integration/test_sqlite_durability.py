"""What is on disk when a call returns, seen as a power cut would leave it; and what listing costs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from headway.model.clock import SystemClock
from headway.model.codec import to_record
from headway.model.ports import Swap, TaskQuery
from headway.model.task import ACTIVE, FINAL, Task
from headway.stores import paging
from headway.stores.sqlite import SqliteStore
from headway.stores.sqlite_file import SqliteFile
from headway.stores.sqlite_list import select_page
from headway.stores.sqlite_opening import prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "headway.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


class AfterReboot(SystemClock):
    """A machine takes a while to come back."""

    def time(self) -> float:
        return super().time() + 5


def a_task(task_id: str = "task-1") -> Task:
    return Task(task_id=task_id, created_at=1_800_000_000.0)


def swapped(store: SqliteStore, task: Task, message: str, *, synced: bool) -> Task:
    swap = Swap(task, replace(task, message=message))
    stored = store.swap(swap) if synced else store.swap_many([swap])[0]
    assert stored is not None
    return stored


def test_only_synced_commits_wait_for_the_disk_in_any_order(path: Path) -> None:
    # https://sqlite.org/pragma.html#pragma_synchronous: 2 is FULL, 1 is NORMAL
    file = SqliteFile(path, busy_s=1)
    levels = []
    for synced in (True, False, False, True, False, True, True):
        writer = file.take_writer(synced=synced)
        assert writer is not None
        levels.append((synced, writer.execute("PRAGMA synchronous").fetchone()[0]))
        file.give_writer()
    file.retire()

    assert levels == [(synced, 2 if synced else 1) for synced, _ in levels]


def test_a_power_cut_takes_only_what_came_after_the_last_synced_commit(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    wal = path.with_name("headway.db-wal")
    task = store.create(a_task())
    other = store.create(a_task("task-2"))
    for number in range(20):
        task = swapped(store, task, f"unsynced {number}", synced=False)
    other = swapped(store, other, "acknowledged", synced=True)
    on_disk = wal.stat().st_size
    for number in range(20, 40):
        task = swapped(store, task, f"unsynced {number}", synced=False)

    # As the disk would look: all that was written up to the last sync, and half of a page after it. In the same file:
    # a copy elsewhere would be another history.
    epoch = store.epoch()
    shutil.copytree(path.parent, tmp_path / "cut", ignore=shutil.ignore_patterns("cut"))
    store.close()
    path.write_bytes((tmp_path / "cut" / path.name).read_bytes())
    wal.write_bytes((tmp_path / "cut" / wal.name).read_bytes()[: on_disk + 2_000])
    restarted = SqliteStore(path, clock=AfterReboot())

    assert restarted.get("task-2") == other
    # A sync is of the whole log: what was committed before it without waiting is there as well.
    found = restarted.get("task-1")
    assert found.message == "unsynced 19"
    # And a viewer that saw what is lost goes on all the same.
    assert restarted.epoch() == epoch
    next_one = swapped(restarted, found, "after the cut", synced=True)
    assert next_one.rev > task.rev
    restarted.close()


def verb(sql: str) -> str:
    return next(line.split()[0] for line in sql.splitlines() if not line.startswith("--"))


def test_an_end_and_a_tick_of_progress_take_few_statements(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lets the interpreter's lock go, and gets it back only after the turns of all busy threads."""
    ran: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(lambda sql: ran.append(verb(sql)))

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Traced))
    tasks = [store.create(a_task(f"task-{n}")) for n in range(100)]
    for synced in (False, True):  # So that the connection is in the mode that is needed.
        tasks[0] = swapped(store, tasks[0], "before", synced=synced)

    ran.clear()
    assert store.swap(Swap(tasks[0], tasks[0].completing(1_800_000_001.0, result="1", message=None)))
    end = list(ran)
    tasks[1] = swapped(store, tasks[1], "before", synced=False)
    ran.clear()
    assert all(store.swap_many([Swap(task, replace(task, message="x")) for task in tasks[1:]]))

    assert end == ["UPDATE"]
    assert ran == ["UPDATE"]


def steps_of(db: sqlite3.Connection, query: TaskQuery) -> int:
    """How many hundreds of SQLite's virtual machine steps a page takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    db.set_progress_handler(step, 100)
    select_page(db, paging.checked(query))
    db.set_progress_handler(None, 100)
    return count


def filled(count: int) -> sqlite3.Connection:
    """Mostly ended tasks of many owners, and 200 that are alive."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(Path(prepare.__code__.co_filename).with_name("schema.sql").read_text("utf-8"))
    rows = []
    for n in range(count):
        alive = n < 200
        state = ACTIVE[n % 2] if alive else FINAL[n % 3]
        task = replace(a_task(f"task-{n}"), state=state, created_at=float(n), owner=f"owner-{n % 5}")
        row = (task.task_id, n + 1, 1, state, task.owner, task.created_at, None if alive else float(n))
        rows.append((*row, to_record(task)))
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO tasks (task_id, seq, rev, state, owner, created_at, finished_at, record) VALUES (?,?,?,?,?,?,?,?)",
        rows,
    )
    db.execute("COMMIT")
    return db


@pytest.fixture(scope="module")
def few() -> Iterator[sqlite3.Connection]:
    db = filled(1_000)
    yield db
    db.close()


@pytest.fixture(scope="module")
def many() -> Iterator[sqlite3.Connection]:
    db = filled(20_000)
    yield db
    db.close()


@pytest.mark.parametrize(
    "query",
    [
        TaskQuery(),
        TaskQuery(states=("running", "pending")),
        TaskQuery(states=("failed",)),
        TaskQuery(owner="owner-3"),
        TaskQuery(owner="owner-3", states=("running", "pending", "failed")),
        TaskQuery(order="longest"),
        TaskQuery(order="stuck", owner="owner-3"),
    ],
    ids=lambda query: f"{query.order}-{query.owner}-{'-'.join(query.states)}",
)
def test_what_a_page_costs_does_not_grow_with_what_is_stored(
    query: TaskQuery, few: sqlite3.Connection, many: sqlite3.Connection
) -> None:
    assert steps_of(many, query) <= steps_of(few, query) * 1.5 + 5


def test_a_page_far_down_costs_what_the_first_one_does(many: sqlite3.Connection) -> None:
    far_down = paging.cursor_after(replace(a_task("task-5000"), created_at=5_000.0), "newest")

    assert steps_of(many, TaskQuery(cursor=far_down)) <= steps_of(many, TaskQuery()) * 1.5 + 5

"""Several processes on one SQLite file: writers beside readers, forks, spawned children, kills."""

from __future__ import annotations

import multiprocessing
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
from tests.helpers import ROOT, eventually

PRELUDE = """
import os, sys, threading
from dataclasses import replace
from headway.model.errors import *
from headway.model.ports import Swap, TaskQuery
from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
path = sys.argv[1]
def a_task(task_id):
    return Task(task_id=task_id, created_at=1_800_000_000.0)
def until(condition):
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise SystemExit("not within 10 s")
"""


def python(program: str, path: Path, patch: str = "", *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, *options, "-c", f"{patch}\n{PRELUDE}{program}", str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def finished(process: subprocess.Popen[str]) -> str:
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, output
    return output


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "headway.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def a_task(task_id: str = "task-1") -> Task:
    return Task(task_id=task_id, created_at=1_800_000_000.0)


def test_constructing_opens_and_makes_nothing(path: Path) -> None:
    SqliteStore(path)

    assert not path.parent.exists()


def test_only_this_user_may_read_what_is_stored(store: SqliteStore, path: Path) -> None:
    store.create(a_task())

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"headway.db": 0o600, "headway.db-wal": 0o600, "headway.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_processs_changes_are_told(store: SqliteStore, path: Path) -> None:
    told: list[Task] = []
    end = store.subscribe(told.extend, lambda: None)

    finished(
        python(
            """
store = SqliteStore(path)
task = store.create(a_task("from-elsewhere"))
store.swap_many([Swap(task, replace(task, message="hello"))])
""",
            path,
        )
    )

    eventually(lambda: told and told[-1].message == "hello")
    assert {task.task_id for task in told} == {"from-elsewhere"}
    end()


def test_own_changes_are_told_before_the_call_returns(store: SqliteStore) -> None:
    told: list[Task] = []
    store.subscribe(told.extend, lambda: None)
    task = store.create(a_task())

    for n in range(20):
        swapped = store.swap_many([Swap(task, replace(task, message=str(n)))])[0]
        assert swapped is not None
        assert swapped in told
        task = swapped

    # The thread that watches for others' may be quicker than we in taking note of one: then it comes twice.
    assert list(dict.fromkeys(task.message for task in told)) == ["", *[str(n) for n in range(20)]]


@pytest.fixture
def other(store: SqliteStore, path: Path) -> Iterator[SqliteStore]:
    """As another process has it: what one does is no news to the other's own."""
    other = SqliteStore(path)
    yield other
    other.close()


def test_what_follows_a_deletion_is_told_elsewhere(store: SqliteStore, other: SqliteStore) -> None:
    told: list[Task] = []
    task = store.create(a_task("deleted"))
    store.swap(Swap(task, task.cancelled(1_800_000_001.0)))
    end = other.subscribe(told.extend, lambda: None)

    assert store.delete_task("deleted")
    store.create(a_task("next"))

    eventually(lambda: [task.task_id for task in told] == ["next"])
    end()


def test_what_follows_a_partly_refused_batch_is_told_elsewhere_and_here(store: SqliteStore, other: SqliteStore) -> None:
    tasks = [store.create(a_task(f"task-{n}")) for n in range(4)]
    for stale in (tasks[1], tasks[3]):
        assert other.swap(Swap(stale, replace(stale, message="first")))
    told_here: list[Task] = []
    told_there: list[Task] = []
    ends = [store.subscribe(told_here.extend, lambda: None), other.subscribe(told_there.extend, lambda: None)]

    stored = store.swap_many([Swap(task, replace(task, message="second")) for task in tasks])
    other.create(a_task("next"))

    assert [task and task.message for task in stored] == ["second", None, "second", None]
    for told in (told_here, told_there):
        eventually(lambda told=told: {task.task_id for task in told} == {"task-0", "task-2", "next"})
    for end in ends:
        end()


def test_processes_that_race_lose_no_update(store: SqliteStore, path: Path) -> None:
    store.create(a_task("counter"))
    program = """
store = SqliteStore(path)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    while True:
        old = store.get("counter")
        if store.swap_many([Swap(old, replace(old, completed=(old.completed or 0) + 1))])[0]:
            break
"""
    racers = [python(program, path) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        finished(racer)

    assert store.get("counter").completed == 180


def test_processes_that_open_a_new_file_at_once_agree(path: Path) -> None:
    openers = [
        python('print(SqliteStore(path).epoch())\nSqliteStore(path).create(a_task("task-" + str(os.getpid())))', path)
        for _ in range(4)
    ]

    epochs = {finished(opener) for opener in openers}

    assert len(epochs) == 1
    assert stored_of(path, [f"task-{opener.pid}" for opener in openers]) == 4


def test_what_a_killed_process_had_acknowledged_is_there(path: Path) -> None:
    program = """
store = SqliteStore(path)
n = 0
while True:
    store.create(a_task(f"task-{n}"))
    print(n, flush=True)
    n += 1
"""
    worker = python(program, path)
    assert worker.stdout is not None
    for _ in range(25):
        acknowledged = int(worker.stdout.readline())
    worker.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *[int(line) for line in worker.stdout if line.endswith("\n")]])
    worker.communicate(timeout=10)

    assert stored_of(path, [f"task-{n}" for n in range(acknowledged + 1)]) == acknowledged + 1


FORK = """
import signal
store = SqliteStore(path)
told = []
store.subscribe(told.extend, lambda: None)
task = store.create(a_task("before"))
stop = threading.Event()
def keep_writing():
    n = 0
    while not stop.is_set():
        store.swap_many([Swap(old, replace(old, message=str(n))) for old in [store.get("before")]])
        n += 1
writers = [threading.Thread(target=keep_writing, daemon=True) for _ in range(3)]
for writer in writers:
    writer.start()
for n in range(6):
    child = os.fork()
    if not child:
        try:
            store.create(a_task(f"child-{n}"))
            own = []
            store.subscribe(own.extend, lambda: None)
            store.create(a_task(f"child-{n}-again"))
            assert [task.task_id for task in own if task.task_id != "before"] == [f"child-{n}-again"], own
            store.close()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    store.create(a_task(f"parent-{n}"))
stop.set()
for writer in writers:
    writer.join()
until(lambda: {f"child-{n}-again" for n in range(6)} <= {task.task_id for task in told})
again = SqliteStore(path)
names = [f"{who}-{n}" for who in ("child", "parent") for n in range(6)]
assert len(again.get_many(names)) == 12, again.get_many(names).keys()
store.close()
assert len(again.get_many(names)) == 12
again.close()
assert len(SqliteStore(path).get_many(names)) == 12
"""


@pytest.mark.parametrize("patch", ["", "from gevent import monkey; monkey.patch_all()"], ids=["threads", "gevent"])
@pytest.mark.parametrize("has_company", [False, True], ids=["alone", "beside another process"])
def test_a_fork_in_the_middle_of_writing_harms_neither_side(path: Path, has_company: bool, patch: str) -> None:
    beside = SqliteStore(path)
    if has_company:
        beside.create(a_task("beside"))

    # From 3.12 on, Python warns of any fork beside threads.
    finished(python(FORK, path, patch, "-W", "ignore::DeprecationWarning"))

    if has_company:
        assert len(beside.get_many(["beside", "child-5", "parent-5"])) == 3
    beside.close()


def test_a_child_that_outlives_its_parent_keeps_what_it_stores(path: Path) -> None:
    program = """
store = SqliteStore(path)
store.create(a_task("parent"))
read, write = os.pipe()
if os.fork():
    os.close(write)
    store.create(a_task("parent-after"))
    store.close()
    sys.exit(0)
os.read(read, 1) if not os.close(write) else None
store.create(a_task("child-1"))
store.close()
store.create(a_task("child-2"))
store.close()
"""
    finished(python(program, path))

    eventually(lambda: stored_of(path, ["parent", "parent-after", "child-1", "child-2"]) == 4)


def spawned(store: SqliteStore) -> None:
    store.create(a_task("spawned"))
    store.close()


def test_a_spawned_child_opens_it_anew(store: SqliteStore) -> None:
    told: list[Task] = []
    store.subscribe(told.extend, lambda: None)

    child = multiprocessing.get_context("spawn").Process(target=spawned, args=(store,))
    child.start()
    child.join(60)

    assert child.exitcode == 0
    eventually(lambda: [task.task_id for task in told] == ["spawned"])


def test_threads_that_come_and_go_leave_nothing_open(store: SqliteStore) -> None:
    store.create(a_task())
    barrier = threading.Barrier(20)

    def read() -> None:
        barrier.wait()
        for _ in range(20):
            store.get("task-1")

    for _ in range(3):
        threads = [threading.Thread(target=read) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # 8 readers stay; SQLite keeps the descriptors of others, to use them again, while the file is locked.
    assert len(open_files(store)) <= 60
    store.close()
    assert open_files(store) == []


def test_the_watching_thread_ends_with_the_last_subscription(store: SqliteStore) -> None:
    others = set(threading.enumerate())

    def watching() -> bool:
        return any(thread.name == "headway-sqlite-feed" for thread in set(threading.enumerate()) - others)

    end_first = store.subscribe(lambda tasks: None, lambda: None)
    end_second = store.subscribe(lambda tasks: None, lambda: None)
    end_first()
    assert watching()

    end_second()

    eventually(lambda: not watching())
    store.subscribe(lambda tasks: None, lambda: None)
    assert watching()
    store.close()
    assert not watching()


GEVENT = """
store = SqliteStore(path)
told = []
store.subscribe(told.extend, lambda: None)
print("ready", flush=True)
until(lambda: [task.task_id for task in told] == ["from-elsewhere"])
store.create(a_task("own"))
assert told[-1].task_id == "own"
store.close()
"""


def test_under_gevent_other_processs_changes_are_told(store: SqliteStore, path: Path) -> None:
    process = python(GEVENT, path, "from gevent import monkey; monkey.patch_all()")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    store.create(a_task("from-elsewhere"))

    finished(process)


def stored_of(path: Path, task_ids: list[str]) -> int:
    store = SqliteStore(path)
    try:
        return len(store.get_many(task_ids))
    finally:
        store.close()


def open_files(store: SqliteStore) -> list[str]:
    assert store.url is not None
    path = store.url.removeprefix("sqlite:///")
    targets = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in targets if target.startswith(path)]

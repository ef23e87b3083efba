"""What happens to a SQLite store when its file is deleted, replaced, emptied, locked, full, foreign or damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from headway.model.change import LogLine
from headway.model.errors import StoreError, StoreTooNew, StoreUnavailable, TaskNotFound
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
from headway.stores.sqlite_errors import in_words
from tests.helpers import ROOT, eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "headway.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, busy_s=0.3)
    yield store
    store.close()


def a_task(task_id: str = "task-1") -> Task:
    return Task(task_id=task_id, created_at=1_800_000_000.0)


class Watcher:
    """What a subscriber was told."""

    def __init__(self, store: SqliteStore) -> None:
        self.tasks: list[Task] = []
        self.resets = 0
        store.subscribe(self.tasks.extend, self._reset)

    def _reset(self) -> None:
        self.resets += 1


def is_sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    finally:
        connection.close()


# --- Gone, replaced, emptied -----------------------------------------------------------------------------------------


def delete_file(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def empty_file(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("harm", [delete_file, delete_folder, empty_file])
def test_a_file_that_is_gone_begins_another_history(store: SqliteStore, path: Path, harm: object) -> None:
    assert callable(harm)
    old = store.create(a_task("old"))
    watcher = Watcher(store)

    harm(path)

    eventually(lambda: watcher.resets == 1)
    assert store.epoch() != old.epoch
    with pytest.raises(TaskNotFound):
        store.get("old")
    assert store.swap(Swap(old, replace(old, message="no"))) is None
    new = store.create(a_task("new"))
    assert new.epoch == store.epoch()
    assert is_sound(path)


@pytest.mark.parametrize("harm", [delete_file, delete_folder, empty_file])
def test_what_is_acknowledged_after_the_loss_is_in_the_new_file(store: SqliteStore, path: Path, harm: object) -> None:
    assert callable(harm)
    store.create(a_task("old"))

    harm(path)
    store.create(a_task("new"))

    other = SqliteStore(path)
    assert other.get("new").epoch == store.epoch() == other.epoch()
    other.close()
    store.close()
    assert is_sound(path)
    assert store.get("new").task_id == "new"


@pytest.mark.parametrize("harm", [delete_file, delete_folder, empty_file])
def test_all_who_had_it_open_meet_in_the_same_new_history(path: Path, harm: object) -> None:
    assert callable(harm)
    stores = [SqliteStore(path) for _ in range(4)]
    for number, store in enumerate(stores):
        store.create(a_task(f"old-{number}"))
    watchers = [Watcher(store) for store in stores]

    harm(path)
    eventually(lambda: all(watcher.resets for watcher in watchers))
    for number, store in enumerate(stores):
        store.create(a_task(f"new-{number}"))

    assert len({store.epoch() for store in stores}) == 1
    new = [f"new-{number}" for number in range(4)]
    assert [len(store.get_many(new)) for store in stores] == [4] * 4
    eventually(lambda: all({task.task_id for task in watcher.tasks} >= set(new) for watcher in watchers))
    for store in stores:
        store.close()
    assert is_sound(path)


def test_a_first_read_does_not_write_the_log_of_the_old_file_into_one_put_in_its_place(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    backup = SqliteStore(tmp_path / "backup.db")
    backup.create(a_task("from-backup"))
    epoch = backup.epoch()
    backup.close()
    store.create(a_task("old"))  # Looked at just now: it would not be looked at again so soon.

    (tmp_path / "backup.db").replace(path)

    assert store.get("from-backup").epoch == epoch
    with pytest.raises(TaskNotFound):
        store.get("old")
    store.close()
    assert is_sound(path)


def test_a_file_put_in_its_place_is_another_history(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    backup = SqliteStore(tmp_path / "backup.db")
    backup.create(a_task("from-backup"))
    epoch = backup.epoch()
    backup.close()
    task = store.create(a_task("old"))
    for number in range(50):
        swapped = store.swap_many([Swap(task, replace(task, message=str(number)))])[0]
        assert swapped is not None
        task = swapped
    watcher = Watcher(store)

    (tmp_path / "backup.db").replace(path)

    eventually(lambda: watcher.resets == 1)
    assert store.epoch() == epoch
    assert store.get("from-backup").epoch == epoch
    with pytest.raises(TaskNotFound):
        store.get("old")
    store.create(a_task("new"))
    store.close()
    assert is_sound(path)
    assert len(store.get_many(["from-backup", "new", "old"])) == 2


def test_a_log_left_behind_by_a_deleted_file_is_not_taken_for_the_new_ones(path: Path) -> None:
    store = SqliteStore(path)
    store.create(a_task("old"))
    leftover = path.with_name("headway.db-wal").read_bytes()
    store.close()
    path.unlink()
    path.with_name("headway.db-wal").write_bytes(leftover)

    store.create(a_task("new"))

    assert len(store.get_many(["old", "new"])) == 1
    store.close()
    assert is_sound(path)


def test_an_empty_file_is_a_place_to_begin(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir()
    path.touch()

    store.create(a_task())

    assert store.get("task-1").task_id == "task-1"


def test_no_reset_is_told_without_a_reason(store: SqliteStore) -> None:
    watcher = Watcher(store)
    other = SqliteStore(str(store.url).removeprefix("sqlite:///"))

    for number in range(30):
        other.create(a_task(f"task-{number}"))
    other.close()

    eventually(lambda: len(watcher.tasks) == 30)
    assert watcher.resets == 0


# --- Not ours, not now -----------------------------------------------------------------------------------------------


def test_a_file_of_a_newer_headway_is_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    store.create(a_task())
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match=r"headway\.db has schema version 99.*upgrade Headway"):
        store.get("task-1")
    with pytest.raises(StoreTooNew):
        store.create(a_task("task-2"))

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("my shopping list\n" * 500)

    with pytest.raises(StoreError, match=r"headway\.db is not an SQLite database") as caught:
        store.create(a_task())

    assert not isinstance(caught.value, StoreUnavailable)
    assert path.read_text().startswith("my shopping list")


def test_another_programs_database_is_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE shopping (item)")
    connection.close()

    with pytest.raises(StoreError, match="another program's database"):
        store.create(a_task())

    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("shopping",)]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_damaged_file_is_called_damaged(store: SqliteStore, path: Path) -> None:
    for number in range(300):
        store.create(a_task(f"task-{number:03}"))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))

    with pytest.raises(StoreError, match=r"headway\.db is damaged"):
        store.get_many([f"task-{number:03}" for number in range(300)])


def test_a_folder_in_the_way_is_unavailable(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match=r"headway\.db"):
        SqliteStore(path).get("task-1")

    file = path.parent / "file"
    file.touch()
    with pytest.raises(StoreUnavailable, match="can't be opened"):
        SqliteStore(file / "headway.db").get("task-1")


def test_a_locked_file_is_unavailable_until_it_is_free(store: SqliteStore, path: Path) -> None:
    task = store.create(a_task())
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match=r"headway\.db is locked by another process"):
        store.swap(Swap(task, replace(task, message="new")))
    with pytest.raises(StoreUnavailable):
        store.swap_many([Swap(task, replace(task, message="new"))])
    assert store.get("task-1") == task

    lock.execute("ROLLBACK")
    lock.close()
    assert store.swap(Swap(task, replace(task, message="new"))) is not None


@pytest.mark.parametrize("synced", [True, False])
def test_a_refused_change_is_not_told(store: SqliteStore, path: Path, *, synced: bool) -> None:
    task = store.create(a_task())
    watcher = Watcher(store)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TRIGGER refuse BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'no'); END")
    refused = Swap(task, replace(task, message="refused"))

    with pytest.raises(StoreUnavailable):
        _ = store.swap(refused) if synced else store.swap_many([refused])
    assert store.get("task-1").message == ""

    connection.execute("DROP TRIGGER refuse")
    connection.close()
    store.swap(Swap(task, replace(task, message="stored")))
    eventually(lambda: watcher.tasks)
    assert {task.message for task in watcher.tasks} == {"stored"}


@pytest.mark.parametrize(
    ("log", "last_words"), [((), "UPDATE tasks"), ((LogLine(1, 1_800_000_000.0, "info", "x"),), "COMMIT")]
)
def test_what_could_not_be_committed_hides_no_change_of_another(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    log: tuple[LogLine, ...],
    last_words: str,
) -> None:
    fails = threading.Event()

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if last_words in sql and fails.is_set():
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *args)

    other = SqliteStore(path)
    request.addfinalizer(other.close)
    other.epoch()
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
    store = SqliteStore(path)
    request.addfinalizer(store.close)
    task = store.create(a_task())
    watcher = Watcher(store)

    fails.set()
    with pytest.raises(StoreUnavailable):
        store.swap_many([Swap(task, replace(task, message="not committed", log_count=len(log)), log)])
    fails.clear()
    other.create(a_task("elsewhere"))

    eventually(lambda: [task.task_id for task in watcher.tasks] == ["elsewhere"])


def test_who_watches_a_store_that_is_unusable_is_told_once_it_can_be_used(
    store: SqliteStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_text("my shopping list\n" * 500)
    watcher = Watcher(store)
    eventually(lambda: "can't be seen for now" in caplog.text)

    path.unlink()

    eventually(lambda: watcher.resets == 1)
    store.create(a_task())
    assert [task.task_id for task in watcher.tasks] == ["task-1"]
    assert caplog.text.count("can't be seen for now") == 1


FULL = """
import resource, sys
from dataclasses import replace
from headway.model.errors import StoreUnavailable
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
task = store.create(Task(task_id="task-1", created_at=1.0))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
stored = 0
try:
    while True:
        task = store.swap(Swap(task, replace(task, message="x" * 2_000, log_count=0))) or sys.exit("refused")
        stored += 1
except StoreUnavailable as error:
    assert sys.argv[1] in str(error), error
assert stored > 10
assert store.get("task-1") == task, "what was acknowledged is there, and nothing half done"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
task = store.swap(Swap(task, replace(task, message="there is room again")))
assert store.get("task-1").message == "there is room again"
store.close()
"""


def test_a_full_disk_is_unavailable_until_there_is_room(path: Path) -> None:
    # A limit on the size of files stands in for a small disk: the write fails just so.
    subprocess.run([sys.executable, "-c", FULL, str(path)], check=True, cwd=ROOT, timeout=60)
    assert is_sound(path)


def test_a_full_database_is_called_full(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small.db", isolation_level=None)
    connection.execute("PRAGMA max_page_count = 3")
    connection.execute("CREATE TABLE t (x)")

    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.executemany("INSERT INTO t VALUES (zeroblob(?))", [(1_000,)] * 100)
    connection.close()

    assert "the disk is full" in str(in_words(caught.value, tmp_path / "small.db"))


READ_ONLY = """
import os, sys
from pathlib import Path
from headway.model.errors import StoreUnavailable
from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
import headway.stores.sqlite_list
path = Path(sys.argv[1])
owner = SqliteStore(path)
owner.create(Task(task_id="task-1", created_at=1.0))
owner.close()
path.chmod(0o444)
path.parent.chmod(0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
store = SqliteStore(path)
for attempt in range(2):
    try:
        store.create(Task(task_id="task-2", created_at=1.0))
    except StoreUnavailable as error:
        assert str(path) in str(error), error
    else:
        sys.exit("written all the same")
if os.getuid() == 0:
    os.seteuid(0)
path.parent.chmod(0o755)
path.chmod(0o644)
store.create(Task(task_id="task-2", created_at=1.0))
assert len(store.get_many(["task-1", "task-2"])) == 2
store.close()
"""


def test_a_read_only_file_is_unavailable_until_it_may_be_written(tmp_path: Path) -> None:
    # Not in tmp_path, which nobody else may enter: root has to become somebody else to be refused.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        subprocess.run([sys.executable, "-c", READ_ONLY, str(folder / "headway.db")], check=True, cwd=ROOT, timeout=60)
    finally:
        shutil.rmtree(folder)

"""Constructing opens and starts nothing; the first use does; closing ends it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headway import InvalidValue, ProgressManager
from headway.runners import LocalRunner
from tests.helpers import eventually


@pytest.fixture(autouse=True)
def threads_before() -> set[threading.Thread]:
    return set(threading.enumerate())


def headway_threads(before: set[threading.Thread]) -> list[str]:
    """Those that were started in this test."""
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith(("headway", "local-")) and thread not in before
    ]


def test_constructing_makes_no_file_and_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads_before: set[threading.Thread]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADWAY_STORE", raising=False)

    managers = [ProgressManager(), ProgressManager(store=f"sqlite:///{tmp_path}/own.db")]
    for manager in managers:
        LocalRunner(manager)
        assert manager.access == "capability"

    assert list(tmp_path.iterdir()) == []
    assert headway_threads(threads_before) == []
    for manager in managers:
        manager.close()
    assert list(tmp_path.iterdir()) == []


def test_threads_end_with_close(tmp_path: Path, threads_before: set[threading.Thread]) -> None:
    manager = ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db")
    manager.subscribe(lambda tasks: None, lambda: None)
    with manager.task() as task:
        task.advance()
        assert headway_threads(threads_before) != []

    manager.close()
    manager.close()

    eventually(lambda: headway_threads(threads_before) == [], saying="all threads have ended")


def test_work_that_outlives_its_manager_does_not_open_it_again(
    tmp_path: Path, threads_before: set[threading.Thread]
) -> None:
    manager = ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db")
    tasks = [manager.task() for _ in range(2)]
    for task in tasks:
        manager.fail_task(task.task_id, "given up")
    manager.close()

    tasks[0].__exit__(None, None, None)
    tasks[1].__exit__(ValueError, ValueError("x"), None)

    assert headway_threads(threads_before) == []


def test_a_later_call_opens_it_again(tmp_path: Path) -> None:
    manager = ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db")
    task_id = manager.create_task()
    manager.close()

    assert manager.update_progress(task_id, 30)
    assert manager.get_task(task_id).progress == 30
    manager.close()
    assert manager.get_task(task_id).progress == 30
    manager.close()


def test_tasks_in_memory_survive_a_close_of_their_manager() -> None:
    manager = ProgressManager(store="memory://")
    task_id = manager.create_task()
    manager.close()

    assert manager.get_task(task_id).state == "pending"


def test_a_dropped_manager_ends_its_threads(tmp_path: Path, threads_before: set[threading.Thread]) -> None:
    manager = ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db")
    manager.update_progress(manager.create_task(), 5)

    del manager

    eventually(lambda: headway_threads(threads_before) == [], saying="all threads have ended")


def test_the_default_store_is_a_file_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADWAY_STORE", raising=False)

    with ProgressManager() as manager:
        manager.create_task()

    assert (tmp_path / ".headway" / "headway.db").is_file()


def test_headway_store_names_the_default_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_STORE", f"sqlite:///{tmp_path}/named.db")

    with ProgressManager() as manager:
        manager.create_task()

    assert (tmp_path / "named.db").is_file()


def test_a_manager_goes_to_another_process_as_what_opens_the_same_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADWAY_STORE", raising=False)
    with ProgressManager(lease_s=3, access="signed") as manager:
        task_id = manager.create_task()
        pickled = pickle.dumps(manager)

        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with pickle.loads(pickled) as same:
            assert same.get_task(task_id).task_id == task_id
            assert same.access == "signed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"access": "anyone"},
        {"lease_s": 0},
        {"lease_s": "15"},
        {"keep_for": timedelta(0)},
        {"keep_tasks": 0},
    ],
    ids=str,
)
def test_a_bad_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        ProgressManager(**wrong)  # type: ignore[arg-type]


def test_what_guards_a_task_is_validated_where_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_ACCESS", " capability ")
    with ProgressManager(store="memory://") as manager, pytest.raises(InvalidValue, match="task_id"):
        manager.create_task(task_id="guessed")

    monkeypatch.setenv("HEADWAY_ACCESS", "capabilty")
    with ProgressManager(store="memory://") as manager, pytest.raises(InvalidValue, match=r"^HEADWAY_ACCESS: "):
        manager.create_task(task_id="guessed")


@pytest.mark.parametrize("store", ["", "sqlite://", "mysql://x", "memory", "file.db", 5, Path("tasks.db")], ids=repr)
def test_an_unknown_store_is_refused_by_the_first_use(store: Any) -> None:
    manager = ProgressManager(store=store)

    with pytest.raises(InvalidValue, match="store"):
        manager.create_task()


def test_importing_starts_nothing() -> None:
    program = "import threading, headway, headway.runners; print(threading.active_count())"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


def test_old_tasks_are_deleted_as_the_settings_say(tmp_path: Path) -> None:
    with ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db", keep_tasks=2) as manager:
        ended = [manager.create_task() for _ in range(4)]
        for task_id in ended:
            manager.complete_task(task_id)
        running = manager.create_task()

        manager.subscribe(lambda tasks: None, lambda: None)

        eventually(lambda: len(manager.list_tasks()) == 3, saying="two of four that have ended are kept")
        assert manager.get_task(running).state == "pending"
        assert manager.get_task(ended[-1]).state == "completed"

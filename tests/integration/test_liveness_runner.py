"""What becomes of a local runner's tasks when its process is killed, terminated, or simply ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import ProgressManager
from headway.core.host import process_started
from headway.model.task import Task
from tests.helpers import eventually
from tests.integration.worker_process import WorkerProcess

RUNNER = """
def main():
    kind, folder, grace_s = sys.argv[2], sys.argv[3], float(sys.argv[4])
    manager = new_manager()
    runner = LocalRunner(manager, 1, kind, grace_s=grace_s)
    say(runner.submit(work.wait_for, folder))
    while not os.path.exists(folder + "/begun-1"):
        time.sleep(0.01)
    say(runner.submit(work.own_result))
    hear()

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tasks.db"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    (folder / "go").touch()


@pytest.fixture
def manager(store: str) -> Iterator[ProgressManager]:
    with ProgressManager(store=store, lease_s=1) as manager:
        manager.subscribe(lambda tasks: None, lambda: None)
        yield manager


def ended(manager: ProgressManager, task_id: str) -> Task:
    task = eventually(lambda: (task := manager.get_task(task_id)).has_ended and task, saying="the task has ended")
    assert isinstance(task, Task)
    return task


def code(task: Task) -> str | None:
    return task.error.code if task.error else None


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_sigterm_gives_running_tasks_their_grace_time_and_interrupts_what_is_left(
    manager: ProgressManager, store: str, folder: Path, kind: str
) -> None:
    with WorkerProcess(RUNNER, store, kind, folder, 0.1) as process:
        running, waiting = process.heard(), process.heard()
        child = int((folder / "begun-1").read_text())

        process.signal(signal.SIGTERM)

        assert process.wait() == -signal.SIGTERM, "it ends as the signal would have ended it"
    for task_id in (running, waiting):
        task = manager.get_task(task_id)
        assert (task.state, code(task)) == ("failed", "interrupted")
    eventually(lambda: process_started(child) is None, saying="no worker process is left")


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_work_that_finishes_within_the_grace_time_is_completed(
    manager: ProgressManager, store: str, folder: Path, kind: str
) -> None:
    with WorkerProcess(RUNNER, store, kind, folder, 20) as process:
        running, waiting = process.heard(), process.heard()
        process.signal(signal.SIGTERM)
        assert code(ended(manager, waiting)) == "interrupted"
        assert manager.get_task(running).state == "running"

        (folder / "go").touch()

        assert process.wait() == -signal.SIGTERM
    assert manager.get_task(running).result == "gone on"


def test_sigterm_to_the_whole_group_leaves_the_grace_time_to_worker_processes(
    manager: ProgressManager, store: str, folder: Path
) -> None:
    """As a service manager stops a service: everyone gets the signal."""
    with WorkerProcess(RUNNER, store, "process", folder, 20) as process:
        running, waiting = process.heard(), process.heard()
        os.killpg(process.pid, signal.SIGTERM)
        ended(manager, waiting)

        (folder / "go").touch()

        assert process.wait() == -signal.SIGTERM
    assert manager.get_task(running).state == "completed"


def test_all_runners_of_a_process_share_the_grace_time(manager: ProgressManager, store: str, folder: Path) -> None:
    program = """
manager = new_manager()
runners = [LocalRunner(manager, 1, name=f"r{n}", grace_s=0.1) for n in range(3)]
for n, runner in enumerate(runners):
    os.mkdir(f"{sys.argv[2]}/{n}")
    task_id = runner.submit(work.wait_for, f"{sys.argv[2]}/{n}")
    while not os.path.exists(f"{sys.argv[2]}/{n}/begun-1"):
        time.sleep(0.01)
    say(task_id)
hear()
"""
    with WorkerProcess(program, store, folder) as process:
        tasks = [process.heard() for _ in range(3)]

        process.signal(signal.SIGTERM)

        assert process.wait() == -signal.SIGTERM
    assert {code(manager.get_task(task_id)) for task_id in tasks} == {"interrupted"}


def test_a_handler_of_the_programs_own_is_left_alone(manager: ProgressManager, store: str, folder: Path) -> None:
    program = """
heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append("mine"))
with new_manager() as manager, LocalRunner(manager, 1) as runner:
    say(runner.submit(work.wait_for, sys.argv[2]))
    while not heard:  # Not in a read: a signal that comes just before one is handled only after it.
        time.sleep(0.01)
    say(*heard)
    hear()
    open(sys.argv[2] + "/go", "w").close()
    runner.wait()
"""
    with WorkerProcess(program, store, folder) as process:
        task_id = process.heard()
        process.signal(signal.SIGTERM)
        assert process.heard() == "mine"
        process.tell()
        assert process.wait() == 0
    assert manager.get_task(task_id).state == "completed"


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_at_the_end_of_the_program_the_same_happens(
    manager: ProgressManager, store: str, folder: Path, kind: str
) -> None:
    with WorkerProcess(RUNNER, store, kind, folder, 0.1) as process:
        running, waiting = process.heard(), process.heard()

        process.tell()

        assert process.wait() == 0
    assert [code(manager.get_task(task_id)) for task_id in (running, waiting)] == ["interrupted"] * 2


def test_a_worker_process_outlives_its_killed_parent_and_finishes_its_task(
    manager: ProgressManager, store: str, folder: Path
) -> None:
    with WorkerProcess(RUNNER, store, "process", folder, 5) as process:
        running, waiting = process.heard(), process.heard()
        child = int((folder / "begun-1").read_text())

        process.kill()

        assert code(ended(manager, waiting)) == "worker_lost", "it waited in the dead process"
        assert manager.get_task(running).worker == "alive"
        (folder / "go").touch()
        assert ended(manager, running).result == "gone on"
        eventually(lambda: process_started(child) is None, saying="then the worker process ends")


def test_an_orphaned_worker_process_heeds_sigterm(manager: ProgressManager, store: str, folder: Path) -> None:
    with WorkerProcess(RUNNER, store, "process", folder, 5) as process:
        running, _ = process.heard(), process.heard()
        child = int((folder / "begun-1").read_text())
        process.kill()

        os.kill(child, signal.SIGTERM)

        assert code(ended(manager, running)) == "interrupted"


def test_the_tasks_of_a_killed_process_of_threads_are_lost(manager: ProgressManager, store: str, folder: Path) -> None:
    with WorkerProcess(RUNNER, store, "thread", folder, 5) as process:
        tasks = [process.heard(), process.heard()]

        process.kill()

        assert {code(ended(manager, task_id)) for task_id in tasks} == {"worker_lost"}


def test_a_paused_worker_process_is_silent_and_can_be_ended_by_force(
    manager: ProgressManager, store: str, folder: Path
) -> None:
    program = """
def main():
    with new_manager() as manager, LocalRunner(manager, 1, "process") as runner:
        manager.subscribe(lambda tasks: None, lambda: None)
        task_id = runner.submit(work.never_heed, sys.argv[2])
        say(task_id)
        hear()
        manager.cancel_task(task_id, force=True)
        runner.wait()
        say(manager.get_task(task_id).state)

if __name__ == "__main__":
    main()
"""
    with WorkerProcess(program, store, folder) as process:
        task_id = process.heard()
        eventually(lambda: (folder / "begun-1").exists())
        os.kill(int((folder / "begun-1").read_text()), signal.SIGSTOP)
        eventually(lambda: manager.get_task(task_id).worker == "silent", saying="the worker is silent")

        process.tell()

        assert process.heard() == "cancelled"
        assert process.wait() == 0


def test_a_forked_process_runs_tasks_with_workers_of_its_own(
    manager: ProgressManager, store: str, folder: Path
) -> None:
    """As a server that forks after it has loaded the application."""
    program = """
manager = new_manager()
runner = LocalRunner(manager, 1)
runner.submit(work.own_result)
runner.wait()
pid = os.fork()
if pid == 0:
    say(runner.submit(work.own_result))
    runner.wait(20)
    manager.close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
say(runner.submit(work.own_result))
runner.wait(20)
"""
    with WorkerProcess(program, store, folder) as process:
        tasks = [process.heard(), process.heard()]
        assert process.wait() == 0
    assert {manager.get_task(task_id).result for task_id in tasks} == {"set"}

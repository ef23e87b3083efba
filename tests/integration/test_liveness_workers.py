"""Workers that die, freeze, wake and fall silent: real processes, real signals, and one who watches."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from headway import ProgressManager
from headway.core.host import process_started
from headway.model.task import Task
from tests.helpers import eventually
from tests.integration.worker_process import WorkerProcess

WORKER = """
with new_manager() as manager, manager.task("work", total=100) as task:
    task.update(completed=40)
    manager.get_task(task.task_id)
    say(task.task_id)
    while (line := hear()) != "finish":
        task.advance()
"""

PLAIN = """
manager = new_manager()
task_id = manager.create_task()
manager.update_progress(task_id, 40)
manager.get_task(task_id)
say(task_id)
hear()
"""


class Watcher:
    """A manager that watches, as a server does, and remembers all it was told."""

    def __init__(self, store: str) -> None:
        self.manager = ProgressManager(store=store, lease_s=1)
        self.told: list[Task] = []
        self.manager.subscribe(self._take, lambda: None)

    def _take(self, tasks: Sequence[Task]) -> None:
        self.told += tasks

    def states_of(self, task_id: str) -> set[str]:
        return {task.state for task in list(self.told) if task.task_id == task_id}

    def get(self, task_id: str) -> Task:
        return self.manager.get_task(task_id)

    def until(self, task_id: str, *, state: str | None = None, worker: str | None = None) -> Task:
        def reached() -> Task | None:
            task = self.get(task_id)
            return task if state in (None, task.state) and worker in (None, task.worker) else None

        task = eventually(reached, saying=f"the task is {state or worker}")
        assert task is not None
        return task


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tasks.db"


@pytest.fixture
def watcher(store: str) -> Iterator[Watcher]:
    watcher = Watcher(store)
    with watcher.manager:
        yield watcher


def is_lost(task: Task) -> bool:
    return task.state == "failed" and task.error is not None and task.error.code == "worker_lost"


@pytest.mark.parametrize("program", [WORKER, PLAIN], ids=["reporter", "plain calls"])
def test_a_killed_workers_task_has_failed_for_who_only_reads(store: str, program: str) -> None:
    with WorkerProcess(program, store) as worker:
        task_id = worker.heard()
        worker.kill()

        with ProgressManager(store=store) as manager:
            assert is_lost(manager.get_task(task_id))
            assert is_lost(next(iter(manager.list_tasks(state="failed"))))


@pytest.mark.parametrize("program", [WORKER, PLAIN], ids=["reporter", "plain calls"])
def test_a_killed_workers_task_has_failed_as_lost(watcher: Watcher, store: str, program: str) -> None:
    with WorkerProcess(program, store) as worker:
        task_id = worker.heard()
        watcher.until(task_id, worker="alive")

        worker.kill()

        task = watcher.until(task_id, state="failed")
    assert is_lost(task)
    assert (task.progress, task.worker) == (40, None)


def test_a_script_that_ends_without_ending_its_task_has_lost_it(watcher: Watcher, store: str) -> None:
    with WorkerProcess(PLAIN, store) as worker:
        task_id = worker.heard()
        worker.tell()
        assert worker.wait() == 0

        assert is_lost(watcher.until(task_id, state="failed"))


def test_a_worker_that_was_killed_while_nobody_watched_is_found_at_the_next_start(store: str) -> None:
    with WorkerProcess(WORKER, store) as worker:
        task_id = worker.heard()
        worker.kill()
    with ProgressManager(store=store) as reader:
        assert reader.store.get(task_id).state == "running", "nobody has looked yet"

    restarted = Watcher(store)
    with restarted.manager:
        assert is_lost(restarted.until(task_id, state="failed"))


def test_a_worker_that_was_asked_to_stop_and_killed_leaves_a_cancelled_task_that_says_so(
    watcher: Watcher, store: str
) -> None:
    with WorkerProcess(WORKER, store) as worker:
        task_id = worker.heard()
        watcher.manager.cancel_task(task_id, "enough")
        assert watcher.get(task_id).state == "cancelling"

        worker.kill()

        task = watcher.until(task_id, state="cancelled")
    assert task.message == "asked to stop; the worker process has ended without finishing the task"
    assert task.cancel_reason == "enough"


def test_a_paused_worker_is_silent_not_lost_and_goes_on_when_it_wakes(watcher: Watcher, store: str) -> None:
    with WorkerProcess(WORKER, store) as worker:
        task_id = worker.heard()
        worker.signal(signal.SIGSTOP)

        silent = watcher.until(task_id, worker="silent")
        assert silent.state == "running"
        worker.signal(signal.SIGCONT)
        watcher.until(task_id, worker="alive")
        worker.tell("finish")

        assert worker.wait() == 0
        assert watcher.until(task_id, state="completed").worker is None
    # The store was asked; what it tells by itself may still be on its way.
    eventually(lambda: watcher.states_of(task_id) >= {"completed"})
    assert watcher.states_of(task_id) == {"running", "completed"}


def test_a_paused_worker_learns_of_a_cancel_when_it_wakes(watcher: Watcher, store: str) -> None:
    with WorkerProcess(WORKER, store) as worker:
        task_id = worker.heard()
        worker.signal(signal.SIGSTOP)
        watcher.manager.cancel_task(task_id)
        task = watcher.until(task_id, worker="silent")
        assert task.state == "cancelling"

        worker.signal(signal.SIGCONT)
        watcher.until(task_id, worker="alive")
        worker.tell("go on")

        assert watcher.until(task_id, state="cancelled").message == ""


def test_a_worker_whose_thread_holds_the_interpreter_is_never_taken_for_dead(watcher: Watcher, store: str) -> None:
    """No heartbeat thread runs while one regular expression takes its time; no other thread does."""
    program = """
import re
with new_manager(lease_s=0.3) as manager, manager.task("work") as task:
    task.update(10)
    manager.get_task(task.task_id)
    say(task.task_id)
    started = time.monotonic()
    n = 18
    while time.monotonic() - started < 0.6:
        started = time.monotonic()
        re.match(r"(a+)+$", "a" * n + "b")
        n += 1
"""
    with WorkerProcess(program, store) as worker:
        task_id = worker.heard()

        assert worker.wait(60) == 0

    assert watcher.get(task_id).state == "completed"
    told = {(task.state, task.worker) for task in watcher.told if task.task_id == task_id}
    assert told <= {("running", "alive"), ("running", "silent"), ("completed", None)}


def test_a_quiet_worker_is_not_a_silent_one(watcher: Watcher, store: str) -> None:
    """It reports nothing for longer than a lease; its process shows that it lives."""
    with WorkerProcess(WORKER, store) as worker, WorkerProcess(WORKER, store) as paused:
        task_id, other = worker.heard(), paused.heard()
        rev = watcher.get(task_id).rev
        paused.signal(signal.SIGSTOP)
        watcher.until(other, worker="silent")  # By then the quiet one would be silent too.

        assert watcher.get(task_id).rev == rev


def test_a_cancel_from_another_process_reaches_the_work(watcher: Watcher, store: str) -> None:
    program = """
with new_manager() as manager:
    try:
        with manager.task("work") as task:
            say(task.task_id)
            while True:
                task.advance()
                time.sleep(0.005)
    except TaskCancelled as error:
        say("asked", error.reason)
"""
    with WorkerProcess(program, store) as worker:
        task_id = worker.heard()

        assert watcher.manager.cancel_task(task_id, "by another process")

        assert worker.heard() == "asked by another process"
        assert worker.wait() == 0
    assert watcher.get(task_id).state == "cancelled"


def test_an_end_by_another_process_is_known_to_plain_calls(watcher: Watcher, store: str) -> None:
    program = """
with new_manager() as manager:
    task_id = manager.create_task()
    say(task_id)
    while manager.update_progress(task_id, advance=1) and not manager.is_cancelled(task_id):
        time.sleep(0.005)
    say(manager.is_cancelled(task_id), manager.update_progress(task_id, 90))
"""
    with WorkerProcess(program, store) as worker:
        task_id = worker.heard()
        watcher.until(task_id, state="running")

        watcher.manager.cancel_task(task_id)

        assert worker.heard() == "True False"
    assert watcher.get(task_id).state == "cancelled"


def test_of_two_processes_that_race_to_finish_and_to_cancel_one_wins(store: str) -> None:
    racer = """
manager = new_manager()
say("ready")
for line in sys.stdin:
    task_id, start = line.split()
    while time.time() < float(start):
        pass
    say(manager.complete_task(task_id, result="done") if sys.argv[2] == "finish" else manager.cancel_task(task_id))
"""
    with (
        ProgressManager(store=store) as manager,
        WorkerProcess(racer, store, "finish") as finisher,
        WorkerProcess(racer, store, "cancel") as canceller,
    ):
        assert finisher.heard() == canceller.heard() == "ready"
        winners = set()
        for _ in range(30):
            task_id = manager.create_task()
            manager.update_progress(task_id, 50)
            start = manager.get_task(task_id).server_time
            assert start is not None
            for racing in (finisher, canceller):
                racing.tell(f"{task_id} {start + 0.01}")
            finished, cancelled = finisher.heard() == "True", canceller.heard() == "True"

            task = manager.get_task(task_id)
            assert finished != cancelled, "exactly one of them was told that it won"
            assert task.state == ("completed" if finished else "cancelled")
            assert task.result == ("done" if finished else None)
            winners.add(task.state)
    assert winners <= {"completed", "cancelled"}


def test_a_process_with_the_pid_of_a_dead_worker_does_not_keep_its_tasks_alive(watcher: Watcher, store: str) -> None:
    """The pid is in use, by another process than the one that held the lease."""
    with contextlib.ExitStack() as processes:
        worker = processes.enter_context(WorkerProcess(WORKER, store))
        task_id = worker.heard()
        stranger = processes.enter_context(WorkerProcess(PLAIN, store))  # Later, so that it began at another tick.
        stranger.heard()
        lease_id = watcher.get(task_id).holder
        worker.signal(signal.SIGSTOP)  # So that it does not renew its lease meanwhile.
        lease = next(lease for lease in watcher.manager.store.leases() if lease.lease_id == lease_id)

        watcher.manager.store.drop_lease(lease.lease_id)
        watcher.manager.store.renew(replace(lease, pid=stranger.pid))

        assert is_lost(watcher.until(task_id, state="failed"))
        assert process_started(stranger.pid) is not None

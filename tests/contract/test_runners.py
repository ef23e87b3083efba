"""One body for all local runners: threads, processes, and processes with a store in memory."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from headway import InvalidValue, NotRetryable, ProgressManager, QueueFull, StoreUnavailable, TaskExists
from headway.core.host import process_started
from headway.model.task import Task
from headway.runners import LocalRunner
from tests.contract import work
from tests.helpers import eventually

Kind = Literal["thread", "process"]
KINDS: dict[str, tuple[Kind, str]] = {
    "thread": ("thread", "sqlite:///{}/tasks.db"),
    "process": ("process", "sqlite:///{}/tasks.db"),
    "process, memory": ("process", "memory://"),
}


class Bench:
    """A runner and its manager, and short words for what the tests wait for."""

    def __init__(self, kind: Kind, manager: ProgressManager, folder: Path) -> None:
        self.kind: Kind = kind
        self.manager = manager
        self.folder = folder
        self.runner = self.another()
        self.submit = self.runner.submit

    def another(self, **options: object) -> LocalRunner:
        return LocalRunner(self.manager, **({"workers": 2, "kind": self.kind, "grace_s": 0.2} | options))  # type: ignore[arg-type]

    def ended(self, task_id: str, attempt: int = 1) -> Task:
        def final() -> Task | None:
            task = self.manager.get_task(task_id)
            return task if task.has_ended and task.attempt == attempt else None

        task = eventually(final, saying="the task has ended")
        assert task is not None
        return task

    def begun(self, folder: Path | None = None, attempt: int = 1) -> str:
        """Until the work has begun; what it wrote then."""
        mark = (folder or self.folder) / f"begun-{attempt}"
        # Where it runs in a process it writes who it is: the file is there a moment before that is in it.
        says_who = self.kind == "process"
        eventually(lambda: mark.exists() and (mark.read_text() or not says_who), saying="the work has begun")
        return mark.read_text()

    def go(self, folder: Path | None = None) -> None:
        ((folder or self.folder) / "go").touch()


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    kind, url = KINDS[request.param]
    folder = tmp_path / "work"
    folder.mkdir()
    with ProgressManager(store=url.format(tmp_path), lease_s=1) as manager:
        bench = Bench(kind, manager, folder)
        with bench.runner:
            yield bench
            bench.go()  # Whatever a failed test has left hanging.


def only(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", kinds, indirect=True)


in_processes = only("process", "process, memory")
in_threads = only("thread")
where_tasks_outlive_their_process = only("thread", "process")


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_work_gets_its_arguments_and_what_it_returns_is_the_result(bench: Bench) -> None:
    task_id = bench.submit(work.add, 1, other=2, name="sum", owner="anna", stages=["one", "two"])

    task = bench.ended(task_id)

    assert (task.state, task.name, task.owner, task.attempt) == ("completed", "sum", "anna", 1)
    assert [stage.name for stage in task.stages or ()] == ["one", "two"]
    assert task.result["sum"] == 3
    assert (task.result["pid"] == os.getpid()) == (bench.kind == "thread")


def test_progress_and_log_arrive_whole(bench: Bench) -> None:
    task_id = bench.submit(work.count, 500)

    task = bench.ended(task_id)

    assert (task.completed, task.total, task.result) == (500, 500, None)
    assert [line.text for line in bench.manager.read_log(task_id).lines] == [f"line {n}" for n in range(500)]


def test_a_result_may_be_set_instead_of_returned(bench: Bench) -> None:
    assert bench.ended(bench.submit(work.own_result)).result == "set"


def test_failures_say_their_code_and_the_workers_go_on(bench: Bench) -> None:
    submitted = {
        "refused": bench.submit(work.refuse),
        "zero_division_error": bench.submit(work.break_down),
        "interrupted": bench.submit(work.leave),
        "invalid_request": bench.submit(work.no_json),
    }
    told = {code: bench.ended(task_id) for code, task_id in submitted.items()}

    assert {code: task.state for code, task in told.items()} == dict.fromkeys(submitted, "failed")
    assert {code: task.error.code for code, task in told.items() if task.error} == {code: code for code in submitted}
    assert told["refused"].progress == 30
    for _ in range(3):
        assert bench.ended(bench.submit(work.own_result)).state == "completed"


def test_no_more_run_at_once_than_there_are_workers(bench: Bench) -> None:
    folders = [bench.folder / str(n) for n in range(3)]
    for folder in folders:
        folder.mkdir()
    tasks = [bench.submit(work.wait_for, str(folder)) for folder in folders]
    for folder in folders[:2]:
        bench.begun(folder)

    waiting = bench.manager.get_task(tasks[2])
    assert waiting.state == "pending"
    assert waiting.holder is not None, "it is held by the process that has queued it"
    assert not bench.runner.wait(0.05)
    for folder in folders:
        bench.go(folder)
    assert {bench.ended(task_id).result for task_id in tasks} == {"gone on"}
    assert bench.runner.wait(20)


def test_a_full_queue_refuses_and_creates_nothing(bench: Bench) -> None:
    with bench.another(workers=1, queue_size=2, name="small") as small:
        small.submit(work.wait_for, str(bench.folder))
        bench.begun()
        for _ in range(2):
            small.submit(work.own_result)

        with pytest.raises(QueueFull, match="2 tasks wait already"):
            small.submit(work.own_result)

        assert len(bench.manager.list_tasks()) == 3
        bench.go()
        assert small.wait(20)
        small.submit(work.own_result)
        assert small.wait(20)


def test_what_cant_be_run_creates_nothing(bench: Bench) -> None:
    refused: list[Callable[[], object]] = [
        lambda: bench.submit("tests.contract.work:add"),  # type: ignore[arg-type]
        lambda: bench.submit(work.own_result, name=5),  # type: ignore[arg-type]
        lambda: bench.submit(work.own_result, task_id="short"),
        lambda: bench.submit(work.own_result, stages=["failed"]),
    ]
    if bench.kind == "process":
        refused.append(lambda: bench.submit(lambda task: None))
        refused.append(lambda: bench.submit(work.take, threading.Lock()))
    for submit in refused:
        with pytest.raises(InvalidValue):
            submit()

    bench.submit(work.own_result, task_id="a-long-id-of-my-own-that-is-taken")
    with pytest.raises(TaskExists):
        bench.submit(work.own_result, task_id="a-long-id-of-my-own-that-is-taken")
    assert len(bench.manager.list_tasks()) == 1


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_that_waits_is_cancelled_at_once_and_never_runs(bench: Bench) -> None:
    with bench.another(workers=1, name="single") as single:
        single.submit(work.wait_for, str(bench.folder))
        bench.begun()
        mine = bench.folder / "never"
        mine.mkdir()
        task_id = single.submit(work.wait_for, str(mine))

        assert bench.manager.cancel_task(task_id, "not needed")

        task = bench.manager.get_task(task_id)
        assert (task.state, task.cancel_reason, task.started_at) == ("cancelled", "not needed", None)
        bench.go()
        assert single.wait(20)
        assert list(mine.iterdir()) == []


def test_running_work_is_asked_stops_and_may_tidy_up(bench: Bench) -> None:
    task_id = bench.submit(work.tidy_up, str(bench.folder))
    bench.begun()

    assert bench.manager.cancel_task(task_id)

    assert bench.manager.get_task(task_id).state in ("cancelling", "cancelled")
    assert bench.ended(task_id).state == "cancelled"
    assert (bench.folder / "tidied").exists()
    assert [line.text for line in bench.manager.read_log(task_id).lines] == ["tidying up"]


def test_work_that_swallows_every_exception_stops_all_the_same(bench: Bench) -> None:
    task_id = bench.submit(work.swallow, str(bench.folder))
    eventually(lambda: (bench.folder / "begun-1").exists())

    bench.manager.cancel_task(task_id)

    assert bench.ended(task_id).state == "cancelled"


def test_work_that_never_looks_stays_cancelling_until_it_returns(bench: Bench) -> None:
    task_id = bench.submit(work.never_heed, str(bench.folder))
    bench.begun()

    bench.manager.cancel_task(task_id)
    assert bench.manager.get_task(task_id).state == "cancelling"
    bench.go()

    task = bench.ended(task_id)
    assert (task.state, task.result) == ("completed", "gone on")
    assert task.cancel_requested_at is not None


@in_processes
def test_a_worker_that_never_looks_can_be_ended_by_force_and_the_message_says_so(bench: Bench) -> None:
    other = bench.folder / "other"
    other.mkdir()
    task_id = bench.submit(work.never_heed, str(bench.folder))
    pid = int(bench.begun())
    unharmed = bench.submit(work.wait_for, str(other))
    bench.begun(other)
    bench.manager.cancel_task(task_id)
    assert bench.manager.get_task(task_id).state == "cancelling"

    assert bench.manager.cancel_task(task_id, force=True)

    task = bench.ended(task_id)
    assert task.state == "cancelled"
    assert "ended by" in task.message
    assert task.message.startswith("asked to stop; ")
    eventually(lambda: process_started(pid) is None, saying="the worker process has ended")
    bench.go(other)
    assert bench.ended(unharmed).state == "completed"
    assert bench.ended(bench.submit(work.own_result)).state == "completed"


@in_threads
def test_a_thread_cant_be_ended_by_force_and_the_task_does_not_claim_it(bench: Bench) -> None:
    task_id = bench.submit(work.never_heed, str(bench.folder))
    bench.begun()

    assert bench.manager.cancel_task(task_id, force=True)

    assert bench.manager.get_task(task_id).state == "cancelling"
    bench.go()
    assert bench.ended(task_id).state == "completed"


# ── retrying ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_runs_the_work_again_as_the_next_attempt(bench: Bench) -> None:
    task_id = bench.submit(work.fail_once)
    failed = bench.ended(task_id)
    assert bench.manager.can_retry(failed)

    assert bench.manager.retry_task(task_id)

    task = bench.ended(task_id, attempt=2)
    assert (task.state, task.result, task.error) == ("completed", "second time", None)
    assert not bench.manager.can_retry(task)
    with pytest.raises(NotRetryable):
        bench.manager.retry_task(task_id)


def test_a_task_that_runs_cant_be_retried(bench: Bench) -> None:
    task_id = bench.submit(work.wait_for, str(bench.folder))
    bench.begun()

    with pytest.raises(NotRetryable):
        bench.manager.retry_task(task_id)
    bench.go()
    assert bench.ended(task_id).attempt == 1


def test_a_cancelled_task_can_be_retried(bench: Bench) -> None:
    task_id = bench.submit(work.wait_for, str(bench.folder))
    bench.begun()
    bench.manager.cancel_task(task_id)
    bench.ended(task_id)

    bench.manager.retry_task(task_id)
    bench.begun(attempt=2)
    bench.go()

    task = bench.ended(task_id, attempt=2)
    assert (task.state, task.cancel_requested_at, task.cancel_reason) == ("completed", None, None)


@where_tasks_outlive_their_process
def test_after_a_restart_a_job_of_plain_json_can_be_retried(bench: Bench) -> None:
    assert bench.manager.store.url is not None
    task_id = bench.submit(work.fail_once)
    bench.ended(task_id)
    with_a_path = bench.submit(work.wait_for, str(bench.folder))
    bench.begun()
    bench.manager.cancel_task(with_a_path)
    bench.ended(with_a_path)

    with (
        ProgressManager(store=bench.manager.store.url) as restarted,
        LocalRunner(restarted, 1, bench.kind) as runner,
    ):
        assert restarted.retry_task(task_id)
        assert runner.wait(20)
        assert restarted.get_task(task_id).result == "second time"


@where_tasks_outlive_their_process
def test_after_a_restart_a_job_that_is_no_json_cant_be_retried(bench: Bench) -> None:
    assert bench.manager.store.url is not None
    task_id = bench.submit(work.refuse_all_of, {1, 2})
    assert bench.manager.can_retry(bench.ended(task_id)), "this process still has it"

    with ProgressManager(store=bench.manager.store.url) as restarted, LocalRunner(restarted, 1, bench.kind):
        assert not restarted.can_retry(restarted.get_task(task_id))
        with pytest.raises(NotRetryable):
            restarted.retry_task(task_id)


def test_a_retry_that_finds_no_room_fails_the_attempt_and_says_why(bench: Bench) -> None:
    with bench.another(workers=1, queue_size=1, name="small") as small:
        task_id = small.submit(work.refuse)
        bench.ended(task_id)
        small.submit(work.wait_for, str(bench.folder))
        bench.begun()
        small.submit(work.own_result)

        with pytest.raises(QueueFull):
            bench.manager.retry_task(task_id)

        task = bench.manager.get_task(task_id)
        assert task.error is not None
        assert (task.state, task.attempt, task.error.code) == ("failed", 2, "queue_full")
        bench.go()
        assert small.wait(20)
        assert bench.manager.retry_task(task_id), "later it may"
        bench.ended(task_id, attempt=3)


def test_tasks_submitted_by_many_threads_all_run(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(lambda n: bench.submit(work.add, n, other=0), range(24)))

    assert [bench.ended(task_id).result["sum"] for task_id in tasks] == list(range(24))


# ── workers that die ─────────────────────────────────────────────────────────────────────────────────────────────


@in_processes
def test_a_killed_worker_fails_its_task_as_lost_and_another_takes_its_place(bench: Bench) -> None:
    task_id = bench.submit(work.never_heed, str(bench.folder))
    os.kill(int(bench.begun()), signal.SIGKILL)

    task = bench.ended(task_id)

    assert task.error is not None
    assert (task.state, task.error.code) == ("failed", "worker_lost")
    assert "SIGKILL" in task.error.message
    assert bench.ended(bench.submit(work.own_result)).state == "completed"


@in_processes
def test_a_worker_that_dies_of_itself_can_be_retried(bench: Bench) -> None:
    task_id = bench.submit(work.die_once)
    lost = bench.ended(task_id)
    assert lost.error is not None
    assert (lost.error.code, "code 7" in lost.error.message) == ("worker_lost", True)

    bench.manager.retry_task(task_id)

    assert bench.ended(task_id, attempt=2).result == "second time"


@in_processes
def test_a_dead_worker_is_noticed_though_a_process_that_it_forked_lives_on(bench: Bench) -> None:
    task = bench.ended(bench.submit(work.leave_a_child_behind, str(bench.folder)))

    assert task.error is not None
    assert task.error.code == "worker_lost"


@in_processes
def test_a_worker_that_was_asked_to_stop_and_killed_leaves_a_cancelled_task(bench: Bench) -> None:
    task_id = bench.submit(work.never_heed, str(bench.folder))
    pid = int(bench.begun())
    bench.manager.cancel_task(task_id)

    os.kill(pid, signal.SIGKILL)

    task = bench.ended(task_id)
    assert task.state == "cancelled"
    assert "SIGKILL" in task.message


@in_processes
def test_work_that_cant_be_loaded_fails_and_says_so(bench: Bench) -> None:
    task = bench.ended(bench.submit(work.take, work.Unloadable()))

    assert task.error is not None
    assert task.error.code == "not_loadable"


@in_processes
def test_work_that_computes_does_not_freeze_the_others(bench: Bench) -> None:
    computing = bench.folder / "computing"
    computing.mkdir()
    heavy = [bench.submit(work.compute, str(computing)), bench.submit(work.compute, str(computing))]
    eventually(lambda: (computing / "begun-1").exists())

    with LocalRunner(bench.manager, 1, "thread", name="light") as light:
        task_id = light.submit(work.count, 300)
        assert bench.ended(task_id).completed == 300
    assert {bench.manager.get_task(task_id).state for task_id in heavy} <= {"pending", "running"}

    bench.go(computing)
    assert {bench.ended(task_id).state for task_id in heavy} == {"completed"}


@in_processes
def test_a_program_that_the_work_runs_is_not_deaf_to_ctrl_c(bench: Bench) -> None:
    assert bench.ended(bench.submit(work.run_a_program)).result == "True\n"


# ── a store that is away ─────────────────────────────────────────────────────────────────────────────────────────


@in_threads
def test_work_waits_for_a_store_that_is_away_when_it_should_begin(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bench.manager.store
    away = []

    def swap(_: object) -> None:
        away.append(1)
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(store, "swap", swap)
    task_id = bench.submit(work.own_result)
    eventually(lambda: len(away) >= 1, saying="the store was tried")
    monkeypatch.undo()

    assert bench.ended(task_id).state == "completed"


# ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_closing_lets_running_work_finish_within_its_grace_time(bench: Bench) -> None:
    runner = bench.another(grace_s=20, name="patient")
    task_id = runner.submit(work.wait_for, str(bench.folder))
    bench.begun()
    bench.go()

    runner.close()

    assert bench.manager.get_task(task_id).state == "completed"


def test_what_is_not_finished_by_then_is_interrupted_and_what_waits_too(bench: Bench) -> None:
    runner = bench.another(workers=1, grace_s=0, name="hasty")
    running = runner.submit(work.wait_for, str(bench.folder))
    bench.begun()
    waiting = runner.submit(work.own_result)

    runner.close()

    for task_id in (running, waiting):
        task = bench.manager.get_task(task_id)
        assert task.error is not None
        assert (task.state, task.error.code) == ("failed", "interrupted")
    with pytest.raises(QueueFull, match="closing"):
        runner.submit(work.own_result)
    runner.close()
    assert len(bench.manager.list_tasks()) == 2


def test_a_task_that_was_asked_to_stop_and_did_not_by_then_is_cancelled(bench: Bench) -> None:
    runner = bench.another(workers=1, grace_s=0, name="hasty")
    task_id = runner.submit(work.never_heed, str(bench.folder))
    bench.begun()
    bench.manager.cancel_task(task_id)

    runner.close()

    task = bench.manager.get_task(task_id)
    assert task.state == "cancelled"
    assert "stopped before the task was finished" in task.message


def test_a_closed_runner_leaves_its_name_to_the_next(bench: Bench) -> None:
    with bench.another(name="worker"), pytest.raises(InvalidValue, match="unique"):
        bench.another(name="worker")
    with bench.another(name="worker") as again:
        task_id = again.submit(work.own_result)
        assert bench.ended(task_id).state == "completed"


@pytest.mark.parametrize(
    "wrong", [{"kind": "fibre"}, {"workers": 0}, {"workers": 1.5}, {"queue_size": 0}, {"grace_s": -1}, {"name": 5}]
)
def test_a_bad_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        LocalRunner(ProgressManager(store="memory://"), **wrong)  # type: ignore[arg-type]

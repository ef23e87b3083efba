"""One contract for the runners behind a broker, against real workers on a real Redis: Celery, RQ, Dramatiq."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headway import NotRetryable, ProgressManager, Task, TaskExists
from tests.contract.brokers import jobs
from tests.helpers import ServerProcess, eventually
from tests.redis_server import RedisServer

WORKERS = {
    "celery": [
        "-m", "celery", "-A", "tests.contract.brokers.on_celery", "worker",
        "--concurrency=2", "--loglevel=warning", "--without-gossip", "--without-mingle",
    ],
    "rq": ["-m", "rq.cli", "worker", "contract", "--quiet", "--url", "{broker}"],
    "dramatiq": ["-m", "dramatiq", "tests.contract.brokers.on_dramatiq", "--processes", "2", "--threads", "2"],
}  # fmt: skip

# Dramatiq ends when one of its processes was killed: it counts on a supervisor, as all workers should have.
ENDED = "supervisor: the workers have ended"
SUPERVISED = ("sh", "-c", f'while :; do "$@"; echo "{ENDED}"; done', "supervisor")


@dataclass
class Engine:
    """One queue with its workers, as the contract sees it."""

    name: str
    manager: ProgressManager
    module: Any  # Any: each engine's module has its own handles for the same jobs
    start_workers: Callable[[], ServerProcess]

    def submit(self, job: str, *args: object, **options: Any) -> str:
        if self.name == "rq":
            return str(self.module.runner.submit(getattr(jobs, job), *args, **options))
        handles = self.module.tasks if self.name == "celery" else self.module.actors
        return str(self.module.runner.submit(handles[job], *args, **options))

    def submit_limited(self) -> str:
        if self.name == "rq":
            return str(self.module.limited.submit(jobs.never_ends))
        return str(self.module.runner.submit(self.module.limited))

    def until(self, task_id: str, *states: str, attempt: int = 1) -> Task:
        def there() -> Task | None:
            task = self.manager.get_task(task_id)
            return task if task.state in states and task.attempt == attempt else None

        return eventually(there, timeout=30, saying=f"{task_id} is {' or '.join(states)} in attempt {attempt}")

    def worker_pid(self, task_id: str) -> int:
        return int(eventually(lambda: self.manager.get_task(task_id).message, timeout=30, saying="the worker's pid"))


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("brokers")).start()
    yield server
    server.kill()


@pytest.fixture(scope="module", params=sorted(WORKERS))
def idle_engine(request: pytest.FixtureRequest, redis: RedisServer) -> Iterator[Engine]:
    """Without workers: what is submitted waits."""
    name: str = request.param
    redis.flush()
    env = {"TEST_STORE": redis.url.replace("/0", "/1"), "TEST_BROKER": redis.url, "C_FORCE_ROOT": "1"}
    started: list[ServerProcess] = []
    with pytest.MonkeyPatch.context() as patch:
        for key, value in env.items():
            patch.setenv(key, value)
        module = importlib.import_module(f"tests.contract.brokers.on_{name}")

        def start_workers() -> ServerProcess:
            if not started:
                command = [part.replace("{broker}", redis.url) for part in WORKERS[name]]
                # Ready when they take work; there is no port to ask.
                process = ServerProcess(
                    *SUPERVISED, sys.executable, *command, env={**os.environ, **env}, cwd=Path.cwd()
                )
                started.append(process.start(wait=False))
            return started[0]

        # Who watches reaps: here the test, elsewhere a gateway.
        unwatch = module.manager.subscribe(lambda tasks: None, lambda: None)
        yield Engine(name, module.manager, module, start_workers)
        unwatch()
        for process in started:
            process.close()
        module.manager.close()
        sys.modules.pop(f"tests.contract.brokers.on_{name}")


@pytest.fixture
def engine(idle_engine: Engine) -> Engine:
    idle_engine.start_workers()
    return idle_engine


def test_what_is_cancelled_before_a_worker_takes_it_never_runs(idle_engine: Engine) -> None:
    waiting = idle_engine.submit("counts", 3)
    next_one = idle_engine.submit("counts", 1)

    assert idle_engine.manager.cancel_task(waiting, "changed my mind")
    idle_engine.start_workers()

    idle_engine.until(next_one, "completed")
    cancelled = idle_engine.manager.get_task(waiting)
    assert (cancelled.state, cancelled.cancel_reason, cancelled.log_count) == ("cancelled", "changed my mind", 0)


def test_a_job_shows_its_steps_its_log_and_its_result(engine: Engine) -> None:
    task_id = engine.submit("counts", 3, label="lines", name="Count", owner="ada")

    task = engine.until(task_id, "completed")

    assert (task.name, task.owner, task.progress) == ("Count", "ada", 100)
    assert [(stage.name, stage.state, stage.completed) for stage in task.stages or ()] == [("count", "completed", 3)]
    assert [line.text for line in engine.manager.read_log(task_id).lines] == ["lines 1", "lines 2", "lines 3"]
    assert (task.result["n"], task.result["label"]) == (3, "lines")
    assert task.result["pid"] != os.getpid()


def test_a_job_that_never_reports_is_seen_to_begin_and_to_end(engine: Engine) -> None:
    task = engine.until(engine.submit("says_nothing"), "completed")

    assert task.started_at is not None
    assert task.result is None


def test_a_failure_has_its_code_and_its_message(engine: Engine) -> None:
    task = engine.until(engine.submit("fails"), "failed")

    assert task.error is not None
    assert (task.error.code, task.error.message) == ("empty_file", "the file has no rows")


def test_a_running_job_shows_its_progress_and_its_message_is_asked_to_stop_and_confirms_it(engine: Engine) -> None:
    task_id = engine.submit("waits_for_cancel")
    assert engine.worker_pid(task_id) != os.getpid()  # Its message.
    running = engine.manager.get_task(task_id)
    assert (running.state, running.progress, running.worker) == ("running", 10, "alive")

    assert engine.manager.cancel_task(task_id, "enough")

    task = engine.until(task_id, "cancelled")
    assert (task.cancel_reason, task.progress) == ("enough", 10)


def test_a_retry_is_the_next_attempt_of_the_same_task(engine: Engine) -> None:
    task_id = engine.submit("fails_once")
    engine.until(task_id, "failed")

    assert engine.manager.retry_task(task_id)

    assert engine.until(task_id, "completed", attempt=2).result == "attempt 2"
    with pytest.raises(NotRetryable):
        engine.manager.retry_task(task_id)


@pytest.mark.parametrize("idle_engine", ["celery", "dramatiq"], indirect=True)
def test_what_the_queue_tries_again_by_itself_waits_as_the_next_attempt_and_is_never_shown_as_failed(
    engine: Engine,
) -> None:
    seen: list[tuple[str, str, int]] = []
    unwatch = engine.manager.subscribe(
        lambda tasks: seen.extend((task.task_id, task.state, task.attempt) for task in tasks), lambda: None
    )

    task_id = engine.module.runner.submit(engine.module.tries_again)

    assert engine.until(task_id, "completed", attempt=2).result == "attempt 2"
    assert "attempt 1 failed: no route" in [line.text for line in engine.manager.read_log(task_id).lines]
    assert (task_id, "pending", 2) in seen
    assert (task_id, "failed", 1) not in seen
    unwatch()


def test_a_killed_worker_is_told_as_lost(engine: Engine) -> None:
    workers = engine.start_workers()
    ended_before = workers.log.count(ENDED)
    task_id = engine.submit("heeds_nothing")

    os.kill(engine.worker_pid(task_id), signal.SIGKILL)

    task = engine.until(task_id, "failed")
    assert task.error is not None
    assert (task.error.code, task.progress) == ("worker_lost", 10)
    if engine.name == "dramatiq":
        # Its other process ends as well, and may still take the job of the next test, and leave it in the middle.
        eventually(lambda: workers.log.count(ENDED) > ended_before, timeout=60, saying="all workers have ended")


def test_a_job_over_its_hard_time_limit_has_failed(engine: Engine) -> None:
    task = engine.until(engine.submit_limited(), "failed")

    assert task.error is not None
    assert task.error.code in ("time_limit_exceeded", "job_timeout_exception")


def test_the_caller_may_choose_the_id_once(engine: Engine) -> None:
    chosen = f"chosen-by-the-caller-for-{engine.name}"

    assert engine.submit("says_nothing", task_id=chosen) == chosen

    with pytest.raises(TaskExists):
        engine.submit("says_nothing", task_id=chosen)
    engine.until(chosen, "completed")


only_celery = pytest.mark.parametrize("idle_engine", ["celery"], indirect=True)


@only_celery
def test_a_celery_task_with_our_base_class_is_seen_by_its_celery_id(engine: Engine) -> None:
    """As one writes it in an app that has Celery already: `base=HeadwayTask`, and `.delay()`."""
    sent = engine.module.plain.delay(4)

    task = engine.until(sent.id, "completed")

    assert (task.name, task.result, task.total) == ("plain", 4, 4)


@only_celery
def test_a_waiting_task_that_is_revoked_through_celery_is_cancelled(engine: Engine) -> None:
    busy = [engine.submit("waits_for_cancel") for _ in range(2)]
    for task_id in busy:
        engine.worker_pid(task_id)
    waiting = engine.submit("says_nothing")

    engine.module.app.control.revoke(waiting)
    for task_id in busy:
        engine.manager.cancel_task(task_id)

    assert engine.until(waiting, "cancelled").cancel_reason == "revoked"


@only_celery
def test_a_celery_task_that_is_replaced_by_a_chain_ends_with_the_chain(engine: Engine) -> None:
    sent = engine.module.hands_over.delay(4)

    task = engine.until(sent.id, "completed", attempt=2)

    assert task.result == 8


@only_celery
def test_what_celery_is_told_to_ignore_is_cancelled_and_what_is_rejected_has_failed(engine: Engine) -> None:
    ignored, rejected = engine.module.looks_away.delay(), engine.module.refuses.delay()

    engine.until(ignored.id, "cancelled")
    error = engine.until(rejected.id, "failed").error
    assert error is not None
    assert (error.code, error.message) == ("rejected", "not today")

"""A store that has lost its newest writes, as a fail-over of Redis may: who knows more writes it again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from headway import ProgressManager, Reporter
from headway.model.ports import Swap
from headway.model.replacing import replace
from headway.model.task import Task
from headway.stores.memory import MemoryStore


class Later:
    """The machine's clocks, ahead."""

    by_s = 0.0

    def time(self) -> float:
        return time.time() + self.by_s

    def monotonic(self) -> float:
        return time.monotonic()


class Forgetful(MemoryStore):
    """`fail_over` brings back what there was at `replicate`, a second later."""

    def __init__(self) -> None:
        self._later = Later()
        super().__init__(clock=self._later)

    def replicate(self) -> None:
        self._replicated = dict(self._tasks)

    def fail_over(self, *, is_told: bool = True) -> None:
        with self._lock:
            self._tasks = dict(self._replicated)
        self._later.by_s += 1.0
        if is_told:
            self.tell_of_it()

    def tell_of_it(self) -> None:
        self._subscribers.tell_reset()


@pytest.fixture
def store() -> Forgetful:
    return Forgetful()


@pytest.fixture
def manager(store: Forgetful) -> Iterator[ProgressManager]:
    with ProgressManager(store=store) as opened:
        yield opened


@pytest.fixture
def retried(manager: ProgressManager, store: Forgetful) -> Reporter:
    """Its first attempt has failed, and the store is sure of that alone; the second one has been seen at 30 %."""
    task_id = manager.create_task()
    manager.fail_task(task_id, "no route")
    store.replicate()
    second = manager.attach(task_id, again=True)
    second.update(30)
    assert manager.get_task(task_id).progress == 30
    return second


def seen(task: Task) -> tuple[int, str, float | None]:
    return task.attempt, task.state, task.progress


@pytest.mark.parametrize("is_told", [True, False])
def test_a_lost_retry_is_written_again_by_who_runs_it(
    manager: ProgressManager, store: Forgetful, retried: Reporter, is_told: bool
) -> None:
    rev = manager.get_task(retried.task_id).rev

    store.fail_over(is_told=is_told)
    assert retried.update(60)

    task = manager.get_task(retried.task_id)
    assert seen(task) == (2, "running", 60)
    assert task.rev > rev
    retried.__exit__(None, None, None)
    assert seen(manager.get_task(retried.task_id)) == (2, "completed", 100)


def test_a_lost_retry_is_written_again_although_its_work_is_quiet(
    manager: ProgressManager, store: Forgetful, retried: Reporter
) -> None:
    store.fail_over()

    assert seen(store.get(retried.task_id)) == (2, "running", 30)


def test_an_end_is_written_again_where_its_retry_was_lost_with_it(
    manager: ProgressManager, store: Forgetful, retried: Reporter
) -> None:
    retried.__exit__(None, None, None)

    store.fail_over()

    assert seen(store.get(retried.task_id)) == (2, "completed", 100)


def test_an_end_is_not_refused_where_the_retry_was_just_lost(
    manager: ProgressManager, store: Forgetful, retried: Reporter
) -> None:
    store.fail_over(is_told=False)

    retried.__exit__(None, None, None)

    assert seen(store.get(retried.task_id)) == (2, "completed", 100)


def test_a_task_that_was_lost_whole_is_gone(manager: ProgressManager, store: Forgetful) -> None:
    store.replicate()
    task = manager.task("work")

    store.fail_over()

    assert not task.update(10)


def test_a_result_follows_an_end_that_a_viewers_process_has_written_again_without_it(
    manager: ProgressManager, store: Forgetful
) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 30)
    manager.get_task(task_id)
    store.replicate()
    manager.complete_task(task_id, result="x" * 20_000)
    ended = manager.get_task(task_id)

    store.fail_over(is_told=False)
    stored = store.get(task_id)
    assert store.swap(Swap(stored, replace(ended, rev=stored.rev, has_large_result=False)))
    store.tell_of_it()

    assert manager.get_result(task_id) == "x" * 20_000
    assert seen(manager.get_task(task_id)) == (1, "completed", 100)

"""From a report to the store: at once when quiet, 20 times a second at most, and nothing lost on the way.

The clock stands still unless a test moves it, so that 'not yet' is certain and 'now' is waited for.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from types import FrameType

import pytest

from headway import ProgressManager, Reporter, StoreUnavailable, TaskNotFound
from headway.core.write_behind import WriteBehind
from headway.model.change import Change
from headway.model.ports import Swap
from headway.model.task import Task
from tests.helpers import eventually
from tests.unit.core.doubles import HandClock, WatchedStore


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> WatchedStore:
    return WatchedStore(clock=clock)


@pytest.fixture
def manager(store: WatchedStore, clock: HandClock) -> Iterator[ProgressManager]:
    with ProgressManager(store=store, clock=clock) as opened:
        yield opened


def stored(store: WatchedStore, task_id: str, number: int) -> Task:
    """The state that is stored as this number's one; 1 is the creation."""
    eventually(lambda: len(store.states_of(task_id)) >= number, saying=f"{number} states are stored")
    return store.states_of(task_id)[number - 1]


def settle(store: WatchedStore, clock: HandClock, manager: ProgressManager) -> None:
    """Let whatever the flusher wants to do at this moment happen: another task's first report goes through it."""
    probe = manager.create_task()
    manager.update_progress(probe, 1)
    stored(store, probe, 2)


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_report_after_a_quiet_time_is_stored_at_once(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task()

    manager.update_progress(task_id, 10)

    assert stored(store, task_id, 2).progress == 10


def test_what_follows_waits_50_ms_and_is_stored_as_one_change(
    manager: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = manager.create_task(total=1_000)
    manager.update_progress(task_id, advance=1)
    stored(store, task_id, 2)

    for n in range(100):
        manager.update_progress(task_id, advance=1, message=str(n))
    settle(store, clock, manager)
    assert len(store.states_of(task_id)) == 2
    clock.move(0.049)
    settle(store, clock, manager)
    assert len(store.states_of(task_id)) == 2
    clock.move(0.002)

    task = stored(store, task_id, 3)
    assert (task.completed, task.message) == (101, "99")


def test_a_busy_task_is_stored_20_times_a_second(
    manager: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = manager.create_task(total=10_000)
    for tick in range(20):
        for _ in range(5):
            manager.update_progress(task_id, advance=1)
        stored(store, task_id, tick + 2)
        manager.update_progress(task_id, advance=1)
        clock.move(0.0501)
    stored(store, task_id, 22)
    settle(store, clock, manager)

    assert len(store.states_of(task_id)) == 22, "creation, the first report, and 20 in this second"


def test_after_a_quiet_while_a_report_is_stored_at_once_again(
    manager: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 10)
    stored(store, task_id, 2)
    clock.move(0.06)
    settle(store, clock, manager)

    manager.update_progress(task_id, 20)

    assert stored(store, task_id, 3).progress == 20


REPORTS: dict[str, Callable[[Reporter], object]] = {
    "update": lambda task: task.update(10),
    "advance": lambda task: task.advance(),
    "log": lambda task: task.log("x"),
    "a turn of a loop": lambda task: list(task.track(iter([1]))),
    "a step": lambda task: task.step("load").__enter__(),
}


@pytest.mark.parametrize("report", REPORTS)
def test_whatever_a_reporter_says_after_a_quiet_time_is_stored_at_once(
    manager: ProgressManager, store: WatchedStore, clock: HandClock, report: str
) -> None:
    settle(store, clock, manager)  # The flusher's thread runs, and waits.
    task = manager.task()

    said = REPORTS[report](task)

    assert stored(store, task.task_id, 2)
    del said


@pytest.mark.parametrize(
    ("active", "seconds"), [(1, 0.05), (500, 0.05), (1_000, 0.1), (5_000, 0.5), (10_000, 1.0), (100_000, 1.0)]
)
def test_the_interval_stretches_with_the_number_of_active_tasks(active: int, seconds: float) -> None:
    assert WriteBehind._interval(active) == pytest.approx(seconds)


def test_get_task_stores_what_is_pending_first(manager: ProgressManager, store: WatchedStore, clock: HandClock) -> None:
    task_id = manager.create_task()
    for progress in range(1, 50):
        manager.update_progress(task_id, progress)
        assert manager.get_task(task_id).progress == progress
        manager.add_log(task_id, str(progress))
        assert manager.read_log(task_id).lines[-1].n == progress


def test_an_end_does_not_wait(manager: ProgressManager, store: WatchedStore, clock: HandClock) -> None:
    for end in (manager.complete_task, manager.cancel_task, lambda task_id: manager.fail_task(task_id, "x")):
        task_id = manager.create_task()
        manager.update_progress(task_id, 10)
        stored(store, task_id, 2)
        manager.update_progress(task_id, 20)

        end(task_id)

        final = store.states_of(task_id)[-1]
        assert final.has_ended
        assert final.progress in (20, 100)
        clock.move(0.06)
        settle(store, clock, manager)
        assert store.states_of(task_id)[-1] is final, "nothing follows"


def test_after_the_first_report_of_a_task_reporting_reads_nothing(
    manager: ProgressManager, store: WatchedStore
) -> None:
    with manager.task(total=500) as task:
        task.advance()
        settle(store, HandClock(), manager)
        reads = store.reads
        for _ in range(200):
            task.advance()
            task.update(message="x")
            task.log("line")
            task.raise_if_cancelled()
        assert store.reads == reads


# ── other writers ────────────────────────────────────────────────────────────────────────────────────────────────


def meanwhile(store: WatchedStore, change: dict[str, object]) -> None:
    """Another process writes between the reading and the writing of the next flush."""

    def write(swaps: Sequence[Swap]) -> None:
        task = WatchedStore.get(store, swaps[0].old.task_id)
        assert store.swap(Swap(task, replace(task, **change))) is not None  # type: ignore[arg-type]

    store.before_write = write


def test_a_change_is_applied_again_to_what_another_writer_has_stored(
    manager: ProgressManager, store: WatchedStore
) -> None:
    task_id = manager.create_task(total=10)
    meanwhile(store, {"completed": 5.0, "message": "theirs"})

    manager.update_progress(task_id, advance=2, details={"ours": 1})

    task = manager.get_task(task_id)
    assert (task.completed, task.message, task.details["ours"]) == (7, "theirs", 1)


def test_a_progress_behind_another_writers_does_not_lower_it(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task()
    meanwhile(store, {"progress": 80})

    manager.update_progress(task_id, 30)

    assert manager.get_task(task_id).progress == 80
    revs = [task.rev for task in store.states_of(task_id)]
    assert all(one < other for one, other in pairwise(revs))


def test_an_end_by_another_writer_wins_over_what_was_pending(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task()
    meanwhile(store, {"state": "completed", "progress": 100})

    manager.update_progress(task_id, 30)

    assert manager.get_task(task_id).state == "completed"
    assert not manager.update_progress(task_id, 40)


def test_of_two_ends_that_race_one_is_refused(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task()
    meanwhile(store, {"state": "cancelled"})

    assert not manager.complete_task(task_id)
    assert manager.get_task(task_id).state == "cancelled"


def test_what_was_ended_while_it_was_read_for_the_first_time_is_known_as_ended(store: WatchedStore) -> None:
    with ProgressManager(store=store) as manager:
        task_id = manager.create_task()
        read, get = threading.Event(), store.get

        def cancelled_after_reading(task_id: str) -> Task:
            task = get(task_id)
            if not read.is_set():
                read.set()
                assert store.swap(Swap(task, task.cancelling("meanwhile", 5.0))) is not None
            return task

        store.get = cancelled_after_reading  # type: ignore[method-assign]

        assert manager.is_cancelled(task_id)
        assert not manager.update_progress(task_id, 5)


# ── a store that fails ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_store_that_fails_and_heals_loses_nothing(
    manager: ProgressManager, store: WatchedStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with manager.task(total=1_000) as task:
        task.advance()
        stored(store, task.task_id, 2)
        store.fails = True
        for n in range(300):
            task.advance()
            task.update(message=f"message {n}", details={"n": n})
            task.log(f"line {n}")
        clock.move(0.06)
        eventually(lambda: "waits in memory" in caplog.text)
        task.advance(10)
        store.fails = False
        clock.move(0.6)

        eventually(lambda: store.get(task.task_id).completed == 311)
        now = store.get(task.task_id)
        assert (now.message, now.details["n"], now.progress) == ("message 299", 299, pytest.approx(31.1))
        lines = store.read_log(task.task_id).lines
        assert [(line.n, line.text) for line in lines] == [(n + 1, f"line {n}") for n in range(300)]


def test_what_is_stored_is_not_stored_again_where_another_task_can_t_be_read(
    manager: ProgressManager, store: WatchedStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced, other = manager.create_task(total=9), manager.create_task(total=9)
    for task_id in (raced, other):
        manager.update_progress(task_id, advance=1)
        stored(store, task_id, 2)
    get, refusals = store.get, [StoreUnavailable("busy")]

    def refusing(task_id: str) -> Task:
        if refusals and threading.current_thread() is flushing:
            raise refusals.pop()
        return get(task_id)

    def another_writer(swaps: Sequence[Swap]) -> None:
        nonlocal flushing
        assert [swap.old.task_id for swap in swaps] == [raced, other]
        old = get(raced)
        assert store.swap(Swap(old, replace(old, message="theirs")))
        flushing = threading.current_thread()

    flushing: threading.Thread | None = None
    monkeypatch.setattr(store, "get", refusing)
    for task_id in (raced, other):
        manager.update_progress(task_id, advance=1)
        manager.add_log(task_id, "a line")
    store.before_write = another_writer
    clock.move(0.06)
    eventually(lambda: not refusals)

    clock.move(1)
    settle(store, clock, manager)
    for task_id in (raced, other):
        eventually(lambda task_id=task_id: manager.get_task(task_id).log_count)
        assert (manager.get_task(task_id).completed, manager.get_task(task_id).log_count) == (2, 1)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there `with` itself lets a signal in before its block")
@pytest.mark.parametrize("what", ["report", "take"])
def test_ctrl_c_leaves_no_lock_held(manager: ProgressManager, store: WatchedStore, what: str) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 1)
    stored(store, task_id, 2)  # From now on nobody is woken: that waits for the clock.
    slot = manager._open().writes.slots.get(task_id)
    method = getattr(slot, what)
    arguments = (Change(at=1.0, progress=1.0),) if what == "report" else ()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code is method.__code__:
            raise KeyboardInterrupt

    interrupts = left_held = 0
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        while interrupts < 500:
            try:
                method(*arguments)
            except KeyboardInterrupt:
                interrupts += 1
            while slot.lock._is_owned():  # type: ignore[attr-defined]
                left_held += 1
                slot.lock.release()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert left_held == 0


def test_reporting_goes_on_while_the_store_is_down(manager: ProgressManager, store: WatchedStore) -> None:
    with manager.task() as task:
        store.fails = True
        assert task.update(10)
        task.advance()
        assert task.log("x")
        with pytest.raises(StoreUnavailable):
            manager.cancel_task(task.task_id)
        store.fails = False

    assert manager.get_task(task.task_id).state == "completed"


def test_what_was_pending_when_an_end_could_not_be_stored_is_stored_without_another_report(
    manager: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 10)
    stored(store, task_id, 2)
    manager.update_progress(task_id, 20)
    store.fails = True

    with pytest.raises(StoreUnavailable):
        manager.complete_task(task_id)
    store.fails = False
    clock.move(0.06)

    eventually(lambda: store.get(task_id).progress == 20, saying="the pending report is stored")
    assert manager.get_task(task_id).state == "running", "what was not acknowledged was not done"


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
def test_the_end_of_a_reporters_work_is_stored_once_the_store_heals(
    manager: ProgressManager, store: WatchedStore, clock: HandClock, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    task = manager.task("work")
    task.update(40)
    if how == "cancelled":
        manager.cancel_task(task.task_id)
    store.fails = True

    if how == "completed":
        task.set_result([1, 2])
        with pytest.raises(StoreUnavailable):
            task.__exit__(None, None, None)
    elif how == "failed":
        task.__exit__(ValueError, ValueError("x"), None)
    else:
        with pytest.raises(BaseException, match="asked to stop") as caught:
            task.raise_if_cancelled()
        task.__exit__(caught.type, caught.value, None)

    store.fails = False
    clock.move(0.6)
    eventually(lambda: store.get(task.task_id).state == how, saying=f"the task has {how}")
    assert store.get(task.task_id).result == ([1, 2] if how == "completed" else None)


def test_closing_stores_what_is_pending(store: WatchedStore, clock: HandClock) -> None:
    manager = ProgressManager(store=store, clock=clock)
    tasks = [manager.create_task(total=100) for _ in range(20)]
    for _ in range(5):
        for task_id in tasks:
            manager.update_progress(task_id, advance=3)
            manager.add_log(task_id, "x")

    manager.close()

    assert {store.get(task_id).completed for task_id in tasks} == {15}
    assert {store.get(task_id).log_count for task_id in tasks} == {5}


def test_a_reporter_outlives_the_closing_of_its_manager(store: WatchedStore, clock: HandClock) -> None:
    with ProgressManager(store=store, clock=clock) as manager:
        with manager.task() as task:
            task.update(10)
            task.update(20)
            manager.close()
            assert store.get(task.task_id).progress == 20

            task.update(30)
            task.log("still here")

            eventually(lambda: store.get(task.task_id).progress == 30)
            assert not task.cancelled
        assert manager.get_task(task.task_id).state == "completed"


def test_a_reporter_that_outlived_a_close_still_learns_that_it_was_asked_to_stop(store: WatchedStore) -> None:
    with ProgressManager(store=store) as manager:
        task = manager.task()
        task.update(10)
        manager.close()
        task.update(20)

        manager.cancel_task(task.task_id)

        assert task.cancelled


# ── tasks that are gone ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_that_is_gone_takes_nothing_more_and_does_not_stop_the_work(
    manager: ProgressManager, store: WatchedStore
) -> None:
    task = manager.task()
    store._start_anew()  # The store was replaced by an empty one.

    task.update(10)
    with pytest.raises(TaskNotFound):
        manager.get_task(task.task_id)

    eventually(lambda: not task.update(20), saying="reports are refused")
    assert not task.cancelled
    task.advance()
    with pytest.raises(TaskNotFound):
        task.__exit__(None, None, None)


# ── estimates, retirement ────────────────────────────────────────────────────────────────────────────────────────


def test_rate_and_time_left_are_told_once_they_are_known(
    manager: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = manager.create_task(total=100)
    for n in range(12):
        manager.update_progress(task_id, completed=n)
        task = manager.get_task(task_id)
        if n == 1:
            assert (task.eta_s, task.rate) == (None, None)
        clock.move(1)

    assert task.rate == pytest.approx(1, rel=0.05)
    assert task.eta_s == pytest.approx(89, rel=0.05)


def test_many_ended_tasks_are_not_kept_in_memory(manager: ProgressManager) -> None:
    for _ in range(1_200):
        task_id = manager.create_task()
        manager.update_progress(task_id, 5)
        manager.complete_task(task_id)

    slots = manager._open().writes.slots
    assert len(slots.all()) <= 1_000

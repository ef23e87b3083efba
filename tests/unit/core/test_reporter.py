"""The reporter: what the work holds."""

# ruff: noqa: PT012 - the block that raises is the work

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest

from headway import InvalidValue, ProgressManager, Reporter, TaskCancelled, TaskFailed
from headway.model.task import Task
from tests.helpers import run_async
from tests.unit.core.doubles import WatchedStore


class One(IntEnum):
    ONE = 1


@pytest.fixture
def task(manager: ProgressManager) -> Iterator[Reporter]:
    with manager.task("work") as reporter:
        yield reporter


def stages_of(task: Task) -> dict[str, tuple[str, float]]:
    return {stage.name: (stage.state, stage.progress) for stage in task.stages or ()}


# ── how a block ends ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_runs_its_task_and_leaving_it_completes_it(manager: ProgressManager) -> None:
    with manager.task("work", total=3, owner="anna", metadata=[1]) as task:
        begun = manager.get_task(task.task_id)
        task.set_result({"n": 1})

    ended = manager.get_task(task.task_id)
    assert (begun.state, begun.worker, begun.owner, begun.total) == ("running", "alive", "anna", 3)
    assert begun.started_at is not None
    assert (ended.state, ended.progress, ended.result, ended.attempt) == ("completed", 100, {"n": 1}, 1)


def test_an_exception_fails_the_task_and_goes_on(manager: ProgressManager) -> None:
    with pytest.raises(TaskFailed, match="the model refused"), manager.task() as task:
        task.update(40)
        raise TaskFailed("the model refused", code="refused")

    ended = manager.get_task(task.task_id)
    assert (ended.state, ended.progress, ended.result) == ("failed", 40, None)
    assert ended.error is not None
    assert (ended.error.code, ended.error.message) == ("refused", "the model refused")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_fails_the_task_as_interrupted(manager: ProgressManager, interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt), manager.task() as task:
        raise interrupt

    error = manager.get_task(task.task_id).error
    assert error is not None
    assert error.code == "interrupted"


@pytest.mark.parametrize("lock", [threading.Lock, threading.RLock])
def test_an_interrupt_in_the_middle_of_a_wait_is_one_though_the_lock_complains(
    manager: ProgressManager, lock: Callable[[], Any]
) -> None:
    not_held = lock()

    with pytest.raises(RuntimeError), manager.task("x") as task:
        try:
            raise SystemExit(143)
        finally:
            not_held.release()  # As `threading.Condition` does when a signal comes while it takes its lock again.

    error = manager.get_task(task.task_id).error
    assert error is not None
    assert error.code == "interrupted"


def test_what_the_work_makes_of_an_interrupt_is_told(manager: ProgressManager) -> None:
    with pytest.raises(RuntimeError), manager.task("x") as task:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("half of it is done")  # noqa: B904 - as it comes

    error = manager.get_task(task.task_id).error
    assert error is not None
    assert (error.code, error.message) == ("runtime_error", "half of it is done")


def test_a_result_that_is_no_json_is_refused_when_it_is_set(task: Reporter, manager: ProgressManager) -> None:
    task.set_result("first")

    with pytest.raises(InvalidValue, match="result"):
        task.set_result({1})


def test_who_ends_the_task_by_id_is_not_overruled_by_the_block(manager: ProgressManager) -> None:
    with manager.task() as task:
        manager.complete_task(task.task_id, result="by id")
        assert not task.update(50)
        task.advance()
        assert not task.log("late")

    assert manager.get_task(task.task_id).result == "by id"


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_track_counts_each_turn_and_takes_its_total_from_the_length(task: Reporter, manager: ProgressManager) -> None:
    seen = []
    for item in task.track("abcd"):
        seen.append((item, manager.get_task(task.task_id).completed))

    assert seen == [("a", None), ("b", 1), ("c", 2), ("d", 3)]
    after = manager.get_task(task.task_id)
    assert (after.completed, after.total, after.progress) == (4, 4, 99)


def test_track_takes_a_total_for_what_has_no_length(task: Reporter, manager: ProgressManager) -> None:
    for _ in task.track(iter(range(3)), total=6):
        pass

    assert manager.get_task(task.task_id).progress == 50


def test_track_counts_what_has_neither(task: Reporter, manager: ProgressManager) -> None:
    for _ in task.track(iter(range(3))):
        pass

    after = manager.get_task(task.task_id)
    assert (after.completed, after.total, after.progress) == (3, None, 0)


def test_a_known_total_is_not_replaced_by_a_length(manager: ProgressManager) -> None:
    with manager.task(total=100) as task:
        for _ in task.track(range(10)):
            pass
        assert manager.get_task(task.task_id).progress == 10

    with manager.task() as task:
        task.update(total=100)
        for _ in task.track(range(10)):
            pass
        assert manager.get_task(task.task_id).progress == 10, "also where it was given a moment ago"


def test_loops_after_one_another_make_their_total_together(task: Reporter, manager: ProgressManager) -> None:
    for _ in task.track(range(3)):
        pass
    for _ in task.track(range(5)):
        pass

    after = manager.get_task(task.task_id)
    assert (after.completed, after.total) == (8, 8)


def test_a_loop_that_is_left_early_counts_what_was_done(task: Reporter, manager: ProgressManager) -> None:
    for number in task.track(range(10)):
        if number == 4:
            break

    assert manager.get_task(task.task_id).completed == 4


def test_a_loop_that_raises_keeps_its_count(manager: ProgressManager) -> None:
    with pytest.raises(ValueError, match="seven"), manager.task() as task:
        for number in task.track(range(10)):
            if number == 7:
                raise ValueError("seven")

    assert manager.get_task(task.task_id).completed == 7


def test_nested_loops_count_each_for_itself(task: Reporter, manager: ProgressManager) -> None:
    for _ in task.track(range(2), total=8):
        for _ in task.track(range(3), total=0):
            pass

    assert manager.get_task(task.task_id).completed == 8


def test_an_abandoned_loop_is_no_deadlock_when_the_garbage_collector_ends_it_within_a_report(
    task: Reporter, manager: ProgressManager
) -> None:
    def abandon() -> weakref.ref[Any]:
        class Holder:
            pass

        holder = Holder()
        holder.itself = holder  # type: ignore[attr-defined]
        holder.loop = task.track(range(9))  # type: ignore[attr-defined]
        next(holder.loop)  # type: ignore[attr-defined]
        next(holder.loop)  # type: ignore[attr-defined]
        return weakref.ref(holder)

    gc.disable()
    try:
        abandoned = abandon()

        slot = task._writer
        with slot.lock:  # type: ignore[attr-defined]  # as within a report of this very thread
            gc.collect()
    finally:
        gc.enable()

    assert abandoned() is None
    assert manager.get_task(task.task_id).completed == 1


def test_advance_adds_up_exactly_over_8_threads(task: Reporter, manager: ProgressManager) -> None:
    def work(worker: int) -> None:
        for turn in range(5_000):
            if worker % 2:
                task.advance()
            else:
                task.update(advance=1)
            if turn == 2_500:
                manager.get_task(task.task_id)  # A flush in the middle.

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert manager.get_task(task.task_id).completed == 40_000


def test_plain_advances_add_up_exactly_over_threads_and_managers(store: WatchedStore) -> None:
    with ProgressManager(store=store) as ours, ProgressManager(store=store) as theirs:
        task_id = ours.create_task(total=100_000)

        def work(manager: ProgressManager) -> None:
            for _ in range(1_000):
                assert manager.update_progress(task_id, advance=1)
            manager.add_log(task_id, "done")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, [ours, theirs] * 4))
        ours.get_task(task_id)

        assert theirs.get_task(task_id).completed == 8_000
        assert [line.n for line in ours.read_log(task_id).lines] == list(range(1, 9))


@pytest.mark.parametrize("n", [Fraction(1), Fraction(1, 2), One.ONE, 1.0])
def test_any_real_number_may_be_advanced_by(task: Reporter, manager: ProgressManager, n: Any) -> None:
    task.advance(n)
    with task.step("load", total=4) as step:
        step.advance(n)

    stored = manager.get_task(task.task_id)
    assert stored.completed == n
    assert stages_of(stored) == {"load": ("completed", 100)}


@pytest.mark.parametrize("n", [-1, float("nan"), float("inf"), "1", None, True])
def test_a_bad_advance_is_refused(task: Reporter, manager: ProgressManager, n: Any) -> None:
    with pytest.raises(InvalidValue, match="advance"):
        task.advance(n)
    with pytest.raises(InvalidValue, match="advance"), task.step("load") as step:
        step.advance(n)
    assert manager.get_task(task.task_id).completed is None


def test_a_bad_update_changes_nothing(task: Reporter, manager: ProgressManager) -> None:
    task.update(30, "load", "m", {"a": 1})
    before = manager.get_task(task.task_id)

    for bad in ({"progress": 200}, {"status": "failed"}, {"details": {"x": {1}}}, {"completed": 1, "advance": 1}):
        with pytest.raises(InvalidValue):
            task.update(**({"message": "other"} | bad))

    assert manager.get_task(task.task_id) == before


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_is_the_active_stage_and_completed_after_it(task: Reporter, manager: ProgressManager) -> None:
    with task.step("load"):
        assert manager.get_task(task.task_id).status == "load"

    after = manager.get_task(task.task_id)
    assert (after.status, stages_of(after)) == ("running", {"load": ("completed", 100)})


def test_steps_weigh_as_they_were_declared(manager: ProgressManager) -> None:
    with manager.task(stages=[("a", 1), ("b", 4)]) as task:
        with task.step("a", total=2) as step:
            step.advance()
            assert manager.get_task(task.task_id).progress == pytest.approx(10)
        assert manager.get_task(task.task_id).progress == 20
        with task.step("b"):
            for _ in task.track(range(4)):
                pass
            task_now = manager.get_task(task.task_id)
            assert (task_now.progress, task_now.amounts) == (99, (4, 4))


def test_a_step_that_was_not_declared_leaves_the_whole_alone(manager: ProgressManager) -> None:
    with manager.task(total=10) as task:
        with task.step("extra", total=4) as step:
            step.advance(2)
            now = manager.get_task(task.task_id)
            assert (now.progress, stages_of(now)["extra"]) == (0, ("running", 50))
        task.advance(5)
        assert manager.get_task(task.task_id).progress == 50


def test_steps_nest(task: Reporter, manager: ProgressManager) -> None:
    with task.step("outer"):
        with task.step("inner"):
            now = manager.get_task(task.task_id)
            assert (now.status, stages_of(now)) == ("inner", {"outer": ("running", 0), "inner": ("running", 0)})
        now = manager.get_task(task.task_id)
        assert (now.status, stages_of(now)["inner"]) == ("outer", ("completed", 100))


def parents_of(task: Task) -> dict[str, str | None]:
    return {stage.name: stage.parent for stage in task.stages or ()}


def test_a_step_within_a_step_is_a_part_of_it(task: Reporter, manager: ProgressManager) -> None:
    with task.step("outer"):
        with task.step("inner"), task.step("innermost"), task.step("deeper"):
            pass
        with task.step("second"):
            pass
    with task.step("inner"):  # It has its place already.
        pass
    with task.step("after"):
        pass

    assert parents_of(manager.get_task(task.task_id)) == {
        "outer": None,
        "inner": "outer",
        "innermost": "inner",
        "deeper": "inner",
        "second": "outer",
        "after": None,
    }


def test_declared_parts_move_the_whole_through_their_parent(manager: ProgressManager) -> None:
    stages = ["text", {"name": "images", "weight": 3, "stages": ["one", ("two", 2)]}]
    with manager.task(stages=stages) as task:
        with task.step("two", total=4) as step:
            step.advance()
            now = manager.get_task(task.task_id)
            assert stages_of(now)["images"] == ("running", pytest.approx(16.6667))
            assert (now.status, now.progress) == ("two", 12.5)
        task.update(status="one")
        assert stages_of(manager.get_task(task.task_id))["images"][0] == "running"
        task.update(status="text")
        assert stages_of(manager.get_task(task.task_id))["images"] == ("completed", 100)

    ended = manager.get_task(task.task_id)
    assert {name: state for name, (state, _) in stages_of(ended).items()} == dict.fromkeys(
        stages_of(ended), "completed"
    )


def test_a_part_that_was_never_begun_is_skipped(manager: ProgressManager) -> None:
    stages = [{"name": "images", "stages": ["one", "two"]}]
    with manager.task(stages=stages) as task, task.step("images"), task.step("one"):
        pass

    assert stages_of(manager.get_task(task.task_id)) == {
        "images": ("completed", 100),
        "one": ("completed", 100),
        "two": ("skipped", 0),
    }


def test_tasks_of_an_event_loop_are_in_steps_of_their_own(task: Reporter, manager: ProgressManager) -> None:
    async def work(name: str, both: asyncio.Barrier) -> None:
        with task.step(name):
            await both.wait()
            with task.step(f"{name}_part"):
                await both.wait()

    async def all_at_once() -> None:
        both = asyncio.Barrier(2)
        await asyncio.gather(work("a", both), work("b", both))

    run_async(all_at_once())

    parents = {"a": None, "b": None, "a_part": "a", "b_part": "b"}
    assert parents_of(manager.get_task(task.task_id)) == parents


def test_a_helper_thread_works_within_the_step_of_the_one_that_runs_the_task(
    task: Reporter, manager: ProgressManager
) -> None:
    def draw(name: str) -> None:
        with task.step(name), task.step(f"{name}_part"):
            pass

    with ThreadPoolExecutor(1) as pool:
        pool.submit(draw, "alone").result()
        with task.step("images"):
            pool.submit(draw, "card").result()

    parents = {"alone": None, "alone_part": "alone", "images": None, "card": "images", "card_part": "card"}
    assert parents_of(manager.get_task(task.task_id)) == parents


def test_steps_of_two_tasks_are_not_parts_of_each_other(task: Reporter, manager: ProgressManager) -> None:
    with task.step("outer"), manager.task() as other, other.step("elsewhere"):
        pass

    assert parents_of(manager.get_task(other.task_id)) == {"elsewhere": None}


def test_threads_may_be_in_steps_of_their_own(task: Reporter, manager: ProgressManager) -> None:
    one_is_in, other_is_out = threading.Event(), threading.Event()

    def one() -> None:
        with task.step("one"):
            one_is_in.set()
            assert other_is_out.wait(10)

    def other() -> None:
        assert one_is_in.wait(10)
        with task.step("other"):
            pass
        other_is_out.set()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(one), pool.submit(other)]:
            future.result()

    after = manager.get_task(task.task_id)
    assert stages_of(after) == {"one": ("completed", 100), "other": ("completed", 100)}
    assert after.status == "running"


def test_a_step_in_which_the_work_fails_is_marked_as_failed(manager: ProgressManager) -> None:
    with pytest.raises(ValueError, match="x"), manager.task(stages=["a", "b"]) as task, task.step("a", total=4) as step:
        step.advance()
        raise ValueError("x")

    assert stages_of(manager.get_task(task.task_id)) == {"a": ("failed", 25), "b": ("pending", 0)}


def test_a_states_name_is_no_step(task: Reporter) -> None:
    with pytest.raises(InvalidValue, match=r"complete_task\(\)"), task.step("completed"):
        pass


def test_the_51st_step_is_refused(task: Reporter) -> None:
    for n in range(50):
        with task.step(f"s{n}"):
            pass

    with pytest.raises(InvalidValue, match="50 stages"), task.step("one_more"):
        pass


# ── being asked to stop ──────────────────────────────────────────────────────────────────────────────────────────


REPORTS: dict[str, Any] = {
    "advance": lambda task: task.advance(),
    "update": lambda task: task.update(50),
    "a message": lambda task: task.update(message="x"),
    "track": lambda task: list(task.track(range(2))),
    "a step": lambda task: task.step("a").__enter__(),
    "log": lambda task: task.log("x"),
    "raise_if_cancelled": lambda task: task.raise_if_cancelled(),
}


@pytest.mark.parametrize("report", REPORTS)
def test_the_work_learns_at_its_next_report_that_it_was_asked_to_stop(manager: ProgressManager, report: str) -> None:
    with pytest.raises(TaskCancelled, match="not needed") as caught, manager.task() as task:
        assert not task.cancelled
        task.raise_if_cancelled()
        assert manager.cancel_task(task.task_id, "not needed")
        assert task.cancelled
        assert manager.get_task(task.task_id).state == "cancelling"
        REPORTS[report](task)
        pytest.fail("the report went through")

    assert caught.value.task_id == task.task_id
    ended = manager.get_task(task.task_id)
    assert (ended.state, ended.cancel_reason) == ("cancelled", "not needed")


def test_a_loop_stops_at_its_next_turn(manager: ProgressManager) -> None:
    turns = []
    with pytest.raises(TaskCancelled), manager.task() as task:
        for number in task.track(range(1_000)):
            turns.append(number)
            if number == 3:
                manager.cancel_task(task.task_id)

    assert turns == [0, 1, 2, 3]
    assert manager.get_task(task.task_id).completed == 4


def test_a_broad_except_in_the_work_does_not_swallow_it(manager: ProgressManager) -> None:
    with pytest.raises(TaskCancelled), manager.task() as task:
        manager.cancel_task(task.task_id)
        for _ in range(3):
            with contextlib.suppress(Exception):
                task.advance()

    assert manager.get_task(task.task_id).state == "cancelled"


def test_work_that_returns_all_the_same_is_completed_too_late(manager: ProgressManager) -> None:
    with manager.task() as task:
        manager.cancel_task(task.task_id)
        task.set_result("done")

    ended = manager.get_task(task.task_id)
    assert (ended.state, ended.result) == ("completed", "done")
    assert ended.cancel_requested_at is not None


def test_work_that_fails_while_it_was_asked_to_stop_has_failed(manager: ProgressManager) -> None:
    with pytest.raises(OSError, match="disk"), manager.task() as task:
        manager.cancel_task(task.task_id)
        raise OSError("disk")

    assert manager.get_task(task.task_id).state == "failed"


def test_cleaning_up_may_say_what_it_does(manager: ProgressManager) -> None:
    with pytest.raises(TaskCancelled), manager.task() as task:
        manager.cancel_task(task.task_id)
        try:
            task.advance()
        finally:
            assert task.log("closing files")
            assert task.update(message="cleaning up")
            assert manager.get_task(task.task_id).message == "cleaning up"

    assert [line.text for line in manager.read_log(task.task_id).lines] == ["closing files"]


def test_a_cancel_that_a_task_group_has_gathered_is_a_cancel(manager: ProgressManager) -> None:
    with pytest.raises(BaseExceptionGroup), manager.task() as task:
        manager.cancel_task(task.task_id)
        raise BaseExceptionGroup("gathered", [TaskCancelled(task.task_id), TaskCancelled(task.task_id)])
    assert manager.get_task(task.task_id).state == "cancelled"

    with pytest.raises(BaseExceptionGroup), manager.task() as task:
        raise BaseExceptionGroup("gathered", [TaskCancelled(task.task_id), ValueError("x")])
    assert manager.get_task(task.task_id).state == "failed"


def test_asking_twice_is_asking_once(manager: ProgressManager) -> None:
    with manager.task() as task:
        assert manager.cancel_task(task.task_id, "first")
        first = manager.get_task(task.task_id)
        assert manager.cancel_task(task.task_id, "second"), "it has not ended"
        assert manager.get_task(task.task_id) == first


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def begin_again(manager: ProgressManager, task_id: str) -> Reporter:
    manager.fail_task(task_id, "given up")
    return manager.attach(task_id, again=True)


def test_a_reporter_of_an_earlier_attempt_cant_write_any_more(manager: ProgressManager) -> None:
    old = manager.task("work", total=10)
    old.update(completed=9)
    new = begin_again(manager, old.task_id)
    new.update(completed=2)

    assert old.cancelled
    assert new.attempt == 2
    with pytest.raises(TaskCancelled, match="another attempt"):
        old.advance()
    assert not old.update(message="late")
    assert not old.log("late")
    old.__exit__(None, None, None)

    task = manager.get_task(old.task_id)
    assert (task.state, task.attempt, task.completed, task.progress, task.message) == ("running", 2, 2, 20, "")
    assert manager.read_log(old.task_id).lines == ()


def test_what_the_new_attempt_has_reported_survives_the_old_ones_end(manager: ProgressManager) -> None:
    old = manager.task("work")
    new = begin_again(manager, old.task_id)
    new.update(10)
    new.log("first")
    new.update(20)

    old.__exit__(ValueError, ValueError("late"), None)

    assert manager.get_task(old.task_id).progress == 20
    assert [line.text for line in manager.read_log(old.task_id).lines] == ["first"]


def test_an_attempt_that_was_given_up_elsewhere_cant_be_written_to(store: WatchedStore) -> None:
    with ProgressManager(store=store) as ours, ProgressManager(store=store) as theirs:
        old = ours.task("work")
        theirs.fail_task(old.task_id, "given up")
        new = theirs.attach(old.task_id, again=True)

        with pytest.raises(TaskCancelled):
            old.update(50)
        old.__exit__(None, None, None)

        assert theirs.get_task(new.task_id).state == "running"
        assert theirs.get_task(new.task_id).progress == 0


def test_what_is_delivered_once_more_while_it_runs_is_the_next_attempt(store: WatchedStore) -> None:
    """A broker that took the first worker for dead: two run, and one of them is believed."""
    with ProgressManager(store=store) as ours, ProgressManager(store=store) as theirs:
        old = ours.task("work")
        old.update(90)
        ours.get_task(old.task_id)

        new = theirs.attach(old.task_id, again=True)

        assert new.attempt == 2
        with pytest.raises(TaskCancelled):
            old.update(95)
        old.__exit__(None, None, None)
        task = theirs.get_task(old.task_id)
        assert (task.state, task.attempt, task.progress) == ("running", 2, 0)


def test_what_was_asked_to_stop_is_not_begun_again(store: WatchedStore) -> None:
    with ProgressManager(store=store) as ours, ProgressManager(store=store) as theirs:
        old = ours.task("work")
        ours.cancel_task(old.task_id)

        with pytest.raises(TaskCancelled):
            theirs.attach(old.task_id, again=True)

        assert ours.get_task(old.task_id).state == "cancelling"


def test_an_attempt_that_is_tried_again_waits_as_the_next_one_and_is_never_shown_as_failed(
    manager: ProgressManager,
) -> None:
    seen: list[tuple[str, int]] = []
    manager.subscribe(lambda tasks: seen.extend((task.state, task.attempt) for task in tasks), lambda: None)
    with pytest.raises(OSError, match="no route"), manager.task("work") as old:
        old.update(50)
        manager.try_again(old.task_id, old.attempt, "attempt 1 failed: no route")
        raise OSError("no route")

    task = manager.get_task(old.task_id)
    assert (task.state, task.attempt, task.progress, task.error) == ("pending", 2, 0, None)
    assert task.message == "attempt 1 failed: no route"
    assert [line.text for line in manager.read_log(old.task_id).lines] == ["attempt 1 failed: no route"]
    assert "failed" not in {state for state, _ in seen}
    manager.try_again(old.task_id, old.attempt, "too late")
    assert manager.get_task(old.task_id) == task


def test_what_was_asked_to_stop_is_cancelled_instead_of_tried_again(manager: ProgressManager) -> None:
    old = manager.task("work")
    manager.cancel_task(old.task_id)

    manager.try_again(old.task_id, old.attempt, "no route")

    assert manager.get_task(old.task_id).state == "cancelled"


def test_who_attaches_runs_the_task(manager: ProgressManager) -> None:
    task_id = manager.create_task(total=2)

    with manager.attach(task_id) as task:
        assert manager.get_task(task_id).state == "running"
        task.advance()

    assert manager.get_task(task_id).state == "completed"


@pytest.mark.parametrize("how", ["cancelled", "completed", "failed"])
def test_what_has_ended_cant_be_attached_to(manager: ProgressManager, how: str) -> None:
    task_id = manager.create_task()
    {"cancelled": manager.cancel_task, "completed": manager.complete_task}.get(
        how, lambda task_id: manager.fail_task(task_id, "x")
    )(task_id)

    with pytest.raises(TaskCancelled):
        manager.attach(task_id)
    with pytest.raises(TaskCancelled):
        manager.attach(manager.create_task(), attempt=2)

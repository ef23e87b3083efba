"""Property tests of the model: any tasks, any changes, any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import reduce
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.model import limits
from headway.model.change import Amounts, Change, StageChange, StagesChange
from headway.model.codec import from_record, to_record
from headway.model.stage import Stage
from headway.model.task import FINAL, LIFE_CYCLE, Task, TaskError
from headway.stores.record_json import record_decoder

# What is drawn within `changes` and `tasks` is made here, once: Hypothesis looks into each strategy before it draws.
NAMES = ["a", "b", "c"]
FLAG = st.booleans()
WHOLE = st.integers(0, 1_000)
REAL = WHOLE | st.floats(0, 1_000, allow_nan=False)
AT = st.integers(1, 1_000).map(float)

amounts = st.one_of(
    st.builds(Amounts, st.none(), REAL, st.none() | REAL),
    st.builds(Amounts, REAL, st.just(0), st.none() | REAL),
)
PARENTS = {"a": None, "b": "a", "c": "b"}
stage_states = st.sampled_from([None, "running", "completed"])
texts = st.none() | st.text(max_size=5)
few_names = st.lists(st.sampled_from(NAMES), unique=True, max_size=2)
all_names = st.lists(st.sampled_from(NAMES), unique=True)
some_name = st.none() | st.sampled_from(NAMES)
some_amounts = st.none() | amounts
some_real = st.none() | REAL
some_at = st.none() | AT
some_details = st.none() | st.just('{"k":1}')
reached = st.none() | st.floats(0, 100, allow_nan=False)
reached_so_far = st.none() | st.floats(0, 99, allow_nan=False)
weights = st.sampled_from([0.5, 1, 3])


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """What a report or a step can say."""
    nested = draw(FLAG)
    named = draw(few_names)
    stages = {
        name: StageChange(draw(stage_states), draw(some_amounts), PARENTS[name] if nested else None) for name in named
    }
    switches = draw(FLAG)
    stage = draw(some_name) if switches else None
    if stage is not None and stage not in stages:
        stages[stage] = StageChange("running")
    return Change(
        at=draw(AT),
        progress=draw(reached),
        own=draw(some_amounts),
        message=draw(texts),
        details=draw(some_details),
        unit=draw(texts),
        stages=StagesChange(stages, switches, stage, switches and draw(FLAG)) if stages or switches else None,
    )


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    declared = draw(all_names)
    progress = draw(reached_so_far)
    return Task(
        task_id="t",
        created_at=0.0,
        state="running",
        started_at=0.0,
        updated_at=draw(some_at),
        progress=progress,
        indeterminate=progress is None,
        completed=draw(some_real),
        total=draw(some_real),
        stages=tuple(
            Stage(name, None, draw(weights), parent=name_above(declared[:i], draw)) for i, name in enumerate(declared)
        )
        or None,
    )


def name_above(earlier: list[str], draw: st.DrawFn) -> str | None:
    """Any of the stages before, or none: declared parts follow their parent."""
    return draw(st.none() | st.sampled_from(earlier)) if earlier else None


def shape(task: Task) -> dict[str, Any]:
    """All of a task but its percentages, with sums to the precision of floats."""
    seen = {field.name: getattr(task, field.name) for field in fields(task)}
    del seen["progress"]
    seen["completed"] = None if task.completed is None else round(task.completed, 6)
    seen["stages"] = {
        stage.name: (
            stage.state,
            stage.parent,
            stage.total,
            None if stage.completed is None else round(stage.completed, 6),
        )
        for stage in task.stages or ()
    }
    return seen


def applied(task: Task, all_changes: Sequence[Change]) -> Task:
    return reduce(lambda before, change: change.applied(before), all_changes, task)


@given(tasks(), changes(), changes())
def test_two_changes_and_their_merger_lead_to_the_same_task(task: Task, one: Change, other: Change) -> None:
    step_by_step = applied(task, [one, other])
    at_once = one.merged(other).applied(task)

    assert shape(at_once) == shape(step_by_step)
    # What was conflated away was never shown: its high-water mark needn't be kept, but nothing is made up.
    assert (at_once.progress or 0) <= (step_by_step.progress or 0)
    assert (at_once.progress or 0) >= (task.progress or 0)


rising = st.builds(
    lambda at, progress, advance: Change(at=at, progress=progress, own=Amounts(advance=advance)),
    AT,
    st.none() | st.integers(0, 100),
    WHOLE,
)


@given(tasks(), st.lists(rising, min_size=1, max_size=8), st.data())
def test_rising_amounts_may_be_flushed_anywhere(task: Task, reports: list[Change], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(reports)))
    flushes = [reduce(Change.merged, part) for part in (reports[:cut], reports[cut:]) if part]

    by_hand, flushed = applied(task, reports), applied(task, flushes)

    assert shape(flushed) == shape(by_hand)
    assert flushed.progress == by_hand.progress


@given(changes(), changes(), changes())
def test_merging_is_associative(one: Change, two: Change, three: Change) -> None:
    task = Task(task_id="t", created_at=0.0, state="running")

    left = one.merged(two).merged(three).applied(task)
    right = one.merged(two.merged(three)).applied(task)

    assert shape(left) == shape(right)
    assert left.progress == right.progress


@given(tasks(), st.lists(changes(), max_size=6))
def test_progress_only_rises_and_stays_below_completion(task: Task, reports: list[Change]) -> None:
    seen = task.progress
    for report in reports:
        before, task = task, report.applied(task)
        for old, new in zip(before.stages or (), task.stages or (), strict=False):
            assert (old.name, old.parent) == (new.name, new.parent)
            assert old.progress <= new.progress
        assert task.progress is not None or seen is None
        assert (task.progress or 0) >= (seen or 0)
        assert (task.progress or 0) <= 99
        assert all(0 <= stage.progress <= 100 for stage in task.stages or ())
        seen = task.progress


STEPS = {
    "start": lambda task, now: task.starting(now, holder="h"),
    "start by a reporter": lambda task, now: task.starting(now, holder="h", confirms_cancel=True),
    "report": lambda task, now: Change(at=now, progress=now % 100, message="m").applied(task),
    "complete": lambda task, now: task.completing(now, result="1", message=None),
    "fail": lambda task, now: task.failing(now, TaskError("c", "m")),
    "give up": lambda task, now: task.failing(now, TaskError("worker_lost", "m"), by_work=False),
    "ask to stop": lambda task, now: task.cancelling("r", now),
    "confirm the stop": lambda task, now: task.cancelled(now),
    "retry": lambda task, now: task.retrying(now),
    "silent": lambda task, now: task.with_worker("silent"),
    "alive": lambda task, now: task.with_worker("alive"),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.floats(0, 10_000, allow_nan=False)), max_size=30))
@settings(max_examples=300)
def test_whatever_is_called_when_a_life_follows_the_life_cycle(calls: list[tuple[str, float]]) -> None:
    task = Task(task_id="t", created_at=0.0, stages=(Stage("a"),))
    for name, now in calls:
        before, task = task, STEPS[name](task, now)

        if task is before:
            continue
        assert task.state == before.state or task.state in LIFE_CYCLE[before.state]
        assert task.attempt == before.attempt + (name == "retry")
        if before.has_ended:
            assert name == "retry"
        if task.attempt == before.attempt:
            assert (task.progress or 0) >= (before.progress or 0)
        assert (task.progress == 100) == (task.state == "completed")
        assert (task.finished_at is not None) == task.has_ended
        assert (task.error is not None) == (task.state == "failed")
        assert task.worker is None or task.state in ("running", "cancelling")
        assert task.state not in FINAL or (task.holder is None and task.stage is None)
        assert task.state != "cancelling" or task.cancel_requested_at is not None
        if task.started_at is not None and task.finished_at is not None:
            assert task.finished_at >= task.started_at


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(tasks(), st.text(max_size=20), st.dictionaries(st.text(max_size=4), json_values, max_size=3), changes())
def test_what_a_store_writes_it_reads_again(task: Task, text: str, details: dict[str, Any], change: Change) -> None:
    try:
        encoded = limits.encode(details, "details", limits.DETAILS_BYTES)
    except limits.InvalidValue:
        return
    task = change.applied(replace(task, message=text, caller_details=encoded, epoch="e"))

    again = from_record(to_record(task), epoch="e")

    assert again == task
    assert again.details == task.details
    assert from_record(to_record(task), epoch="e", decode=record_decoder()) == task

"""A pending change: what reports have said, and what it makes of a task."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest

from headway.model.change import Amounts, Change, StageChange, StagesChange, checked_amounts
from headway.model.errors import InvalidValue
from headway.model.stage import Stage, declared_stages
from headway.model.task import Task

TASK = Task(task_id="a", created_at=1.0, state="running")


def own(*, completed: float | None = None, advance: float = 0, total: float | None = None) -> Change:
    return Change(at=2.0, own=Amounts(completed, advance, total))


def switch(stage: str | None, **amounts: float) -> Change:
    stages = {} if stage is None else {stage: StageChange("running", Amounts(**amounts) if amounts else None)}
    return Change(at=2.0, stages=StagesChange(stages, switches=True, active=stage, closes_others=True))


def after(*changes: Change, task: Task = TASK) -> Task:
    for change in changes:
        task = change.applied(task)
    return task


def test_progress_never_falls() -> None:
    assert after(Change(at=2.0, progress=60), Change(at=2.0, progress=40)).progress == 60


@pytest.mark.parametrize("progress", [99, 99.4, 100])
def test_before_completion_whatever_is_above_99_is_99(progress: float) -> None:
    assert after(Change(at=2.0, progress=progress)).progress == 99
    assert after(own(completed=progress, total=100)).progress == 99


def test_an_indeterminate_task_has_no_progress_until_a_number_is_known_and_never_none_again() -> None:
    task = replace(TASK, progress=None, indeterminate=True)

    assert after(Change(at=2.0, message="looking"), own(advance=3), task=task).progress is None
    known = after(own(advance=3, total=10), task=task)
    assert known.progress == 30
    assert after(Change(at=3.0, message="still"), task=known).progress == 30


def test_a_message_alone_makes_no_number_of_declared_stages() -> None:
    task = replace(TASK, progress=None, indeterminate=True, stages=declared_stages(["a", "b"]))

    assert after(Change(at=2.0, message="looking"), task=task).progress is None
    assert after(switch("b"), task=task).progress == 0


def test_amounts_give_progress_once_their_total_is_known() -> None:
    assert after(own(completed=3)).progress == 0
    assert after(own(completed=3), own(total=12)).progress == 25
    assert after(own(completed=3, total=12), own(advance=3)).progress == 50


def test_a_growing_total_does_not_lower_progress() -> None:
    task = after(own(completed=5, total=10), own(total=100))

    assert (task.progress, task.completed, task.total) == (50, 5, 100)


def test_a_total_of_nothing_gives_no_progress() -> None:
    assert after(own(completed=0, total=0)).progress == 0
    assert after(own(completed=4, total=0)).progress == 0


def test_more_done_than_there_is_stays_below_completion() -> None:
    task = after(own(completed=30, total=10))

    assert (task.progress, task.completed) == (99, 30)


def test_advance_adds_to_what_is_stored_and_completed_replaces_it() -> None:
    assert after(own(advance=2), own(advance=3)).completed == 5
    assert after(own(completed=7), own(advance=3)).completed == 10
    assert after(own(advance=3), own(completed=7)).completed == 7


def test_advance_stops_at_the_largest_amount() -> None:
    assert after(own(completed=2**53 - 2), own(advance=10)).completed == 2**53 - 1


def test_what_a_change_leaves_out_stays() -> None:
    task = replace(TASK, message="m", caller_details='{"a":1}', unit="pages", completed=2, total=4, stage="load")

    changed = after(Change(at=9.0, progress=10), task=task)

    assert (changed.message, changed.caller_details, changed.unit) == ("m", '{"a":1}', "pages")
    assert (changed.completed, changed.total, changed.stage, changed.updated_at) == (2, 4, "load", 9.0)


def test_declared_weights_give_the_whole() -> None:
    task = replace(TASK, stages=declared_stages([("text", 1), ("images", 3)]))

    begun = after(switch("text"), task=task)
    half_way = after(switch("images", completed=2, total=4), task=begun)

    assert begun.progress == 0
    assert half_way.progress == pytest.approx((1 * 100 + 3 * 50) / 4)
    assert [(stage.state, stage.progress) for stage in half_way.stages or ()] == [("completed", 100), ("running", 50)]


def test_an_undeclared_stage_shows_its_own_progress_and_does_not_move_the_whole() -> None:
    task = after(switch("load", completed=5, total=10))

    assert task.progress == 0
    assert [(stage.name, stage.progress, stage.declared) for stage in task.stages or ()] == [("load", 50, False)]


def test_a_stage_that_others_follow_is_completed_and_one_that_encloses_them_is_not() -> None:
    nested = Change(at=2.0, stages=StagesChange({"inner": StageChange("running")}, switches=True, active="inner"))

    def states(task: Task) -> dict[str, str]:
        return {stage.name: stage.state for stage in task.stages or ()}

    assert states(after(switch("outer"), switch("next"))) == {"outer": "completed", "next": "running"}
    assert states(after(switch("outer"), nested)) == {"outer": "running", "inner": "running"}
    assert after(switch("outer"), switch(None)).status == "running"


def test_naming_the_active_stage_again_does_not_end_it() -> None:
    task = after(switch("text"), switch("text"), task=replace(TASK, stages=declared_stages(["text", "images"])))

    assert task.progress == 0
    assert [(stage.state, stage.progress) for stage in task.stages or ()] == [("running", 0), ("pending", 0)]


NESTED = replace(
    TASK,
    stages=declared_stages(
        ["text", {"name": "images", "weight": 3, "stages": ["one", {"name": "two", "weight": 2, "stages": ["deep"]}]}]
    ),
)


def progresses(task: Task) -> dict[str, float]:
    return {stage.name: stage.progress for stage in task.stages or ()}


def test_declared_parts_move_their_parent_and_so_the_whole() -> None:
    task = after(switch("one", completed=1, total=2), task=NESTED)
    assert progresses(task) == {"text": 0, "images": 16.6667, "one": 50, "two": 0, "deep": 0}
    assert task.progress == 12.5

    task = after(switch("deep", completed=1, total=4), task=task)
    assert progresses(task) == {"text": 0, "images": 50, "one": 100, "two": 25, "deep": 25}
    assert task.progress == 37.5


def test_a_parent_never_falls_and_its_own_report_wins_where_it_is_higher() -> None:
    task = after(switch("images", completed=9, total=10), switch("one", completed=1, total=2), task=NESTED)
    assert progresses(task)["images"] == 100  # The switch has ended it.

    inner = Change(at=2.0, stages=StagesChange({"one": StageChange("completed")}, switches=True, active="one"))
    task = after(switch("images", completed=9, total=10), inner, task=NESTED)
    assert (progresses(task)["images"], progresses(task)["one"]) == (90, 100)


def test_a_part_that_was_not_declared_does_not_move_its_parent() -> None:
    part = StageChange("running", Amounts(completed=1, total=2), "images")
    task = after(switch("images"), Change(at=2.0, stages=StagesChange({"extra": part})), task=NESTED)

    assert (progresses(task)["extra"], progresses(task)["images"], task.progress) == (50, 0, 0)
    assert task.stage_named("extra") == Stage("extra", None, 0, "running", 50, 1, 2, "images")


def test_a_parent_is_settled_when_a_stage_is_first_heard_of() -> None:
    def begins(name: str, parent: str | None) -> Change:
        return Change(at=2.0, stages=StagesChange({name: StageChange("running", parent=parent)}))

    changes = [begins("a", None), begins("b", "a"), begins("b", "one"), begins("a", "b"), begins("c", "nowhere")]
    for task in (after(*changes, task=NESTED), after(reduce(Change.merged, changes), task=NESTED)):
        assert [(name, task.stage_named(name).parent) for name in "abc"] == [("a", None), ("b", "a"), ("c", None)]  # type: ignore[union-attr]


def test_below_the_third_level_steps_stand_beside_each_other() -> None:
    chain = [("a", None), ("b", "a"), ("c", "b"), ("d", "c"), ("e", "d")]
    task = after(
        *(Change(at=2.0, stages=StagesChange({name: StageChange("running", parent=up)})) for name, up in chain)
    )

    assert [(stage.name, stage.parent) for stage in task.stages or ()] == [*chain[:3], ("d", "b"), ("e", "b")]


def test_the_51st_stage_is_left_out_where_two_processes_have_met_there() -> None:
    task = replace(TASK, stages=tuple(Stage(f"s{n}", weight=0) for n in range(50)))

    assert len(after(switch("one_more"), task=task).stages or ()) == 50


def test_nothing_changes_after_the_end() -> None:
    ended = TASK.completing(3.0, result=None, message="done")

    assert Change(at=9.0, progress=5, message="late").applied(ended) is ended


def test_the_work_did_not_change_earlier_than_it_did() -> None:
    assert after(Change(at=5.0, message="a"), Change(at=3.0, message="b")).updated_at == 5.0


def test_completed_and_advance_together_are_refused() -> None:
    with pytest.raises(InvalidValue, match="advance: can't be given together with completed"):
        checked_amounts(1, 1, None)


@pytest.mark.parametrize("field", ["completed", "advance", "total"])
def test_an_amount_below_zero_is_refused_by_name(field: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{field}: "):
        checked_amounts(**{"completed": None, "advance": None, "total": None, field: -1})

"""The life cycle: which step applies when, and what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import pytest

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.stage import Stage, declared_stages, free_stage_name
from headway.model.task import ACTIVE, FINAL, LIFE_CYCLE, State, Task, TaskError, TaskStatus, checked_state

WHY = TaskError("boom", "it broke")
Step = Callable[[Task], Task]


def pending(**fields: object) -> Task:
    return replace(Task(task_id="a", created_at=100.0), **fields)  # type: ignore[arg-type]


def running(**fields: object) -> Task:
    return replace(pending().starting(101.0, holder="lease"), **fields)  # type: ignore[arg-type]


def in_state(state: State) -> Task:
    return {
        "pending": pending(),
        "running": running(),
        "cancelling": running(confirms_cancel=True).cancelling("enough", 102.0),
        "completed": running().completing(103.0, result='{"n":1}', message="done"),
        "failed": running().failing(103.0, WHY),
        "cancelled": pending().cancelling(None, 102.0),
    }[state]


STEPS: dict[str, Step] = {
    "starting": lambda task: task.starting(200.0, holder="lease"),
    "completing": lambda task: task.completing(200.0, result=None, message=None),
    "failing": lambda task: task.failing(200.0, WHY),
    "cancelling": lambda task: task.cancelling("why", 200.0),
    "cancelled": lambda task: task.cancelled(200.0),
    "retrying": lambda task: task.retrying(200.0),
}


def test_the_states_are_six_and_the_last_three_are_final() -> None:
    assert tuple(LIFE_CYCLE) == ACTIVE + FINAL == (*ACTIVE, "completed", "failed", "cancelled")
    assert [in_state(state).state for state in LIFE_CYCLE] == list(LIFE_CYCLE)


@pytest.mark.parametrize("state", LIFE_CYCLE)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_goes_where_the_life_cycle_allows_or_nowhere(state: State, step: str) -> None:
    task = in_state(state)

    after = STEPS[step](task)

    assert after is task or after.state in LIFE_CYCLE[state]


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "retrying"])
def test_a_final_state_is_final_within_its_attempt(state: State, step: str) -> None:
    task = in_state(state)

    assert STEPS[step](task) is task


def test_a_task_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        pending().progress = 50  # type: ignore[misc]


def test_only_completion_is_100() -> None:
    done = running(progress=12).completing(110.0, result=None, message="ok")

    assert (done.progress, done.status, done.message, done.finished_at) == (100, "completed", "ok", 110.0)
    assert running(progress=12).failing(110.0, WHY).progress == 12
    assert running(progress=12).cancelled(110.0).progress == 12


def test_while_running_the_status_is_the_active_stage() -> None:
    assert pending().status == "pending"
    assert running().status == "running"
    assert running(stage="generating_image").status == TaskStatus.GENERATING_IMAGE
    assert running(stage="generating_image", confirms_cancel=True).cancelling(None, 110.0).status == "cancelling"


def test_a_cancel_is_final_at_once_where_nobody_could_confirm_it() -> None:
    assert pending().cancelling("why", 110.0).state == "cancelled"
    assert running().cancelling("why", 110.0).state == "cancelled"
    assert running(confirms_cancel=True).cancelling("why", 110.0).state == "cancelling"


def test_a_cancel_keeps_when_and_why_and_a_second_one_changes_nothing() -> None:
    asked = running(confirms_cancel=True).cancelling("not needed", 110.0)

    assert (asked.cancel_requested_at, asked.cancel_reason) == (110.0, "not needed")
    assert asked.cancelling("another reason", 120.0) is asked


def test_an_end_frees_worker_and_holder_and_tells_no_time_left() -> None:
    task = running(eta_s=5.0, rate=2.0)

    for ended in (task.completing(110.0, result=None, message=None), task.failing(110.0, WHY), task.cancelled(110.0)):
        assert (ended.worker, ended.holder, ended.eta_s, ended.rate) == (None, None, None, None)


def test_times_never_run_backwards_though_the_clock_does() -> None:
    ended = running(started_at=500.0, updated_at=500.0).completing(90.0, result=None, message=None)

    assert ended.finished_at == 500.0
    assert ended.updated_at == 500.0


def test_being_given_up_is_no_sign_of_the_work() -> None:
    task = running(updated_at=101.0)

    assert task.failing(300.0, WHY, by_work=False).updated_at == 101.0
    assert task.failing(300.0, WHY).updated_at == 300.0


def test_a_small_result_travels_with_the_task_and_a_large_one_only_its_being_there() -> None:
    fits = json.dumps("x" * (limits.INLINE_RESULT_BYTES - 2))
    over = json.dumps("x" * (limits.INLINE_RESULT_BYTES - 1))

    small = running().completing(110.0, result=fits, message=None)
    large = running().completing(110.0, result=over, message=None)

    assert small.result == "x" * (limits.INLINE_RESULT_BYTES - 2)
    assert not small.has_large_result
    assert (large.result, large.has_large_result) == (None, True)


def test_a_retry_is_the_next_attempt_from_the_start() -> None:
    failed = running(
        progress=80, completed=4, total=5, unit="pages", message="x", caller_details='{"a":1}', log_count=7, owner="me"
    ).failing(110.0, WHY)

    again = failed.retrying(120.0)

    assert (again.state, again.attempt, again.progress, again.completed) == ("pending", 2, 0, None)
    assert (again.total, again.unit, again.owner, again.created_at) == (5, "pages", "me", 100.0)
    assert (again.error, again.finished_at, again.started_at, again.message) == (None, None, None, "")
    assert again.details == {"total": 5, "unit": "pages"}
    assert again.log_count == 7, "the log goes on"


def test_a_retry_of_an_indeterminate_task_knows_no_number_again() -> None:
    failed = running(indeterminate=True, progress=40).failing(110.0, WHY)

    assert failed.retrying(120.0).progress is None


@pytest.mark.parametrize("state", [*ACTIVE, "completed"])
def test_only_what_failed_or_was_cancelled_begins_anew(state: State) -> None:
    task = in_state(state)

    assert task.retrying(200.0) is task


def test_what_ended_marks_its_stages() -> None:
    stages = (Stage("a", state="completed", progress=100), Stage("b", state="running", progress=40), Stage("c"))
    task = running(stages=stages, stage="b")

    def states(ended: Task) -> list[tuple[str, float]]:
        return [(stage.state, stage.progress) for stage in ended.stages or ()]

    assert states(task.completing(110.0, result=None, message=None)) == [
        ("completed", 100),
        ("completed", 100),
        ("skipped", 0),
    ]
    assert states(task.failing(110.0, WHY)) == [("completed", 100), ("failed", 40), ("pending", 0)]
    assert states(task.cancelled(110.0)) == [("completed", 100), ("cancelled", 40), ("pending", 0)]


def test_a_retry_keeps_the_declared_stages_and_drops_the_others() -> None:
    stages = (Stage("a", "A", 3, "completed", 100, 5, 5), Stage("extra", weight=0, state="running"))
    again = running(stages=stages).failing(110.0, WHY).retrying(120.0)

    assert again.stages == (Stage("a", "A", 3),)


def test_details_show_the_amounts_before_the_callers_keys() -> None:
    task = running(completed=1, total=4, unit="cards", caller_details='{"current":"标题"}')

    assert task.details_json == '{"completed":1,"total":4,"unit":"cards","current":"标题"}'
    assert task.details == {"completed": 1, "total": 4, "unit": "cards", "current": "标题"}
    assert pending().details == {}
    assert pending(total=3).details == {"total": 3}


def test_the_amounts_shown_are_the_active_stages_where_it_has_any() -> None:
    stages = (Stage("load", weight=0, state="running", completed=2, total=8), Stage("idle", weight=0))

    assert running(stages=stages, stage="load", completed=1, total=3).amounts == (2, 8)
    assert running(stages=stages, stage="idle", completed=1, total=3).amounts == (1, 3)
    assert running(stages=stages, stage=None, completed=1, total=3).amounts == (1, 3)


def test_a_silent_worker_is_said_of_running_tasks_alone() -> None:
    assert running().with_worker("silent").worker == "silent"
    assert pending().with_worker("silent").worker is None
    ended = in_state("failed")
    assert ended.with_worker("alive") is ended


def test_an_unknown_state_is_refused() -> None:
    assert checked_state("running") == "running"
    with pytest.raises(InvalidValue, match="state: must be one of pending, running"):
        checked_state("done")


# ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_stages_come_as_names_pairs_or_dicts() -> None:
    stages = declared_stages(["title", ("text", 3), {"name": "images", "label": "图片", "weight": 2.5}])

    assert stages == (Stage("title"), Stage("text", None, 3), Stage("images", "图片", 2.5))


def test_stages_may_have_stages_of_their_own() -> None:
    parts = ["card_1", ("card_2", 2), {"name": "card_3", "stages": [{"name": "render", "label": "R", "stages": []}]}]

    assert declared_stages(["text", {"name": "pictures", "weight": 3, "stages": parts}]) == (
        Stage("text"),
        Stage("pictures", None, 3),
        Stage("card_1", parent="pictures"),
        Stage("card_2", None, 2, parent="pictures"),
        Stage("card_3", parent="pictures"),
        Stage("render", "R", parent="card_3"),
    )


def test_nested_stages_count_among_the_50_and_nest_at_most_3_deep() -> None:
    def nested(parts: int) -> list[object]:
        return [{"name": "outer", "stages": [f"s{n}" for n in range(parts)]}, "last"]

    assert len(declared_stages(nested(48)) or ()) == 50
    with pytest.raises(InvalidValue, match="stages: must be a list of up to 50 stages, nested ones included"):
        declared_stages(nested(49))
    fourth = {"name": "a", "stages": [{"name": "b", "stages": [{"name": "c", "stages": ["d"]}]}]}
    with pytest.raises(InvalidValue, match="stages: must nest at most 3 deep"):
        declared_stages([fourth])
    endless: dict[str, object] = {"name": "a"}
    endless["stages"] = [endless]
    with pytest.raises(InvalidValue, match=r"^stages"):
        declared_stages([endless])


def test_a_retry_keeps_the_declared_stages_where_they_belong() -> None:
    stages = declared_stages([{"name": "a", "stages": ["b"]}]) or ()
    extra = Stage("c", weight=0, state="running", parent="b")
    again = running(stages=(*stages, extra)).failing(110.0, WHY).retrying(120.0)

    assert again.stages == stages


def test_no_stages_and_an_empty_list_are_the_same() -> None:
    assert declared_stages(None) is None
    assert declared_stages([]) is None


def test_there_may_be_50_stages_and_no_more() -> None:
    assert len(declared_stages([f"s{n}" for n in range(50)]) or ()) == 50
    with pytest.raises(InvalidValue, match="stages: must be a list of up to 50 stages"):
        declared_stages([f"s{n}" for n in range(51)])


@pytest.mark.parametrize(
    "stages",
    [
        "title",
        {"title": 1},
        [1],
        [("a", 1, 2)],
        [("a", 0)],
        [("a", -1)],
        [("a", float("nan"))],
        [("a", "1")],
        ["a", "a"],
        ["A"],
        ["x" * 65],
        ["completed"],
        ["running"],
        [{"name": "a", "colour": "red"}],
        [{"name": "a", "stages": ["a"]}],
        ["b", {"name": "a", "stages": ["b"]}],
        [{"name": "a", "stages": "b"}],
        [{"name": "a", "stages": None}],
        [{"name": "a", "stages": [("b", 0)]}],
        [{"label": "A"}],
        [{"name": "a", "label": "x" * 201}],
    ],
    ids=str,
)
def test_bad_stages_are_refused_by_name(stages: object) -> None:
    with pytest.raises(InvalidValue, match=r"^stages"):
        declared_stages(stages)


@pytest.mark.parametrize(
    ("state", "method"),
    [
        ("pending", "create_task"),
        ("cancelling", "cancel_task"),
        ("completed", "complete_task"),
        ("failed", "fail_task"),
        ("cancelled", "cancel_task"),
    ],
)
def test_a_states_name_is_reserved_and_the_error_names_the_method_that_is_meant(state: str, method: str) -> None:
    with pytest.raises(InvalidValue, match=rf"{state}.*{method}\(\)"):
        free_stage_name(state)
    with pytest.raises(InvalidValue, match=method):
        free_stage_name(TaskStatus(state))


def test_the_other_members_of_task_status_are_stage_names_like_any_other() -> None:
    for status in (TaskStatus.STARTED, TaskStatus.GENERATING_CONTENT, TaskStatus.GENERATING_IMAGE):
        assert free_stage_name(status) == str(status)

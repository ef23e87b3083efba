"""create, update, complete, fail, cancel by id: what a host application calls from anywhere."""

from __future__ import annotations

import json
import logging
import math
import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from headway import (
    InvalidValue,
    NotRetryable,
    ProgressManager,
    TaskExists,
    TaskFailed,
    TaskNotFound,
    TaskStatus,
)
from headway.model.task import TaskError
from tests.unit.core.doubles import WatchedStore

OWN_ID = "an-id-of-my-own-that-is-long"


# ── creating ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_task_is_pending_at_0(manager: ProgressManager) -> None:
    task = manager.get_task(manager.create_task("导入"))

    assert (task.name, task.state, task.status, task.progress) == ("导入", "pending", "pending", 0)
    assert (task.message, task.details, task.stages, task.attempt) == ("", {}, None, 1)
    assert task.started_at is None
    assert task.rev > 0
    assert re.fullmatch(r"[A-Za-z0-9]{8,32}", task.epoch)


def test_ids_are_128_random_bits_that_begin_with_a_letter_or_digit(manager: ProgressManager) -> None:
    ids = {manager.create_task() for _ in range(300)}

    assert len(ids) == 300
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{21}", task_id) for task_id in ids)


def test_an_indeterminate_task_has_no_progress_yet(manager: ProgressManager) -> None:
    assert manager.get_task(manager.create_task(indeterminate=True)).progress is None


def test_an_id_of_the_callers_own_is_taken_once(manager: ProgressManager) -> None:
    assert manager.create_task(task_id=OWN_ID) == OWN_ID

    with pytest.raises(TaskExists):
        manager.create_task(task_id=OWN_ID)


def test_a_short_id_is_no_secret_and_needs_public(manager: ProgressManager) -> None:
    with pytest.raises(InvalidValue, match="public=True"):
        manager.create_task(task_id="nightly")

    assert manager.create_task(task_id="nightly", public=True) == "nightly"
    assert ProgressManager(store="memory://", access="signed").create_task(task_id="nightly") == "nightly"


def test_metadata_and_owner_are_kept_for_the_host_application(manager: ProgressManager) -> None:
    task = manager.get_task(manager.create_task(metadata={"order": 7}, owner="anna"))

    assert task.metadata == {"order": 7}
    assert task.owner == "anna"


def test_error_and_stages_can_be_read_as_in_json(manager: ProgressManager) -> None:
    task_id = manager.create_task(stages=["write"])
    manager.fail_task(task_id, {"code": "quota", "message": "no more"})
    task = manager.get_task(task_id)

    assert task.error is not None
    assert task.error["code"] == task.error.code == "quota"
    assert dict(task.error) == {"code": "quota", "message": "no more"}
    assert [stage["name"] for stage in task.stages or ()] == ["write"]
    with pytest.raises(KeyError):
        task.error["failing"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"name": 5}, "name"),
        ({"task_id": "a/b"}, "task_id"),
        ({"task_id": "x" * 129}, "task_id"),
        ({"total": -1}, "total"),
        ({"total": math.inf}, "total"),
        ({"stages": ["completed"]}, "stages.name"),
        ({"stages": [f"s{n}" for n in range(51)]}, "stages"),
        ({"metadata": {"a": "x" * 9_000}}, "metadata"),
        ({"metadata": {1, 2}}, "metadata"),
        ({"owner": 5}, "owner"),
    ],
    ids=str,
)
def test_a_bad_argument_creates_nothing(manager: ProgressManager, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        manager.create_task(**arguments)

    assert caught.value.field == field
    assert len(manager.list_tasks()) == 0


# ── reporting ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_snippet_of_the_readme_does_what_it_says(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    manager.update_progress(
        task_id=task_id,
        progress=50,
        status=TaskStatus.GENERATING_CONTENT,
        message="正在生成文案...",
        details={"current": "生成标题"},
    )

    task = manager.get_task(task_id)
    assert (task.state, task.status, task.progress) == ("running", "generating_content", 50)
    assert (task.message, task.details) == ("正在生成文案...", {"current": "生成标题"})
    assert task.worker == "alive"
    assert manager.complete_task(task_id, result={"content": "..."})
    assert manager.get_task(task_id).result == {"content": "..."}


def test_progress_never_falls(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    for progress in (10, 60, 30):
        assert manager.update_progress(task_id, progress)
        manager.get_task(task_id)

    assert manager.get_task(task_id).progress == 60


def test_reporting_100_is_not_completion(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 100)

    task = manager.get_task(task_id)
    assert (task.progress, task.state) == (99, "running")


def test_amounts_come_as_keywords_or_in_details_and_stay_until_they_change(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    manager.update_progress(task_id, details={"current": "准备生成", "completed": 0, "total": 5, "unit": "cards"})
    assert manager.get_task(task_id).details == {"completed": 0, "total": 5, "unit": "cards", "current": "准备生成"}

    manager.update_progress(task_id, completed=2)
    task = manager.get_task(task_id)
    assert (task.details["completed"], task.progress) == (2, 40)

    manager.update_progress(task_id, details={"page": 3})
    assert manager.get_task(task_id).details == {"completed": 2, "total": 5, "unit": "cards", "page": 3}

    manager.update_progress(task_id, advance=1, details={})
    assert manager.get_task(task_id).details == {"completed": 3, "total": 5, "unit": "cards"}


def test_details_are_bounded_with_the_amounts_among_them(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    amounts = {"completed": 1, "total": 2, "unit": "册"}
    around = len(json.dumps({"x": "", **amounts}, ensure_ascii=False, separators=(",", ":")).encode())

    with pytest.raises(InvalidValue, match=r"^details: must be up to 8,192 bytes as JSON; it has 8,193$"):
        manager.update_progress(task_id, details={"x": "y" * (8_193 - around), **amounts})
    assert manager.get_task(task_id).details == {}
    manager.update_progress(task_id, details={"x": "y" * (8_192 - around), **amounts})
    assert manager.get_task(task_id).details["total"] == 2
    manager.update_progress(task_id, details={"x": "y" * 4_000, "completed": Fraction(5, 4)})
    assert manager.get_task(task_id).details["completed"] == 1.25


def test_an_amount_as_a_keyword_goes_before_one_in_details(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    manager.update_progress(task_id, details={"completed": 1, "total": 10}, completed=4)

    assert manager.get_task(task_id).progress == 40


def test_a_status_is_the_active_stage_and_running_means_none(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    manager.update_progress(task_id, status="load")
    assert manager.get_task(task_id).status == "load"
    manager.update_progress(task_id, message="still loading")
    assert manager.get_task(task_id).status == "load"
    manager.update_progress(task_id, status=TaskStatus.RUNNING)
    assert manager.get_task(task_id).status == "running"


def test_declared_stages_give_the_whole_by_their_weights(manager: ProgressManager) -> None:
    task_id = manager.create_task(stages=[("text", 1), {"name": "images", "label": "图片", "weight": 3}])

    manager.update_progress(task_id, status="text")
    assert manager.get_task(task_id).progress == 0
    manager.update_progress(task_id, status="images", completed=1, total=2)

    task = manager.get_task(task_id)
    assert task.progress == pytest.approx(25 + 75 / 2)
    assert task.stages is not None
    assert [(stage.name, stage.label, stage.weight, stage.state) for stage in task.stages] == [
        ("text", None, 1, "completed"),
        ("images", "图片", 3, "running"),
    ]


def test_the_51st_stage_is_refused(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    for n in range(50):
        manager.update_progress(task_id, status=f"s{n}")

    with pytest.raises(InvalidValue, match="50 stages"):
        manager.update_progress(task_id, status="one_more")
    assert manager.update_progress(task_id, status="s7")


@pytest.mark.parametrize("status", ["pending", "cancelling", "completed", "failed", "cancelled"])
def test_a_states_name_is_no_status_and_the_error_names_the_method_that_is_meant(
    manager: ProgressManager, status: str
) -> None:
    task_id = manager.create_task()

    with pytest.raises(InvalidValue, match=r"call (create|cancel|complete|fail)_task\(\)"):
        manager.update_progress(task_id, 10, status=status)
    assert manager.get_task(task_id).state == "pending"


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({"progress": math.nan}, "progress"),
        ({"progress": math.inf}, "progress"),
        ({"progress": -1}, "progress"),
        ({"progress": 101}, "progress"),
        ({"progress": "50"}, "progress"),
        ({"progress": True}, "progress"),
        ({"progress": 10**400}, "progress"),
        ({"status": "Not A Stage"}, "status"),
        ({"status": "x" * 65}, "status"),
        ({"status": 5}, "status"),
        ({"message": "x" * 2_001}, "message"),
        ({"message": b"x"}, "message"),
        ({"message": "\ud800"}, "message"),
        ({"details": {"a": "x" * 8_200}}, "details"),
        ({"details": {"a": math.nan}}, "details"),
        ({"details": {"a": {1}}}, "details"),
        ({"details": [1]}, "details"),
        ({"details": {"completed": -1}}, "details.completed"),
        ({"details": {"total": "5"}}, "details.total"),
        ({"details": {"completed": math.nan}, "advance": 1}, "details.completed"),
        ({"details": {"unit": 5}}, "details.unit"),
        ({"completed": -1}, "completed"),
        ({"completed": 2**53}, "completed"),
        ({"advance": -1}, "advance"),
        ({"advance": math.nan}, "advance"),
        ({"total": math.inf}, "total"),
        ({"completed": 1, "advance": 1}, "advance"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_report_names_the_field_and_changes_nothing(
    manager: ProgressManager, store: WatchedStore, report: dict[str, Any], field: str
) -> None:
    task_id = manager.create_task()
    manager.update_progress(task_id, 10, "load", "m", {"a": 1}, completed=1, total=10)
    before = manager.get_task(task_id)

    with pytest.raises(ValueError) as caught:
        manager.update_progress(task_id, **({"progress": 20, "message": "other"} | report))

    assert isinstance(caught.value, InvalidValue)
    assert caught.value.field == field
    assert manager.get_task(task_id) == before


def test_an_unknown_id_raises_and_is_never_reported_as_pending(manager: ProgressManager) -> None:
    calls = [
        lambda: manager.get_task("nobody"),
        lambda: manager.update_progress("nobody", 5),
        lambda: manager.complete_task("nobody"),
        lambda: manager.fail_task("nobody", "x"),
        lambda: manager.cancel_task("nobody"),
        lambda: manager.is_cancelled("nobody"),
        lambda: manager.retry_task("nobody"),
        lambda: manager.add_log("nobody", "x"),
        lambda: manager.read_log("nobody"),
        lambda: manager.get_result("nobody"),
        lambda: manager.delete_task("nobody"),
        lambda: manager.attach("nobody"),
    ]
    for call in calls:
        with pytest.raises(TaskNotFound, match="nobody"):
            call()


@pytest.mark.parametrize("task_id", [None, 5, "", "a b", ["x"], "x" * 129])
def test_what_is_no_id_is_a_bad_value(manager: ProgressManager, task_id: Any) -> None:
    for call in (manager.get_task, manager.complete_task, manager.is_cancelled, manager.cancel_task):
        with pytest.raises(InvalidValue, match="task_id"):
            call(task_id)
    with pytest.raises(InvalidValue, match="task_id"):
        manager.update_progress(task_id, 5)


# ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────


def end_by(manager: ProgressManager, how: str, task_id: str) -> bool:
    return {
        "completed": lambda: manager.complete_task(task_id),
        "failed": lambda: manager.fail_task(task_id, "no"),
        "cancelled": lambda: manager.cancel_task(task_id),
    }[how]()


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
def test_after_the_end_everything_returns_false_and_changes_nothing(manager: ProgressManager, how: str) -> None:
    task_id = manager.create_task()
    assert end_by(manager, how, task_id)
    before = manager.get_task(task_id)

    assert before.state == how
    assert not manager.update_progress(task_id, 50, message="late")
    assert not manager.complete_task(task_id, result=1)
    assert not manager.fail_task(task_id, "late")
    assert not manager.cancel_task(task_id)
    assert not manager.add_log(task_id, "late")
    assert manager.get_task(task_id) == before
    assert manager.read_log(task_id).lines == ()


def test_what_was_reported_before_the_end_goes_with_it(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task(total=10)
    manager.update_progress(task_id, advance=4)
    manager.update_progress(task_id, advance=3, details={"current": "x"})
    manager.add_log(task_id, "one")

    manager.complete_task(task_id, message="done")

    final = store.get(task_id)
    assert (final.completed, final.details["current"], final.message) == (7, "x", "done")
    assert [line.text for line in store.read_log(task_id).lines] == ["one"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("it broke", TaskError("failed", "it broke")),
        ({"code": "quota", "message": "no more"}, TaskError("quota", "no more")),
        (TaskError("quota", "no more"), TaskError("quota", "no more")),
        (TaskFailed("refused", code="policy"), TaskError("policy", "refused")),
        (ZeroDivisionError("division by zero"), TaskError("zero_division_error", "division by zero")),
        (KeyError(), TaskError("key_error", "KeyError")),
        (TaskNotFound("x"), TaskError("task_not_found", "there is no task 'x'")),
    ],
    ids=str,
)
def test_a_failure_says_code_and_message(manager: ProgressManager, error: object, told: TaskError) -> None:
    task_id = manager.create_task()

    manager.fail_task(task_id, error)

    assert manager.get_task(task_id).error == told


class Unspeakable(Exception):
    code = "Not A Code"

    def __str__(self) -> str:
        raise RuntimeError("not even this")


def test_even_an_error_that_cant_be_printed_fails_the_task(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    manager.fail_task(task_id, Unspeakable())

    assert manager.get_task(task_id).error == TaskError("unspeakable", "Unspeakable")


@pytest.mark.parametrize("error", [None, 5, {"code": "A B"}, {"message": "x" * 2_001}, {"other": 1}, "x" * 2_001])
def test_what_is_no_error_is_refused(manager: ProgressManager, error: object) -> None:
    task_id = manager.create_task()

    with pytest.raises(InvalidValue, match="error"):
        manager.fail_task(task_id, error)
    assert manager.get_task(task_id).state == "pending"


def test_an_exceptions_endless_message_is_cut_not_refused(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    manager.fail_task(task_id, ValueError("x" * 5_000))

    error = manager.get_task(task_id).error
    assert error is not None
    assert len(error.message) == 2_000


def test_a_large_result_is_null_with_the_task_and_whole_where_it_is_asked_for(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    large = {"text": "字" * 20_000}

    manager.complete_task(task_id, result=large)

    task = manager.get_task(task_id)
    assert task.result is None
    assert task.has_large_result
    assert manager.get_result(task_id) == large


@pytest.mark.parametrize("result", [{1, 2}, math.nan, "x" * (16 * 1024 * 1024)], ids=["set", "nan", "17 MB"])
def test_a_bad_result_completes_nothing(manager: ProgressManager, result: object) -> None:
    task_id = manager.create_task()

    with pytest.raises(InvalidValue, match="result"):
        manager.complete_task(task_id, result=result)
    assert manager.get_task(task_id).state == "pending"


@pytest.mark.parametrize("result", [0, False, "", [], {}])
def test_an_empty_result_is_a_result(manager: ProgressManager, result: object) -> None:
    task_id = manager.create_task()

    manager.complete_task(task_id, result=result)

    assert manager.get_task(task_id).inline_result is not None
    assert manager.get_result(task_id) == result


def test_without_a_runner_nothing_can_be_retried(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    manager.fail_task(task_id, "x")

    assert not manager.can_retry(manager.get_task(task_id))
    with pytest.raises(NotRetryable, match="runner"):
        manager.retry_task(task_id)


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("runs", [False, True], ids=["pending", "run by plain calls"])
def test_where_nobody_could_confirm_it_a_cancel_is_final_at_once(manager: ProgressManager, runs: bool) -> None:
    task_id = manager.create_task()
    if runs:
        manager.update_progress(task_id, 30)

    assert not manager.is_cancelled(task_id)
    assert manager.cancel_task(task_id, "not needed")

    task = manager.get_task(task_id)
    assert (task.state, task.cancel_reason, task.progress) == ("cancelled", "not needed", 30 if runs else 0)
    assert task.cancel_requested_at is not None
    assert manager.is_cancelled(task_id)
    assert not manager.update_progress(task_id, 40)


def test_a_bad_reason_cancels_nothing(manager: ProgressManager) -> None:
    task_id = manager.create_task()

    with pytest.raises(InvalidValue, match="reason"):
        manager.cancel_task(task_id, "x" * 2_001)
    assert manager.get_task(task_id).state == "pending"


# ── logs, lists, deletion ────────────────────────────────────────────────────────────────────────────────────────


def test_log_lines_count_from_1_in_order(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    for n in range(5):
        assert manager.add_log(task_id, f"line {n}", "warning" if n == 3 else "info")

    page = manager.read_log(task_id, start=2, limit=3)

    assert [(line.n, line.text, line.level) for line in page.lines] == [
        (2, "line 1", "info"),
        (3, "line 2", "info"),
        (4, "line 3", "warning"),
    ]
    assert page.truncated_before is None
    assert manager.get_task(task_id).state == "pending", "a line alone starts nothing"


@pytest.mark.parametrize(
    ("line", "field"),
    [({"text": "x" * 4_097}, "text"), ({"text": 5}, "text"), ({"text": "x", "level": "loud"}, "level")],
    ids=["long", "number", "level"],
)
def test_a_bad_line_is_refused(manager: ProgressManager, line: dict[str, Any], field: str) -> None:
    task_id = manager.create_task()

    with pytest.raises(InvalidValue, match=field):
        manager.add_log(task_id, **line)
    assert manager.read_log(task_id).lines == ()


def test_the_newest_10000_lines_are_kept_and_what_is_gone_is_said(manager: ProgressManager) -> None:
    task_id = manager.create_task()
    for n in range(10_050):
        manager.add_log(task_id, str(n + 1))

    page = manager.read_log(task_id, start=1, limit=10)

    assert page.truncated_before == 51
    assert [(line.n, line.text) for line in page.lines] == [(n, str(n)) for n in range(51, 61)]


def test_tasks_are_listed_newest_first_page_by_page(manager: ProgressManager) -> None:
    made = [manager.create_task(owner="anna" if n % 2 else "ben") for n in range(7)]

    first = manager.list_tasks(limit=4)
    second = manager.list_tasks(limit=4, cursor=first.next_cursor)

    assert {task.task_id for task in (*first, *second)} == set(made)
    assert (len(first), len(second), second.next_cursor) == (4, 3, None)
    assert {task.owner for task in manager.list_tasks(owner="anna")} == {"anna"}
    manager.complete_task(made[0])
    assert [task.task_id for task in manager.list_tasks(state="completed")] == [made[0]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 501},
        {"limit": 0},
        {"limit": "5"},
        {"state": "done"},
        {"cursor": "x"},
        {"owner": 5},
        {"owner": ["anna"]},
        {"owner": "\ud83d"},
    ],
)
def test_a_bad_listing_is_refused(manager: ProgressManager, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        manager.list_tasks(**wrong)


def test_only_what_ended_long_enough_ago_is_deleted(manager: ProgressManager) -> None:
    ended, running = manager.create_task(), manager.create_task()
    manager.complete_task(ended)

    assert manager.delete_tasks(older_than=timedelta(hours=1)) == 0
    assert manager.delete_tasks(older_than=timedelta(0), state="failed") == 0
    assert manager.delete_tasks(older_than=timedelta(0)) == 1

    assert manager.get_task(running).state == "pending"
    for call in (manager.get_task, manager.is_cancelled, manager.complete_task):
        with pytest.raises(TaskNotFound):
            call(ended)
    with pytest.raises(TaskNotFound):
        manager.update_progress(ended, 5)


@pytest.mark.parametrize("older_than", [timedelta(seconds=-1), 5, None])
def test_a_bad_age_deletes_nothing(manager: ProgressManager, older_than: Any) -> None:
    with pytest.raises(InvalidValue, match="older_than"):
        manager.delete_tasks(older_than=older_than)
    with pytest.raises(InvalidValue, match="state"):
        manager.delete_tasks(older_than=timedelta(0), state="running")


def test_a_task_that_takes_a_deleted_ones_id_is_a_new_one(manager: ProgressManager) -> None:
    manager.create_task(task_id=OWN_ID)
    manager.update_progress(OWN_ID, 70)
    manager.complete_task(OWN_ID)
    before = manager.get_task(OWN_ID)
    manager.delete_task(OWN_ID)

    manager.create_task(task_id=OWN_ID)

    assert manager.update_progress(OWN_ID, 5)
    task = manager.get_task(OWN_ID)
    assert (task.state, task.progress, task.attempt) == ("running", 5, 1)
    assert task.rev > before.rev


def test_a_task_that_takes_the_id_of_one_that_another_process_deleted_is_a_new_one(store: WatchedStore) -> None:
    with ProgressManager(store=store) as ours, ProgressManager(store=store) as theirs:
        ours.create_task(task_id=OWN_ID)
        ours.update_progress(OWN_ID, 70)
        ours.complete_task(OWN_ID)
        theirs.delete_task(OWN_ID)
        theirs.create_task(task_id=OWN_ID)

        assert ours.update_progress(OWN_ID, 5)
        assert ours.get_task(OWN_ID).progress == 5


def test_a_failure_tells_its_traceback_to_the_log_alone(
    manager: ProgressManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "headway"), pytest.raises(ZeroDivisionError), manager.task("x") as task:
        task.set_result(1 // 0)  # a secret line

    assert "ZeroDivisionError" in caplog.text
    assert "a secret line" in caplog.text
    assert "a secret line" not in str(manager.get_task(task.task_id))


def test_the_log_has_the_traceback_of_an_exception_that_a_plain_call_gives(
    manager: ProgressManager, caplog: pytest.LogCaptureFixture
) -> None:
    task_id = manager.create_task()
    with caplog.at_level(logging.ERROR, "headway"):
        try:
            raise ZeroDivisionError("a secret line")
        except ZeroDivisionError as error:
            manager.fail_task(task_id, error)
            manager.fail_task(task_id, error)  # It has ended: nothing has failed by this.

    assert caplog.text.count("Traceback") == 1
    assert "a secret line" in caplog.text
    assert task_id in caplog.text

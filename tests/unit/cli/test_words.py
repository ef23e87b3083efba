"""How the terminal words a task: pure text."""

from __future__ import annotations

from typing import Any, cast

import pytest

from headway.cli import words
from headway.cli.screen import status_line
from headway.web.wire import TaskPayload


def task(**fields: Any) -> TaskPayload:
    payload = {
        "task_id": "T",
        "name": "Import",
        "state": "running",
        "status": "running",
        "progress": 42,
        "message": "",
        "details": {},
        "stages": None,
        "eta_s": None,
        "worker": "alive",
        "cancel_requested_at": None,
        "created_at": 1_000.0,
        "updated_at": 1_000.0,
        "server_time": 1_000.0,
        "error": None,
    }
    return cast("TaskPayload", payload | fields)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain 中文", "plain 中文"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\r\nb\tc\x00d\x9be", "a  b c d e"),
        ("\u202eevil", "evil"),
        ("two\u2028lines", "two lines"),
        ("\x1b", " "),
    ],
)
def test_nothing_that_steers_a_terminal_is_left(text: str, cleaned: str) -> None:
    assert words.clean(text) == cleaned


def test_chinese_characters_are_two_columns_and_marks_none() -> None:
    assert words.columns("胡同") == 4
    assert words.columns("é") == words.columns("e\u0301") == 1
    assert words.columns("a\u200db") == 2


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("胡同口", 5, "胡同…"),
        ("胡同口", 6, "胡同口"),
        ("ab", 0, ""),
        ("ab", 1, "…"),
    ],
)
def test_text_is_cut_by_columns(text: str, width: int, fits: str) -> None:
    assert words.fitted(text, width) == fits
    assert words.columns(words.fitted(text, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (601, "10 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (200_000, "2 d"),
    ],
)
def test_durations_are_as_precise_as_is_useful(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(("progress", "said"), [(None, "  ? %"), (0, "  0 %"), (99.99, " 99 %"), (100, "100 %")])
def test_percentages_are_rounded_down(progress: float | None, said: str) -> None:
    assert words.percent(progress) == said


def test_the_bar_is_full_only_when_all_is_done_and_empty_when_nothing_is_known() -> None:
    assert words.bar(99.9, 10) == "█████████░"
    assert words.bar(100, 4) == "████"
    assert words.bar(None, 4) == "░░░░"
    assert words.bar(50, 4, unicode=False) == "##--"


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({}, ""),
        ({"completed": 420, "total": 1000, "unit": "rows"}, "420/1,000 rows"),
        ({"completed": 1.5}, "1.50"),
        ({"total": 3}, ""),
        ({"completed": "many"}, ""),
    ],
)
def test_amounts_are_told_where_something_is_counted(details: dict[str, Any], said: str) -> None:
    assert words.amounts(task(details=details)) == said


def test_the_headline_says_what_is_going_on() -> None:
    stages = [{"name": "read", "label": "Reading", "weight": 1, "state": "running", "progress": 0}]

    assert words.headline(task(state="pending", status="pending")) == "waiting"
    assert words.headline(task(state="pending", server_time=1_090.0)) == "waiting for 1 min 30 s"
    assert words.headline(task(status="read", stages=stages, message="page 3")) == "Reading: page 3"
    part = {"name": "ocr", "label": None, "weight": 0, "state": "running", "progress": 0, "parent": "read"}
    assert words.headline(task(status="ocr", stages=[*stages, part])) == "Reading › ocr"
    assert words.headline(task(state="cancelling", cancel_requested_at=993.0)) == "asked to stop 7 s ago, still running"
    assert words.headline(task(state="failed", error={"code": "c", "message": "no disk"})) == "failed: no disk (c)"
    assert words.headline(task(state="completed")) == "completed"


def test_doubts_are_told_only_where_there_are_some() -> None:
    assert words.doubts(task(), age_s=3) == ""
    assert words.doubts(task(updated_at=992.0), age_s=4) == "last update 12 s ago"
    assert words.doubts(task(worker="silent"), age_s=40) == "no sign of life from its worker; last update 40 s ago"
    assert words.doubts(task(state="completed", worker=None), age_s=999) == ""


def test_the_line_never_is_wider_than_the_terminal() -> None:
    busy = task(name="老北京胡同" * 9, message="m" * 500, details={"completed": 1, "total": 2}, eta_s=75.0)

    for width in range(1, 200):
        line = status_line(busy, age_s=99, trouble="reconnecting", width=width)
        assert words.columns(line) <= width
    assert "about 1 min 15 s left" in line
    assert "reconnecting" in line

"""What the demo's creating routes accept, and how they say no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.demo import asked
from headway.model.errors import InvalidValue

STYLES = ("ink", "film")
TRIAL: dict[str, Any] = {"seconds": 1, "updates": 10, "outcome": "complete"}


def post(**fields: object) -> asked.PostAsked:
    return asked.post({"input_text": "老北京胡同", **fields}, styles=STYLES)


def trial(**fields: object) -> asked.TrialAsked:
    return asked.trial({**TRIAL, **fields})


def test_a_topic_alone_asks_for_four_cards_in_the_first_style() -> None:
    wanted = asked.post({"input_text": " 老北京胡同 \n"}, styles=STYLES)

    assert wanted == asked.PostAsked(topic="老北京胡同", cards=4, style="ink", language=None, seed=None)


def test_all_that_may_be_chosen_is_taken() -> None:
    wanted = post(cards=24, style="film", language="en", seed=-7, colour="ignored")

    assert (wanted.cards, wanted.style, wanted.language, wanted.seed) == (24, "film", "en", -7)


def test_null_stands_for_not_chosen() -> None:
    assert post(cards=None, style=None, language=None, seed=None) == post()


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("input_text", 7, "2,000"),
        ("input_text", "", "1 to 2,000"),
        ("input_text", " \n\t ", "1 to 2,000"),
        ("input_text", "字" * 2_001, "2,000"),
        ("input_text", "half a pair \ud800", "surrogate"),
        ("input_text", None, "2,000"),
        ("cards", 0, "from 1 to 24"),
        ("cards", 25, "from 1 to 24"),
        ("cards", True, "from 1 to 24"),
        ("cards", 4.0, "from 1 to 24"),
        ("cards", "4", "from 1 to 24"),
        ("cards", [4], "from 1 to 24"),
        ("style", "watercolour", "ink, film"),
        ("style", 1, "ink, film"),
        ("language", "fr", "zh-CN, en"),
        ("seed", "x", "whole number"),
        ("seed", False, "whole number"),
        ("seed", 2**53, "whole number"),
    ],
)
def test_a_refused_post_names_the_field_and_its_limit(field: str, value: object, limit: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        post(**{field: value})

    assert refused.value.field == field
    assert limit in str(refused.value)


def test_a_post_without_a_topic_is_refused() -> None:
    with pytest.raises(InvalidValue, match="input_text"):
        asked.post({}, styles=STYLES)


def test_two_thousand_characters_are_a_topic() -> None:
    assert len(post(input_text="字" * 2_000).topic) == 2_000


def test_a_test_task_is_taken_as_asked() -> None:
    wanted = trial(seconds=0.1, updates=10_000, stages=["prepare", "render_2"], outcome="hang", process=True)

    assert wanted == asked.TrialAsked(
        seconds=0.1, updates=10_000, stages=("prepare", "render_2"), outcome="hang", process=True
    )


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("seconds", 0.05, "0.1 to 600"),
        ("seconds", 601, "0.1 to 600"),
        ("seconds", "1", "0.1 to 600"),
        ("seconds", True, "0.1 to 600"),
        ("updates", 0, "1 to 10,000"),
        ("updates", 10_001, "1 to 10,000"),
        ("updates", 1.5, "1 to 10,000"),
        ("outcome", "explode", "complete, fail, hang, crash"),
        ("outcome", None, "complete, fail, hang, crash"),
        ("stages", "prepare", "list"),
        ("stages", ["Prepare!"], "a-z 0-9 _"),
        ("stages", [1], "a-z 0-9 _"),
        ("stages", ["failed"], "name of a state"),
        ("stages", ["twice", "twice"], "differ"),
        ("stages", [f"stage_{n}" for n in range(51)], "50"),
    ],
)
def test_a_refused_test_task_names_the_field_and_its_limit(field: str, value: object, limit: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        trial(**{field: value})

    assert refused.value.field == field
    assert limit in str(refused.value)


@pytest.mark.parametrize("field", ["seconds", "updates", "outcome"])
def test_a_test_task_needs_its_length_its_updates_and_its_outcome(field: str) -> None:
    with pytest.raises(InvalidValue, match=f"{field}: is missing"):
        asked.trial({key: value for key, value in TRIAL.items() if key != field})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b"\xff\xfe\x00",
        b"[" * 30_000,
        json.dumps({"a": 1}).encode() + b"x",
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidValue, match="body"):
        asked.body(raw)

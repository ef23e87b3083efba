"""Single values: what is over its limit is refused by a ValueError that names the field and the limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any

import pytest

from headway.model import limits
from headway.model.errors import InvalidValue


class Word(str, Enum):  # noqa: UP042 - what many programs have, and whose str() is 'Word.INFO'
    INFO = "info"


class Five(IntEnum):
    FIVE = 5


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        -1,
        -0.001,
        100.001,
        101,
        10**400,
        -(10**5000),
        "50",
        b"5",
        None,
        True,
        [5],
        1 + 0j,
    ],
    ids=lambda value: type(value).__name__ + str(value)[:8] if not isinstance(value, int) else f"int{value % 1000}",
)
def test_a_progress_that_is_no_number_from_0_to_100_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^progress: must be .*0 .*100") as caught:
        limits.percent(value)

    assert isinstance(caught.value, ValueError)
    assert caught.value.field == "progress"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("value", "plain"), [(0, 0), (100, 100), (33.5, 33.5), (Five.FIVE, 5), (Fraction(1, 4), 0.25)])
def test_every_real_number_in_range_is_taken_and_made_plain(value: Any, plain: float) -> None:
    taken = limits.percent(value)

    assert taken == plain
    assert type(taken) in (int, float)


@pytest.mark.parametrize("value", [2**53, 1e300, -1, math.inf])
def test_an_amount_is_bounded_by_what_every_reader_counts_exactly(value: float) -> None:
    with pytest.raises(InvalidValue, match="completed"):
        limits.amount(value, "completed")


def test_a_text_may_be_as_long_as_its_limit_and_no_longer() -> None:
    assert limits.text("长" * 2_000, "message", limits.MESSAGE_CHARS) == "长" * 2_000

    with pytest.raises(InvalidValue, match=r"message: must be up to 2,000 characters; it has 2,001"):
        limits.text("长" * 2_001, "message", limits.MESSAGE_CHARS)


@pytest.mark.parametrize(
    "check",
    [
        limits.task_id,
        limits.stage_name,
        limits.level,
        lambda value: limits.text(value, "message", 4),
    ],
)
def test_a_member_of_an_enumeration_of_texts_is_its_text(check: Callable[[object], str]) -> None:
    checked = check(Word.INFO)

    assert (checked, type(checked)) == ("info", str)


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(InvalidValue, match="surrogate"):
        limits.text("\ud83d", "message", 10)
    with pytest.raises(InvalidValue, match="surrogate"):
        limits.encode({"a": "\ud83d"}, "details", 100)


@pytest.mark.parametrize("value", ["", "a b", "a/b", "ä", "x" * 129, 5, None, "a\n", ".", "..", ".a"])
def test_an_id_that_does_not_fit_into_a_url_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match="task_id"):
        limits.task_id(value)


@pytest.mark.parametrize("value", ["-a", "--help", "_a"])
def test_an_id_begins_with_a_letter_or_digit(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"task_id: must .* begin with a letter or digit"):
        limits.task_id(value)


@pytest.mark.parametrize("value", ["0", "a", "Z.._--", "x" * 128])
def test_an_id_that_a_url_and_a_shell_can_carry_is_taken(value: str) -> None:
    assert limits.task_id(value) == value


@pytest.mark.parametrize("value", ["Loading", "a-b", "", "x" * 65, "标题", 3, "a\n"])
def test_a_stage_name_is_of_small_letters_digits_and_underscores(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"status: must be 1 to 64 of a-z 0-9 _"):
        limits.stage_name(value)


@pytest.mark.parametrize(
    "value",
    [{"a": math.nan}, {"a": math.inf}, {"a": {1, 2}}, {"a": b"x"}, {"a": object()}, {("a", 1): 2}, {"a": 10**5000}],
    ids=["nan", "inf", "set", "bytes", "object", "tuple key", "endless digits"],
)
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match="details: must be JSON"):
        limits.encode(value, "details", limits.DETAILS_BYTES)


def test_a_value_that_contains_itself_is_refused() -> None:
    ring: dict[str, object] = {}
    ring["ring"] = ring

    with pytest.raises(InvalidValue, match="details"):
        limits.encode(ring, "details", limits.DETAILS_BYTES)


def test_size_is_counted_in_bytes_not_characters() -> None:
    fits = {"a": "字" * ((limits.DETAILS_BYTES - 8) // 3)}

    assert len(limits.encode(fits, "details", limits.DETAILS_BYTES).encode()) <= limits.DETAILS_BYTES
    with pytest.raises(InvalidValue, match=r"details: must be up to 8,192 bytes") as caught:
        limits.encode({"a": "字" * limits.DETAILS_BYTES}, "details", limits.DETAILS_BYTES)
    assert caught.value.code == "too_large"


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def test_json_nests_32_deep_and_not_33() -> None:
    limits.encode(nested(32), "details", 10_000)

    with pytest.raises(InvalidValue, match="nest at most 32 deep"):
        limits.encode(nested(33), "details", 10_000)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    limits.encode({"rows": [[] for _ in range(500)], "text": "[[[[" * 50}, "details", 10_000)


def test_what_is_encoded_is_a_snapshot() -> None:
    details = {"current": "a"}

    encoded = limits.encode(details, "details", 100)
    details["current"] = "b"

    assert encoded == '{"current":"a"}'


@pytest.mark.parametrize("value", ["warn", "INFO", "", None, ["info"]])
def test_an_unknown_level_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match="level: must be one of debug, info, warning, error"):
        limits.level(value)


def test_what_nests_too_deep_is_refused_by_its_limit_however_deep_it_is() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    for value in (circle, deep, [deep]):
        with pytest.raises(InvalidValue, match=r"^result: must nest at most 32 deep$"):
            limits.encode(value, "result", 1_000_000)

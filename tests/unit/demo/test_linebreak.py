"""Line breaking, with a measure of our own: a Chinese character is one em wide, any other half of one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.demo.cards.linebreak import NEVER_FIRST, NEVER_LAST, break_lines, hang

CHINESE = "胡同里的阳光慢慢走过灰墙，落在门墩儿上。卖糖葫芦的老人笑着说：“不急，慢慢看！”（他在这儿住了四十年）"


def measure(text: str) -> float:
    return sum(1.0 if ord(c) > 0x2E7F else 0.5 for c in text)


def lines(text: str, width: float, **options: object) -> list[str]:
    return break_lines(text, width, measure, **options).lines  # type: ignore[arg-type]


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", range(5, 30))
@pytest.mark.parametrize("balance", [False, True])
def test_no_line_begins_with_closing_or_ends_with_opening_punctuation(width: int, balance: bool) -> None:
    broken = lines(CHINESE, width, balance=balance)

    assert "".join(broken) == CHINESE
    assert all(line[0] not in NEVER_FIRST for line in broken)
    assert all(line[-1] not in NEVER_LAST for line in broken)


@pytest.mark.parametrize("width", range(5, 30))
def test_lines_are_no_wider_than_asked_save_for_punctuation_that_hangs_out(width: int) -> None:
    assert all(measure(line) - hang(line) <= width for line in lines(CHINESE, width))


@pytest.mark.parametrize("width", range(7, 24))
def test_the_last_line_never_holds_one_character_alone(width: int) -> None:
    last = lines("今天的风很轻云很淡适合一个人去看海。", width)[-1]

    assert len(last.rstrip("。")) >= 2


def test_latin_words_stay_whole() -> None:
    broken = lines("用 Python 和 WebSocket 写进度条 step-by-step 很简单", 9)

    assert {"Python", "WebSocket", "step-by-step"} <= set(" ".join(broken).split())
    assert all(any(word in line for line in broken) for word in ("Python", "WebSocket", "step-by-step"))


def test_a_word_wider_than_the_line_is_cut_and_loses_nothing() -> None:
    address = "https://example.org/a/very/long/path"

    broken = lines(f"看 {address} 这里", 6)

    assert without_spaces("".join(broken)) == without_spaces(f"看{address}这里")
    assert all(measure(line) <= 6.5 for line in broken)


def test_a_number_keeps_its_measure_word() -> None:
    assert all(not line.startswith("天") for width in range(4, 12) for line in lines("一共走了整整15天才到", width))


@pytest.mark.parametrize("pair", ["——", "……"])
def test_long_dashes_and_ellipses_are_never_parted(pair: str) -> None:
    for width in range(4, 14):
        broken = lines(f"有些话{pair}说出口就变了样子", width)
        assert any(pair in line for line in broken)


def test_a_heading_is_broken_behind_its_pause() -> None:
    assert lines("在胡同里，偷得半日闲", 8, balance=True) == ["在胡同里，", "偷得半日闲"]


def test_a_bar_in_a_heading_is_a_line_break() -> None:
    assert lines("老北京胡同｜慢下来才看得见", 9, balance=True) == ["老北京胡同", "慢下来才看得见"]


def test_a_phrase_to_be_kept_is_not_parted_in_a_heading() -> None:
    broken = lines("老北京胡同这样逛才不白来", 8, balance=True, keep=["老北京胡同"], whole=frozenset({"这样"}))

    assert broken == ["老北京胡同", "这样逛才不白来"]


def test_the_first_line_is_indented_and_still_fits() -> None:
    broken = lines("那天的光斜斜地落下来，我坐了很久很久。", 8, indent=2)

    assert broken[0].startswith("\u3000\u3000")
    assert not any(line.startswith("\u3000") for line in broken[1:])
    assert all(measure(line) - hang(line) <= 8 for line in broken)


def test_empty_text_has_no_lines() -> None:
    assert lines("", 10) == []
    assert lines("  \n ", 10) == []


@given(st.text(max_size=60), st.floats(2, 20), st.booleans())
def test_nothing_is_lost_whatever_the_text(text: str, width: float, balance: bool) -> None:
    bare = text.replace("｜", "").replace("|", "")

    assert without_spaces("".join(lines(bare, width, balance=balance))) == without_spaces(bare)

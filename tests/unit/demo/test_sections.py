"""Reading a service's answer while it arrives: whatever the pieces, the same copy; and nothing that is not there."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.demo.errors import GeneratorError
from headway.demo.generators.base import SECTIONS, Brief, Copy, Written
from headway.demo.generators.sections import Sections

ANSWER = """[[TITLE]]
胡同里的慢时光
[[TEXT]]
清晨的胡同还没睡醒，灰墙上挂着一层薄薄的光。

走慢一点，就能听见鸽哨。
[[TAGS]]
#老北京胡同 #城市漫步 #慢生活
[[CARD cover]]
胡同里的慢时光
> 走慢一点才好看
[[CARD list]]
一定要看的三样
- 灰砖墙上的光影
- 门墩儿
- 老槐树
[[CARD ending]]
下次一起去
- 你最喜欢哪一条胡同？
[[END]]
"""


def brief(cards: int = 3, language: str = "zh-CN") -> Brief:
    return Brief("老北京胡同", "gentle", language, cards, 1)


def read(pieces: list[str], cards: int = 3) -> list[Written]:
    sections = Sections(brief(cards))
    events = [event for piece in pieces for event in sections.feed(piece)]
    return events + list(sections.finish())


def final(text: str, cards: int = 3) -> Copy:
    return read([text], cards)[-1].copy


def test_an_answer_is_read_into_its_parts() -> None:
    copy = final(ANSWER)

    assert copy.title == "胡同里的慢时光"
    assert copy.text.startswith("清晨的胡同")
    assert copy.text.endswith("鸽哨。")
    assert copy.tags == ("老北京胡同", "城市漫步", "慢生活")
    assert [card.kind for card in copy.cards] == ["cover", "list", "ending"]
    assert copy.cards[0].caption == "走慢一点才好看"
    assert copy.cards[1].lines == ("灰砖墙上的光影", "门墩儿", "老槐树")


@given(st.lists(st.integers(0, len(ANSWER)), max_size=30))
def test_it_does_not_matter_where_the_pieces_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]

    events = read([ANSWER[start:end] for start, end in itertools.pairwise(edges)])

    assert events[-1].copy == final(ANSWER)
    assert [event.section for event in events] == sorted((e.section for e in events), key=SECTIONS.index)
    assert all("[[" not in event.copy.title + event.copy.text for event in events)


def test_character_by_character_what_has_arrived_only_grows() -> None:
    events = read(list(ANSWER))
    texts = [event.copy.text for event in events if event.section == "text"]

    assert len(texts) > 20
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert [len(event.copy.cards) for event in events if event.section == "cards"][-1] == 3


def test_the_last_event_of_a_section_has_it_whole() -> None:
    events = read([ANSWER])

    last = {event.section: event.copy for event in events}
    assert last["title"].title == "胡同里的慢时光"
    assert last["text"].text.endswith("鸽哨。")
    assert len(last["tags"].tags) == 3


def test_an_answer_in_json_is_read_too() -> None:
    answer = {
        "title": "胡同",
        "text": "清晨的胡同还没睡醒，灰墙上有光。",
        "tags": ["#胡同", "北京"],
        "cards": [{"kind": "cover", "heading": "胡同"}, {"kind": "list", "heading": "看什么", "lines": ["门墩儿"]}],
    }

    copy = final(f"Here you are:\n```json\n{json.dumps(answer, ensure_ascii=False)}\n```", cards=2)

    assert (copy.title, copy.tags) == ("胡同", ("胡同", "北京"))
    assert copy.cards[1].lines == ("门墩儿",)


def test_marks_in_bold_or_as_headings_are_marks() -> None:
    assert final(ANSWER.replace("[[TITLE]]", "**[[TITLE]]**").replace("[[TEXT]]", "## [[TEXT]]")) == final(ANSWER)


def test_missing_cards_are_made_up_from_the_text_and_spare_ones_are_left_out() -> None:
    assert [card.kind for card in final(ANSWER, cards=5).cards] == ["cover", "list", "story", "story", "ending"]
    assert [card.kind for card in final(ANSWER, cards=2).cards] == ["cover", "list"]
    assert [card.kind for card in final(ANSWER, cards=1).cards] == ["cover"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I am sorry, I can't help with that.",
        "<html><body>Bad gateway</body></html>",
        "[[TITLE]]\n[[TEXT]]\n[[TAGS]]\n[[END]]",
        "[[TITLE]]\n只有标题\n[[END]]",
        "[[TEXT]]\n只有正文，没有标题，这样也是不行的。\n[[END]]",
        '{"title": "x"',
        '{"title": {"a": 1}, "text": 3, "cards": 7}',
        "[" * 5000,
    ],
)
def test_what_is_no_post_is_refused_with_a_code_and_a_sentence(answer: str) -> None:
    with pytest.raises(GeneratorError) as caught:
        final(answer)

    assert caught.value.code == "generator_bad_output"
    assert "OPENAI_MODEL" in str(caught.value)


def test_too_few_cards_for_the_text_to_make_up_are_refused() -> None:
    with pytest.raises(GeneratorError):
        final(ANSWER, cards=24)


def test_halves_of_characters_and_zeros_never_come_through() -> None:
    copy = final(ANSWER.replace("薄薄", "\ud83d\x00"))

    copy.text.encode()
    assert "\x00" not in copy.text


def test_a_character_in_two_halves_is_put_together() -> None:
    events = read([ANSWER[:40], "\ud83c", "\udfee", ANSWER[40:]])

    assert "🏮" in events[-1].copy.text


@given(st.text(max_size=400))
def test_garbage_is_either_a_post_or_refused(text: str) -> None:
    try:
        copy = final("[[TITLE]]" + text)
    except GeneratorError:
        return
    assert copy.title
    assert copy.text
    assert len(copy.cards) == 3

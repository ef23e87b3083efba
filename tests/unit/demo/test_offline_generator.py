"""The offline generator: about the topic, different each time, the same for a seed, never half a sentence."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.demo.cards.card import KINDS
from headway.demo.generators import topics
from headway.demo.generators.base import LANGUAGES, SECTIONS, STYLES, Brief, Copy, Written
from headway.demo.generators.offline import TITLE_WIDTH, OfflineGenerator, Pace, compose
from headway.demo.generators.topics import CATEGORIES, subject_of, topic_of, width

TOPICS = {
    "zh-CN": (
        *("老北京胡同", "手冲咖啡", "秋天", "春节", "剪纸", "Python 编程", "早起", "我家的猫", "考研", "茶"),
        *("量子力学", "露营", "周末去哪儿玩？", "🍜", "写一篇关于海边日落的小红书文案", "hello"),
    ),
    "en": (
        *("the old hutongs of Beijing", "coffee", "autumn", "how to bake bread"),
        *("Python", "cats", "running", "老北京胡同"),
    ),
}


def brief(
    topic: str = "老北京胡同", language: str = "zh-CN", style: str = "lively", cards: int = 6, seed: int = 1
) -> Brief:
    return Brief(topic, style, language, cards, seed)


def all_words(copy: Copy) -> str:
    cards = "\n".join("\n".join((card.heading, *card.lines, card.caption)) for card in copy.cards)
    return "\n".join((copy.title, copy.text, " ".join(copy.tags), cards))


def no_wait(_seconds: float) -> None:
    """Types as fast as it can."""


def test_the_same_brief_gives_the_same_copy() -> None:
    assert compose(brief(seed=7)) == compose(brief(seed=7))


def test_other_seeds_give_other_copy() -> None:
    texts = {compose(brief(seed=seed)).text for seed in range(40)}

    assert len(texts) == 40


def test_other_topics_and_styles_give_other_copy() -> None:
    copies = {compose(brief(topic, style=style)).text for topic, style in product(("茶", "海边", "读书"), STYLES)}

    assert len(copies) == 3 * len(STYLES)


@pytest.mark.parametrize(("language", "style"), list(product(LANGUAGES, STYLES)))
def test_copy_is_whole_and_about_the_topic(language: str, style: str) -> None:
    for topic, seed in product(TOPICS[language], range(3)):
        copy = compose(brief(topic, language, style, 6, seed))
        words = all_words(copy)

        assert not re.search(r"[{}]|\[\w*\||。。|，，|先先", words), words
        assert subject_of(topic, language).strip("「」").lower() in copy.text.lower() + copy.title.lower()
        assert width(re.sub(r"\W+$", "", copy.title)) <= TITLE_WIDTH[language]
        assert len(copy.text.split("\n\n")) >= 4
        assert 4 <= len(copy.tags) <= 7
        assert all(re.fullmatch(r"\w{1,20}", tag) for tag in copy.tags)
        assert len(set(copy.tags)) == len(copy.tags)


@pytest.mark.parametrize("cards", range(1, 25))
def test_there_are_as_many_cards_as_were_asked_for_and_no_two_alike(cards: int) -> None:
    for style, language in product(STYLES, LANGUAGES):
        made = compose(brief(style=style, language=language, cards=cards)).cards

        assert len(made) == cards
        assert made[0].kind == "cover"
        assert all(card.kind in KINDS and card.heading for card in made)
        assert (made[-1].kind == "ending") == (cards >= 3)
        assert len({(card.heading, card.lines) for card in made}) == cards


def test_no_sentence_of_the_text_is_said_twice() -> None:
    for topic, seed in product(TOPICS["zh-CN"], range(5)):
        sentences = [part for part in re.split(r"[。！？\n]", compose(brief(topic, seed=seed)).text) if len(part) > 4]

        assert len(set(sentences)) == len(sentences)


def test_it_is_typed_section_by_section_and_says_how_much_there_will_be() -> None:
    events = list(OfflineGenerator(Pace(chunk=5)).write(brief(cards=3), no_wait))

    assert [event.section for event in events] == sorted((e.section for e in events), key=SECTIONS.index)
    for section in SECTIONS:
        own = [event for event in events if event.section == section]
        assert [event.received for event in own] == sorted(event.received for event in own)
        assert own[-1].received == own[-1].expected
    assert events[-1].copy == compose(brief(cards=3))


def test_typing_waits_before_each_piece_and_stops_when_waiting_raises() -> None:
    class Stopped(BaseException):
        pass

    seen: list[Written] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 5:
            raise Stopped

    with pytest.raises(Stopped):
        seen.extend(OfflineGenerator(Pace(chunk=2, pause_s=0.25)).write(brief(), wait))

    assert waits == [0.25] * 5


def test_it_says_that_it_is_offline() -> None:
    generator = OfflineGenerator()

    assert generator.is_offline
    assert "离线" in generator.label("zh-CN")
    assert "ffline" in generator.label("en")


@pytest.mark.parametrize(
    ("topic", "category", "scene"),
    [
        ("老北京胡同", "place", "hutong"),
        ("胡同里的面馆", "food", "bowl"),
        ("老北京炸酱面", "food", "bowl"),
        ("秋天的第一杯奶茶", "food", "cup"),
        ("中秋节", "festival", "lanterns"),
        ("AI绘画", "tech", "grid"),
        ("Python 编程", "tech", "grid"),
        ("考研英语", "study", "books"),
        ("今天天气不错啊", "other", "hills"),
    ],
)
def test_the_head_of_a_noun_says_what_it_is(topic: str, category: str, scene: str) -> None:
    found = topic_of(topic, "zh-CN")

    assert (found.category, found.scene) == (category, scene)


def test_a_topic_in_the_other_language_is_understood_too() -> None:
    assert topic_of("老北京胡同", "en").scene == "hutong"
    assert topic_of("coffee", "zh-CN").scene == "cup"


def test_every_category_has_words_in_both_languages() -> None:
    for language in LANGUAGES:
        rules = topics.grammar(language)
        for part in ("title_by", "title_emoji", "middle", "list", "tips"):
            assert set(CATEGORIES) <= set(rules[part])
        for part in ("title", "open", "list_head", "end", "ask", "cover_caption"):
            assert set(rules[part]) == set(STYLES)


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ("老北京胡同", "老北京胡同"),
        ("帮我写一篇关于景德镇陶瓷的小红书文案", "景德镇陶瓷"),
        ("《红楼梦》", "红楼梦"),
        ("如何写好简历", "写好简历"),
        ("云南大理五天四夜攻略", "云南大理"),
        ("  \n\n茶  ", "茶"),
        ("🍜✨", "面条"),
        ("🐈‍⬛☕🐈", "猫咪和咖啡"),
        ("✨!!", "这件小事"),
        ("我想要一篇关于猫咪的小红书文案", "猫咪"),
        ("周末去逛旧书店", "逛旧书店"),
        ("如何在三十岁以后开始学钢琴", "三十岁以后开始学钢琴"),
        ("Rust 语言入门", "Rust 语言"),
        ("面试技巧合集", "面试技巧"),
        ("为什么猫喜欢纸箱", "「为什么猫喜欢纸箱」"),
        ("第一次带爸妈去青岛看海，怎么安排才不累？", "第一次带爸妈去青岛看海"),
    ],
)
def test_what_was_asked_for_is_called_by_a_few_words(asked: str, subject: str) -> None:
    assert subject_of(asked, "zh-CN") == subject


@pytest.mark.parametrize(
    ("topic", "scene"),
    [("🍜", "bowl"), ("深夜的 24h 便利店", "city"), ("学钢琴", "books"), ("SQL", "grid"), ("失恋", "room")],
)
def test_odd_and_everyday_topics_find_words_of_their_own(topic: str, scene: str) -> None:
    assert topic_of(topic, "zh-CN").scene == scene


def test_an_activity_is_never_met_written_to_or_stepped_into() -> None:
    for seed in range(60):
        copy = compose(Brief("周末去逛旧书店", "gentle" if seed % 2 else "story", "zh-CN", 4, seed))

        said = " ".join((copy.title, *(card.heading for card in copy.cards)))
        assert not re.search("遇见|遇到|写给逛|在逛|书店里", said)


@pytest.mark.parametrize(("topic", "language"), [("失恋", "zh-CN"), ("breakup", "en")])
def test_what_hurts_is_not_praised_to_the_skies(topic: str, language: str) -> None:
    openings = {line.replace("{s}", topic) for line in topics.grammar(language)["open"]["story"]}
    for seed in range(5):
        copy = compose(Brief(topic, "lively", language, 4, seed))

        assert copy.text.split("\n")[0] in openings
        assert not re.search("上瘾|惊艳|obsessed|worth every minute", copy.title)


@pytest.mark.parametrize("topic", ["A café in the rain", "The Great Wall"])
def test_an_article_in_the_middle_of_an_english_sentence_is_small(topic: str) -> None:
    for seed in range(30):
        whole = all_words(compose(Brief(topic, "gentle", "en", 8, seed)))

        assert not re.search(rf"[a-z,] {topic}", whole)
        assert topic[1:] in whole


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=300).filter(str.strip), st.sampled_from(LANGUAGES), st.sampled_from(list(STYLES)))
def test_whatever_was_asked_for_there_is_a_post(topic: str, language: str, style: str) -> None:
    copy = compose(brief(topic, language, style, cards=4))

    assert copy.title
    assert copy.text
    assert copy.tags
    assert len(copy.cards) == 4


@pytest.mark.parametrize("topic", ["สวัสดี กรุงเทพฯ", "गर्मी की छुट्टी", "한국 여행"])
def test_a_topic_in_another_script_keeps_its_marks_on_the_cover(topic: str) -> None:
    for seed in range(8):
        cover = compose(Brief(topic, "lively", "zh-CN", 2, seed)).cards[0]

        assert topic in cover.heading
        assert "\ufe0f" not in cover.heading


@pytest.mark.parametrize(
    ("topic", "language", "tag"),
    [
        ("A walk in the 胡同: 🍜", "zh-CN", "AWalkInThe胡同"),
        ("老北京胡同", "zh-CN", "老北京胡同"),
        ("Old Beijing hutongs", "en", "oldbeijinghutongs"),
        ("สวัสดี กรุงเทพฯ", "zh-CN", "สวัสดีกรุงเทพ"),
    ],
)
def test_the_first_tag_is_the_topic_in_one_word(topic: str, language: str, tag: str) -> None:
    assert compose(Brief(topic, "lively", language, 1, 3)).tags[0].startswith(tag)

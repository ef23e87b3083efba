"""What a topic is about: the few words to call it by, its category, and what we know about it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from headway.demo.cards.words import is_chinese, plain, says_something, stand_in

CATEGORIES = ("place", "food", "craft", "season", "festival", "tech", "lifestyle", "study", "other")
FIELDS = ("see", "hear", "joy", "do", "time", "mood", "tip", "miss", "note", "quote", "tags")

_FOLDERS = {"zh-CN": "zh", "en": "en"}
_LONGEST = {"zh-CN": 12.0, "en": 20.0}  # of a subject, in the width of Chinese characters


@dataclass(frozen=True)
class Topic:
    """An entry of `words/*/topics.toml`."""

    category: str
    scene: str
    keys: tuple[str, ...]
    words: dict[str, tuple[str, ...]]


def topic_of(text: str, language: str) -> Topic:
    """The entry that fits best, in that language, whatever language the text is in."""
    own = _topics(language)
    text = _in_words(text, language)
    if found := _named(text, own):
        return found
    for other in _FOLDERS.keys() - {language}:
        if found := _named(text, _topics(other)):
            alike = [one for one in own if one.category == found.category]
            return next((one for one in alike if one.scene == found.scene), alike[0])
    return next(one for one in own if one.category == "other")


def subject_of(text: str, language: str) -> str:
    """What to call it in a sentence: short, on one line, never empty."""
    first = next((line for line in map(str.strip, _in_words(text, language).splitlines()) if line), "")
    subject = _QUOTES.sub("", plain(first))
    for wrapping in _WRAPPINGS:
        stripped = wrapping.sub("", subject).strip()
        subject = stripped or subject
    subject = _HOW_TO.sub(lambda match: _gerund(match[1]), subject)
    subject = subject.strip(" ，。！？；：、,.!?;:~～…·-—#")
    if width(subject) > _LONGEST[language]:
        subject = _shortened(subject, language)
    if not says_something(subject):
        return stand_in(language)
    # A question is no noun: it is set off where it stands in a sentence.
    return f"「{subject}」" if _ASKS.search(subject) else subject


def is_activity(subject: str) -> bool:
    """Whether it is something that one does, in Chinese: nobody meets it, or writes to it."""
    return _DOES.match(subject) is not None


def hurts(text: str) -> bool:
    """Whether nobody would want to hear how delightful it is."""
    return _HURTS.search(text) is not None


def language_of(text: str) -> str:
    """The language to write in where none was asked for."""
    return "zh-CN" if is_chinese(text) or not re.search("[A-Za-z]", text) else "en"


def width(text: str) -> float:
    """In Chinese characters; Latin letters are half as wide."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.5 for c in text)


def _in_words(text: str, language: str) -> str:
    """The text; what its emoji are called where there is nothing else in it, two of them at most."""
    if says_something(plain(text)):
        return text
    names = dict.fromkeys(names[language] for sign in text if (names := _emoji().get(sign)))
    return ("和" if language == "zh-CN" else " and ").join(list(names)[:2]) or text


def _shortened(subject: str, language: str) -> str:
    longest = _LONGEST[language]
    for clause in re.split(r"[，。！？；：、,!?;:\n（(]|\.\s| - |——|\s{2,}", subject):
        if 2 <= width(clause.strip()) <= longest:
            return clause.strip()
    if key := _last_key(subject, _topics(language)):
        return subject[key[0] : key[1]]
    if is_chinese(subject) and " " not in subject[:12]:
        return subject[:10]
    short = ""
    for word in subject.split():
        if width(f"{short} {word}") > longest:
            break
        short = f"{short} {word}".strip()
    return short or subject[: int(longest)]


def _named(text: str, topics: tuple[Topic, ...]) -> Topic | None:
    found = _last_key(text, topics)
    return found[2] if found else None


def _last_key(text: str, topics: tuple[Topic, ...]) -> tuple[int, int, Topic] | None:
    """The key that ends last in the text, and the longest of those: nouns have their head at the end."""
    best: tuple[int, int, Topic] | None = None
    for topic in topics:
        for key in topic.keys:
            for match in _pattern(key).finditer(text):
                if best is None or (match.end(), -match.start()) > (best[1], -best[0]):
                    best = (match.start(), match.end(), topic)
    return best


@cache
def _pattern(key: str) -> re.Pattern[str]:
    escaped = re.escape(key)
    return re.compile(escaped if is_chinese(key) else rf"(?<![A-Za-z]){escaped}(?![A-Za-z])", re.IGNORECASE)


@cache
def _topics(language: str) -> tuple[Topic, ...]:
    return tuple(
        Topic(one["category"], one["scene"], tuple(one["keys"]), {name: tuple(one[name]) for name in FIELDS})
        for one in _read(language, "topics")["topic"]
    )


@cache
def grammar(language: str) -> dict[str, dict[str, list[Any]]]:
    """The rules of `words/*/grammar.toml`: lists of sentences, or of [heading, what from, caption]."""
    rules: dict[str, dict[str, list[Any]]] = _read(language, "grammar")
    return rules


@cache
def _emoji() -> dict[str, dict[str, str]]:
    """By sign: what it is called in each language."""
    signs = _read("", "emoji").items()
    return {sign: {"zh-CN": zh, "en": en} for row, (zh, en) in signs for sign in row if sign not in "\u200d\ufe0f"}


def _read(language: str, name: str) -> dict[str, Any]:  # Any: what TOML may hold
    file = resources.files("headway.demo").joinpath("words", _FOLDERS.get(language, ""), f"{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def _gerund(verb: str) -> str:
    """'make' → 'making', 'run' → 'running', 'cook' → 'cooking'."""
    if re.search("[^e]e$", verb):
        verb = verb[:-1]
    elif re.fullmatch("[^aeiou]*[aeiou][bdgmnprt]", verb):
        verb += verb[-1]
    return verb + "ing"


_HOW_TO = re.compile(r"^[Hh]ow to ([a-z]+)")
_ASKS = re.compile("去哪|哪[里儿些个]|怎么|如何|为什么|什么|吗$|多少|能不能|要不要|该不该")
_DOES = re.compile("[逛学看吃喝玩爬买听找泡赶骑跑做煮拍养练读写去带租减搬]|第一次|.*(?:开始|怎么|一起)")
_HURTS = re.compile(
    "失恋|分手|离婚|生病|住院|焦虑|抑郁|失眠|孤独|裁员|离职|失业|去世|葬礼|癌|emo|"
    r"\b(?:breakup|break-up|heartbreak|divorce|grief|funeral|cancer|illness|anxiety|depression|insomnia|loneliness|"
    r"layoffs?|burnout)\b",
    re.IGNORECASE,
)
_QUOTES = re.compile('[《》“”「」『』【】"]')
# What people put around the thing itself when they ask a machine for it.
_WRAPPINGS = (
    re.compile(
        r"^(?:请|麻烦)?(?:帮我|给我|替我|我想|我要)?(?:写|生成|创作|做|来)(?:一|几)?(?:篇|个|份|组|套|段|条)"
        r"(?:小红书)?(?:文案|笔记|帖子|推文|文章|图文)?[，,：:]?"
    ),
    re.compile("^(?:我|我们)?(?:想要|想写|需要|要)(?:一|几|两)?(?:篇|份|组|套|段|条)"),
    re.compile(r"^(?:主题|题目|话题)[是为：:]+\s*"),
    re.compile(r"^(?:关于|有关|聊聊|说说|讲讲|介绍一下|介绍|以)(?=..)"),
    re.compile(r"(?:的小红书|小红书|的|图文)(?:文案|笔记|帖子|推文|文章|图文|种草文)$|(?:文案|推文)$|为(?:主题|题)$"),
    re.compile(r"^(?:如何|怎么样|怎样|怎么)(?=..)"),
    re.compile("^(?:周末|假期|放假|下班后?)(?:一起)?去?(?=[逛看吃喝玩爬买听学找泡赶骑跑做煮拍].)"),
    re.compile("^在(?=.+(?:开始|学|做))"),
    re.compile("(?<=..)(?:完整|新手|超全)?(?:入门|教程|攻略|指南|推荐|种草|测评|评测|合集|干货)$"),
    re.compile(
        r"^(?:please\s+)?(?:write|make|create|generate)\s+(?:me\s+)?(?:an?\s+)?(?:\w+\s+)?(?:post|article|text|note)s?"
        r"\s+(?:about|on)\s+",
        re.IGNORECASE,
    ),
    re.compile(r"^(?:about|how to (?:learn|use|start|study|play|get into|do)|why)\s+(?=\S)", re.IGNORECASE),
    re.compile(r"[一二三四五六七八九十两\d]+[天日](?:[一二三四五六七八九十两\d]+[夜晚])?(?:游|行|之旅|攻略)?$"),
)  # fmt: skip

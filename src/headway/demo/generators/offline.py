"""The generator of our own: sentences from a grammar, filled from word lists, chosen by chance from a seed.

No model and no service: it knows what `words/` says, and says so (`is_offline`). The same brief gives the same copy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from headway.demo.generators import topics
from headway.demo.generators.base import Brief, CardCopy, Copy, Wait, Written

TITLE_WIDTH = {"zh-CN": 20.0, "en": 30.0}
TAGS = 7

# Between a Chinese character and a Latin word or a number.
_SEAM = re.compile("(?<=[\u3400-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u3400-\u9fff])")
# What a heading may have. The marks of Thai, Hindi and others are no letters to a regex, and come on top.
_PLAIN = re.compile("[\\w\\s，。！？、：；｜·,.!?'’:;|()（）《》“”…—+#&/-]")
# What is said of things alone, never of something that one does.
_OF_THINGS = re.compile("[遇写学].*{s}|在{s}里|{s}里，")
# In the middle of a sentence these are small, whatever the topic began with.
_SMALL = re.compile(
    "(?:A|An|The)(?= )"
    "|(?:My|Our|Your|Every|How|First|Last|Slow|Rainy|Grandm(?:other|a)[’']s|[A-Z][a-z]+(?<![jqlm])ing)(?= [a-zà-ÿ])"
)
_NUMBERS = {
    "zh-CN": dict(enumerate("零一两三四五六七八九十")),
    "en": dict(enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))),
}
# The kinds of inner cards in turn, by style; (list|tips, what from) or a kind.
_TURNS: dict[str, tuple[str, ...]] = {
    "lively": ("list see", "tips tip", "quote", "list do", "list joy", "story", "tips miss"),
    "gentle": ("list see", "quote", "story", "list joy", "tips tip", "list do", "quote"),
    "guide": ("tips tip", "list do", "tips miss", "list see", "quote", "tips note", "list time"),
    "story": ("story", "list see", "quote", "list joy", "story", "tips tip", "list do"),
}
_REST = ("tips note", "quote", "list time", "story", "list hear", "tips miss", "list joy", "list do", "quote", "story")


@dataclass(frozen=True)
class Pace:
    """How fast the copy is typed: so that a person can watch it, and none at all in a test."""

    chunk: int = 4  # characters
    pause_s: float = 0.045


class OfflineGenerator:
    """Writes in Chinese or English about any topic, without a network."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    @property
    def is_offline(self) -> bool:
        return True

    def label(self, language: str) -> str:
        return (
            "离线生成器（内置语法与词库）"
            if language == "zh-CN"
            else "Offline generator (built-in grammar and word lists)"
        )

    def write(self, brief: Brief, wait: Wait) -> Iterator[Written]:
        whole = compose(brief)
        copy = Copy()
        for part in self._typed(whole.title, wait):
            copy = replace(copy, title=part)
            yield Written("title", copy, len(part), len(whole.title))
        for part in self._typed(whole.text, wait):
            copy = replace(copy, text=part)
            yield Written("text", copy, len(part), len(whole.text))
        for count in range(1, len(whole.tags) + 1):
            wait(self._pace.pause_s)
            copy = replace(copy, tags=whole.tags[:count])
            yield Written("tags", copy, count, len(whole.tags))
        for count in range(1, len(whole.cards) + 1):
            wait(self._pace.pause_s)
            copy = replace(copy, cards=whole.cards[:count])
            yield Written("cards", copy, count, len(whole.cards))

    def _typed(self, text: str, wait: Wait) -> Iterator[str]:
        for end in range(self._pace.chunk, len(text) + self._pace.chunk, self._pace.chunk):
            wait(self._pace.pause_s)
            yield text[:end]


def compose(brief: Brief) -> Copy:
    """All of it at once."""
    return _Writer(brief).copy()


class _Bag:
    """Draws without putting back; starts over, in another order, when it is empty."""

    def __init__(self, items: Sequence[str], rng: Random) -> None:
        self._items = tuple(dict.fromkeys(items))
        self._rng = rng
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._items, len(self._items))
        return self._left.pop()

    def draw_some(self, most: int) -> list[str]:
        return self._rng.sample(self._items, min(most, len(self._items)))


class _Writer:
    """The writing of one post."""

    def __init__(self, brief: Brief) -> None:
        self._hurts = topics.hurts(brief.topic)
        self._brief = replace(brief, style="story") if self._hurts and brief.style == "lively" else brief
        self._rng = Random(f"{brief.seed}/{brief.topic}/{brief.style}/{brief.language}")
        self._topic = topics.topic_of(brief.topic, brief.language)
        self._subject = topics.subject_of(brief.topic, brief.language)
        self._rules = topics.grammar(brief.language)
        self._chinese = brief.language == "zh-CN"
        self._bags: dict[str, _Bag] = {}
        self._open_bags()

    def copy(self) -> Copy:
        title, text, tags = self._title(), self._text(), self._tags()
        self._open_bags()  # the cards may say again what the text says
        return Copy(title, text, tags, tuple(self._cards()))

    def _open_bags(self) -> None:
        spare = topics.topic_of("", self._brief.language).words["quote"]
        for name in topics.FIELDS:
            items = self._topic.words[name]
            self._bags[name] = _Bag((*items, *spare) if name == "quote" else items, self._rng)
        for section, rules in self._rules.items():
            for name, lines in rules.items():
                if all(isinstance(line, str) for line in lines):
                    self._bags[f"{section}.{name}"] = _Bag(lines, self._rng)

    def _title(self) -> str:
        category, style = self._topic.category, self._brief.style
        # What hurts gets no title that its category is glad of.
        patterns = [*self._rules["title"][style], *([] if self._hurts else self._rules["title_by"][category])]
        longest = TITLE_WIDTH[self._brief.language]
        if topics.is_activity(self._subject):
            patterns = [pattern for pattern in patterns if not _OF_THINGS.search(pattern)]
        self._rng.shuffle(patterns)
        titles = [self._filled(pattern, n=self._rng.randint(3, 5)) for pattern in patterns]
        title = next((one for one in titles if topics.width(one) <= longest), self._subject)
        if topics.width(title) <= longest - 2 and self._rng.random() < 0.6:
            title += ("" if self._chinese else " ") + self._emoji()
        return title

    def _emoji(self) -> str:
        named = (f"title_emoji.{self._topic.scene}", f"title_emoji.{self._topic.category}")
        return next(self._bags[name] for name in named if name in self._bags).draw()

    def _text(self) -> str:
        style, category = self._brief.style, self._topic.category
        paragraphs = [self._drawn(f"open.{style}")]
        paragraphs += [self._drawn(f"middle.{category}") for _ in range(2 if style == "guide" else 3)]
        tips = self._bags["tip"].draw_some(self._rng.randint(3, 4) if style != "story" else 3)
        mark = self._bags["bullet.marks"].draw()
        stop = "" if style in ("lively", "guide") or not self._chinese else "。"
        paragraphs.append("\n".join([self._drawn(f"list_head.{style}"), *(f"{mark} {tip}{stop}" for tip in tips)]))
        closing = [self._drawn(f"end.{style}"), self._drawn(f"ask.{style}")]
        paragraphs.append(("" if self._chinese else " ").join(closing))
        return "\n\n".join(paragraphs)

    def _tags(self) -> tuple[str, ...]:
        words = self._subject.split()
        # A tag has no spaces: in Chinese copy capitals keep several Latin words apart.
        joined = "".join(words) if len(words) == 1 else "".join(word[:1].upper() + word[1:] for word in words)
        own = "".join(c for c in joined if c.isalnum() or c == "_" or _is_mark(c))
        own = own if self._chinese else own.lower()
        common = self._bags["tags_common.all"]
        tags = [own[:20], *self._rng.sample(self._topic.words["tags"], 4), common.draw(), common.draw()]
        return tuple(dict.fromkeys(tag for tag in tags if tag))[:TAGS]

    def _cards(self) -> Iterator[CardCopy]:
        count, style = self._brief.cards, self._brief.style
        yield CardCopy("cover", self._cover(), (), self._drawn(f"cover_caption.{style}"))
        has_ending = count >= 3
        turns = [*_TURNS[style], *_REST]
        told: set[str] = set()
        while len(turns) < count:
            turns += ("quote", "story")
        inner = 0
        for turn in turns:
            if inner == count - 1 - has_ending:
                break
            # A list or a set of tips is told once; quotes and stories are new each time.
            if turn in told and " " in turn:
                turns.append("story" if inner % 2 else "quote")
                continue
            told.add(turn)
            inner += 1
            yield self._inner(turn)
        if has_ending:
            lines = (self._bags["ending.lines"].draw(), self._drawn(f"ask.{style}"))
            yield CardCopy("ending", self._drawn("ending.heads"), lines)

    def _cover(self) -> str:
        """A title without emoji."""
        return "".join(c for c in self._title() if _PLAIN.match(c) or _is_mark(c)).strip()

    def _inner(self, turn: str) -> CardCopy:
        kind, _, source = turn.partition(" ")
        if kind == "quote":
            return CardCopy("quote", self._drawn("quote.heads"), (self._bags["quote"].draw(),))
        if kind == "story":
            lines = tuple(self._drawn(f"story.{part}") for part in ("first", "then", "last"))
            return CardCopy("story", self._drawn("story.heads"), lines, self._bags["story.signs"].draw())
        heading, _, caption = next(one for one in self._rules[kind][self._topic.category] if one[1] == source)
        lines = tuple(self._sentence(line) for line in self._bags[source].draw_some(5 if kind == "list" else 4))
        return CardCopy(kind, self._filled(heading, n=len(lines)), lines, caption)

    def _drawn(self, rule: str) -> str:
        return self._filled(self._bags[rule].draw())

    def _filled(self, pattern: str, n: int = 0) -> str:
        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name == "s":
                return self._subject if self._chinese else _SMALL.sub(_lower, self._subject, count=1)
            if name == "S":
                return self._sentence(self._subject)
            if name == "n":
                return _NUMBERS[self._brief.language][n]
            return self._bags[name].draw()

        chosen = re.sub(r"\[([^\]]+)\]", lambda m: self._rng.choice(m[1].split("|")), pattern)
        return self._tidy(re.sub(r"\{(\w+)\}", slot, chosen))

    def _tidy(self, text: str) -> str:
        if self._chinese:
            return _SEAM.sub(" ", text.replace("。。", "。"))
        text = re.sub(r"\.\.(?!\.)", ".", text)
        # Each sentence begins with a capital, whatever was filled in.
        return re.sub(r"(^|[.!?:] )([a-z])", lambda m: m[1] + m[2].upper() if m[1] != ": " else m[0], text)

    def _sentence(self, text: str) -> str:
        return text if self._chinese else text[:1].upper() + text[1:]


def _lower(match: re.Match[str]) -> str:
    return match[0].lower() if match.start() == 0 else match[0]


def _is_mark(character: str) -> bool:
    """A vowel sign or an accent of a script, not one that only changes how an emoji looks."""
    return unicodedata.category(character) in ("Mn", "Mc") and character not in "\ufe0e\ufe0f"

"""Reading the service's answer while it arrives: what is there so far, and whether it is all there at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from headway.demo.cards.card import KINDS
from headway.demo.generators import failures, topics
from headway.demo.generators.base import SECTIONS, Brief, CardCopy, Copy, Written

# What is longer was not meant for its place.
MOST = {"title": 80, "text": 4_000, "tag": 30, "tags": 12, "heading": 60, "line": 160, "lines": 8, "caption": 80}

_MARK = re.compile(
    r"^\s*(?:\*\*|#+\s*)?\[\[\s*(TITLE|TEXT|TAGS|CARD|END)\b\s*:?\s*(\w*)\s*\]\](?:\*\*)?[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
_UNFINISHED = re.compile(r"(?:^|\n)[ \t]*[*#\[][^\n\]]*\]?$")


class Sections:
    """Feed it the pieces; it gives the events of a generator."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._raw = ""
        self._section = 0
        self._copy = Copy()

    @property
    def length(self) -> int:
        return len(self._raw)

    def feed(self, piece: str) -> Iterator[Written]:
        self._raw += piece
        # A mark that has only half arrived is not text.
        parsed = parse(_UNFINISHED.sub("", _whole(self._raw)), ended=False)
        yield from self._told(parsed)

    def finish(self) -> Iterator[Written]:
        """The last events. Raises `GeneratorError` where it can't be used."""
        parsed = parse(_whole(self._raw), ended=True) or from_json(_whole(self._raw))
        copy = completed(parsed.copy, self._brief) if parsed else None
        if copy is None:
            raise failures.failure("generator_bad_output", self._brief.language)
        yield from self._told(Parsed(copy, len(SECTIONS) - 1))

    def _told(self, parsed: Parsed | None) -> Iterator[Written]:
        if parsed is None or (parsed.copy == self._copy and parsed.section <= self._section):
            return
        self._copy = parsed.copy
        # The last event of a section that was left has that section whole.
        for index in range(self._section, max(parsed.section, self._section) + 1):
            self._section = index
            yield self._event(SECTIONS[index])

    def _event(self, section: str) -> Written:
        copy, brief = self._copy, self._brief
        if section == "cards":
            return Written(section, copy, len(copy.cards), brief.cards)
        return Written(section, copy, len(getattr(copy, section)))


@dataclass(frozen=True)
class Parsed:
    copy: Copy
    section: int  # index in SECTIONS of the last one that has begun


def parse(raw: str, *, ended: bool) -> Parsed | None:
    """What the marked text says; None where it has no mark. The last card counts only when it has ended."""
    marks = list(_MARK.finditer(raw))
    if not marks:
        return None
    copy, reached, cards = Copy(), 0, []
    for i, mark in enumerate(marks):
        is_last = i + 1 == len(marks)
        body = raw[mark.end() : len(raw) if is_last else marks[i + 1].start()].strip()
        name = mark[1].upper()
        if name == "CARD":
            reached = 3
            if (ended or not is_last) and (card := _card(mark[2].lower(), body)):
                cards.append(card)
        elif name != "END":
            section = name.lower()
            reached = max(reached, SECTIONS.index(section))
            copy = _with(copy, section, body)
    return Parsed(Copy(copy.title, copy.text, copy.tags, tuple(cards)), reached)


def from_json(raw: str) -> Parsed | None:
    """Some models answer in JSON whatever they are told."""
    try:
        data = json.loads(raw[raw.index("{") : raw.rindex("}") + 1])
        cards = []
        for item in data.get("cards", []):
            lines = "\n".join(f"- {line}" for line in item.get("lines", []))
            caption = f"\n> {item['caption']}" if item.get("caption") else ""
            cards.append(_card(str(item.get("kind", "")), f"{item['heading']}\n{lines}{caption}"))
        tags = data.get("tags", [])
        copy = Copy(
            _title(str(data["title"])),
            str(data["text"]).strip()[: MOST["text"]],
            _tags(" ".join(map(str, tags)) if isinstance(tags, list) else str(tags)),
            tuple(card for card in cards if card),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Parsed(copy, len(SECTIONS) - 1)


def completed(copy: Copy, brief: Brief) -> Copy | None:
    """The copy with as many cards as were asked for, made up from its own text where some are missing, or None."""
    if not copy.title or len(copy.text) < 10:
        return None
    tags = copy.tags or (re.sub(r"\W", "", topics.subject_of(brief.topic, brief.language)),)
    cards = list(copy.cards[: brief.cards])
    if not cards or cards[0].kind != "cover":
        cards = [CardCopy("cover", copy.title), *cards][: brief.cards]
    paragraphs = [paragraph.strip() for paragraph in copy.text.splitlines() if len(paragraph.strip()) >= 8]
    for paragraph in paragraphs[: brief.cards - len(cards)]:
        at = len(cards) - (cards[-1].kind == "ending")
        cards.insert(at, CardCopy("story", copy.title, (paragraph[: MOST["line"]],)))
    return Copy(copy.title, copy.text, tags, tuple(cards)) if len(cards) == brief.cards else None


def _with(copy: Copy, section: str, body: str) -> Copy:
    if section == "title":
        return replace(copy, title=_title(body))
    if section == "tags":
        return replace(copy, tags=_tags(body))
    return replace(copy, text=body[: MOST["text"]])


def _title(body: str) -> str:
    line = next((line.strip() for line in body.splitlines() if line.strip()), "")
    return line.strip('*#"“” ')[: MOST["title"]]


def _tags(body: str) -> tuple[str, ...]:
    names = (re.sub(r"[^\w]", "", word)[: MOST["tag"]] for word in re.split(r"[\s#，,、;；]+", body))
    return tuple(dict.fromkeys(name for name in names if name))[: MOST["tags"]]


def _card(kind: str, body: str) -> CardCopy | None:
    heading, caption, lines = "", "", []
    for line in filter(None, map(str.strip, body.splitlines())):
        if line.startswith((">", "＞")):
            caption = line[1:].strip()
        elif match := re.match(r"(?:[-*•·]|\d+[.、)])\s*(.+)", line):
            lines.append(match[1][: MOST["line"]])
        elif not heading:
            heading = line.strip('*#"“” ')
        else:
            lines.append(line[: MOST["line"]])
    if not heading and not lines:
        return None
    heading = (heading or lines[0])[: MOST["heading"]]
    return CardCopy(
        kind if kind in KINDS else "list", heading, tuple(lines[: MOST["lines"]]), caption[: MOST["caption"]]
    )


def _whole(raw: str) -> str:
    """Without halves of characters: JSON can carry a surrogate pair in two pieces, or half of one."""
    return raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")

"""The making of one post: asks the generator for words and the workers for pictures, and tells the reporter."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, Protocol

from headway.demo.cards.card import CARD_SIZE, Card
from headway.demo.cards.choice import Wardrobe
from headway.demo.cards.workers import Batch
from headway.demo.generators import failures, topics
from headway.demo.generators.base import Brief, CardCopy, Copy, Generator, Written
from headway.demo.shelf import ARCHIVE, OVERVIEW, PART, card_name, thumb_name
from headway.demo.studio_words import WORDS, Words
from headway.demo.wish import Wish

# How soon a cancel is noticed.
_GLANCE_S = 0.05
# Of the text in `details`, which may have 8 KiB in all.
_DRAFT_BYTES = 4_800

Result = dict[str, Any]  # Any: JSON


class Step(Protocol):
    def update(self, *, completed: float | None = ..., total: float | None = ..., message: str | None = ...,
               details: dict[str, Any] | None = ...) -> object: ...  # fmt: skip


class Making:
    """The making of one post."""

    def __init__(self, reporter: Any, wish: Wish, generator: Generator, batch: Batch, folder: Path) -> None:
        self._reporter = reporter
        self._wish = wish
        self._generator = generator
        self._batch = batch
        self._folder = folder
        self._words: Words = WORDS[wish.language]
        self._topic = topics.topic_of(wish.topic, wish.language)
        self._wardrobe = Wardrobe(
            self._topic.scene, wish.style, Random(f"{wish.seed}/{wish.topic}/wardrobe"), wish.palette
        )
        self._copy = Copy()
        self._cards: list[Card] = []
        self._drawn: dict[Future[Any], int] = {}
        self._ready: set[int] = set()
        self._warm: list[Future[Any]] = []

    def result(self) -> Result:
        wish = self._wish
        brief = Brief(wish.topic, wish.style, wish.language, wish.cards, wish.seed)
        self._reporter.log(
            self._words.begin.format(topic=_shortened(wish.topic, 60), label=self._label, seed=wish.seed)
        )
        with closing(self._generator.write(brief, self._wait)) as events:  # type: ignore[type-var]  # a generator
            ahead = _Ahead(events)
            for section in ("title", "text", "tags"):
                self._write(section, ahead)
            self._draw(ahead)
        self._lay_out()
        return self._told()

    @property
    def _label(self) -> str:
        return self._generator.label(self._wish.language)

    def _write(self, section: str, ahead: _Ahead) -> None:
        with self._reporter.step(section) as step:
            self._say(step, section)
            for event in ahead.take(section):
                self._copy = event.copy
                known = event.expected is not None
                self._say(step, section, event.received if known else None, event.expected)
        self._reporter.log(self._words.wrote(section, self._copy))
        for answer in self._warm:
            if answer.done():
                answer.result()

    def _draw(self, ahead: _Ahead) -> None:
        total = self._wish.cards
        with self._reporter.step("pictures", total=total) as step:
            self._say(step, "pictures", 0, total)
            for event in ahead.take("cards"):
                self._copy = event.copy
                for copy in event.copy.cards[len(self._cards) : total]:
                    self._ask_for(copy)
                self._collect(step, timeout=0)
            if len(self._cards) < total:
                raise failures.failure("generator_bad_output", self._wish.language)
            while self._drawn:
                self._reporter.raise_if_cancelled()
                self._collect(step, timeout=_GLANCE_S)

    def _ask_for(self, copy: CardCopy) -> None:
        number = len(self._cards) + 1
        card = Card(
            copy.heading, copy.lines, copy.caption, copy.kind,
            topic=topics.subject_of(self._wish.topic, self._wish.language), scene=self._topic.scene,
            language=self._wish.language, number=number, of=self._wish.cards, tags=self._copy.tags[:5],
        )  # fmt: skip
        self._cards.append(card)
        request = {
            "make": "card",
            "card": card.as_json(),
            "layout": self._wardrobe.layout_for(card.kind),
            "palette": self._wardrobe.palette,
            "seed": self._wish.seed,
            "file": str(self._folder / card_name(number)),
            "thumb": str(self._folder / thumb_name(number)),
        }
        self._drawn[self._batch.ask(request)] = number

    def _collect(self, step: Step, *, timeout: float) -> None:
        """Take note of the cards that are done; the first that failed ends the job."""
        done, _ = wait_for(self._drawn, timeout=timeout, return_when=FIRST_COMPLETED)
        for answer in done:
            number = self._drawn.pop(answer)
            answer.result()
            self._ready.add(number)
            self._reporter.log(self._words.drew.format(number=number, heading=self._cards[number - 1].heading))
        if done:
            self._say(step, "pictures", len(self._ready), self._wish.cards)

    def _lay_out(self) -> None:
        names = [card_name(card.number) for card in self._cards]
        with self._reporter.step("layout", total=2) as step:
            self._say(step, "layout", 0, 2)
            overview = self._batch.ask(
                {
                    "make": "strip",
                    "files": [str(self._folder / name) for name in names],
                    "palette": self._wardrobe.palette,
                    "file": str(self._folder / OVERVIEW),
                }
            )
            while not wait_for([overview], timeout=_GLANCE_S).done:
                self._reporter.raise_if_cancelled()
            overview.result()
            self._say(step, "layout", 1, 2)
            self._pack(names)
            self._say(step, "layout", 2, 2)

    def _pack(self, names: list[str]) -> None:
        archive = self._folder / ARCHIVE
        part = archive.with_name(archive.name + PART)
        # PNG does not get smaller: stored is as small, and quick.
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as packed:
            packed.writestr("post.txt", f"{self._copy.title}\n\n{self._copy.text}\n\n{self._hashtags()}\n")
            for name in names:
                self._reporter.raise_if_cancelled()
                packed.write(self._folder / name, name)
        part.replace(archive)

    def _hashtags(self) -> str:
        return " ".join(f"#{tag}" for tag in self._copy.tags)

    def _told(self) -> Result:
        wish, copy = self._wish, self._copy
        return {
            "topic": wish.topic,
            "title": copy.title,
            "text": copy.text,
            "tags": list(copy.tags),
            "style": wish.style,
            "language": wish.language,
            "seed": wish.seed,
            "palette": self._wardrobe.palette,
            "generator": {"label": self._label, "offline": self._generator.is_offline},
            "cards": [
                {
                    "file": card_name(card.number),
                    "thumb": thumb_name(card.number),
                    "width": CARD_SIZE[0],
                    "height": CARD_SIZE[1],
                    "heading": card.heading,
                    "alt": _shortened(" · ".join(filter(None, (card.heading, *card.lines, card.caption))), 200),
                }
                for card in self._cards
            ],
            "cover": card_name(1),
            "overview": OVERVIEW,
            "archive": ARCHIVE,
        }

    def _say(self, step: Step, section: str, completed: int | None = None, total: int | None = None) -> None:
        words, copy = self._words, self._copy
        message = words.doing[section]
        if section == "pictures":
            message = message.format(number=min(len(self._ready) + 1, self._wish.cards), total=self._wish.cards)
        draft = {
            "title": copy.title,
            "text": _within(copy.text, _DRAFT_BYTES),
            "tags": list(copy.tags[:8]),
            "cards": self._wish.cards,
            # In the order of the cards; '' for one that isn't drawn yet.
            "thumbs": [thumb_name(card.number) if card.number in self._ready else "" for card in self._cards],
        }
        details = {"unit": words.units[section], "draft": draft}
        step.update(completed=completed, total=total, message=message, details=details)

    def _wait(self, seconds: float) -> None:
        """Pause, and be there at once when the work is to stop."""
        until = time.monotonic() + seconds
        while True:
            self._reporter.raise_if_cancelled()
            left = until - time.monotonic()
            if left <= 0:
                return
            Event().wait(min(left, _GLANCE_S))


class _Ahead:
    """Events, taken section by section."""

    def __init__(self, events: Iterator[Written]) -> None:
        self._events = events
        self._next: Written | None = None

    def take(self, section: str) -> Iterator[Written]:
        """Those of this section that come next."""
        while (event := self._next or next(self._events, None)) is not None:
            self._next = event
            if event.section != section:
                return
            self._next = None
            yield event


def _shortened(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _within(text: str, most: int) -> str:
    """The beginning that has so many bytes as UTF-8, whole characters only."""
    encoded = text.encode()
    return text if len(encoded) <= most else encoded[:most].decode("utf-8", "ignore") + "…"

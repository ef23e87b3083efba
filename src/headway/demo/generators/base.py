"""What a generator is: a brief goes in, and the copy comes out piece by piece, as it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

LANGUAGES = ("zh-CN", "en")
# Name, and what the page may call it.
STYLES: dict[str, tuple[str, str]] = {
    "lively": ("活泼种草", "Lively"),
    "gentle": ("温柔治愈", "Gentle"),
    "guide": ("干货攻略", "How-to"),
    "story": ("随笔故事", "Story"),
}
# In this order, each finished before the next begins.
SECTIONS = ("title", "text", "tags", "cards")

# Waits that many seconds (0: just looks); raises when the work is to stop, which a generator lets through.
Wait = Callable[[float], None]


@dataclass(frozen=True)
class Brief:
    """What is to be written. Validated by the studio."""

    topic: str
    style: str
    language: str
    cards: int
    seed: int


@dataclass(frozen=True)
class CardCopy:
    """The words of one card; `kind` is one of `cards.card.KINDS`."""

    kind: str
    heading: str
    lines: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class Copy:
    """All that has been written so far."""

    title: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()
    cards: tuple[CardCopy, ...] = field(default=())


@dataclass(frozen=True)
class Written:
    """Something new has arrived in `section`.

    `received` counts characters, or tags or cards where these are the section; `expected` is how many there will be,
    or None where nobody knows.
    """

    section: str
    copy: Copy
    received: int
    expected: int | None = None


class Generator(Protocol):
    """Writes copy. One object may serve several jobs at once."""

    @property
    def is_offline(self) -> bool:
        """Whether it writes by itself, by rule and chance, with no service and no model behind it."""

    def label(self, language: str) -> str:
        """What the page calls it."""

    def write(self, brief: Brief, wait: Wait) -> Iterator[Written]:
        """The copy as it grows; the last event of each section has that section whole.

        Raises `GeneratorError`. Closing the iterator ends the work at once.
        """

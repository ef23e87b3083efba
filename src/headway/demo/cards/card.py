"""What is on one card, as plain data: it travels to the worker processes as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# Chinese social posts are 3:4; this is the size that the apps show without scaling.
CARD_SIZE = (1242, 1660)
THUMB_SIZE = (248, 332)

# What a card is for. A layout is made for some of these, and can show any.
KINDS = ("cover", "list", "tips", "quote", "story", "ending")


@dataclass(frozen=True)
class Card:
    """One card's words, and the hints that its picture is made from."""

    heading: str
    lines: tuple[str, ...] = ()
    caption: str = ""
    kind: str = "cover"
    topic: str = ""  # short; printed small on every card, and never broken across two lines
    scene: str = "hills"  # a name in `scenes.SCENES`
    language: str = "zh-CN"
    number: int = 1
    of: int = 1
    tags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Card:
        return cls(**{**data, "lines": tuple(data["lines"]), "tags": tuple(data["tags"])})

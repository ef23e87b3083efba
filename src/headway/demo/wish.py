"""What was asked of the studio, validated."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from headway.demo.cards.palettes import PALETTES
from headway.demo.generators import topics
from headway.demo.generators.base import LANGUAGES, STYLES
from headway.model import limits
from headway.model.errors import InvalidValue

TOPIC_CHARS = 2_000
MOST_CARDS = 24
SEEDS = 2**53 - 1


@dataclass(frozen=True)
class Wish:
    """A post to make."""

    topic: str
    cards: int
    style: str
    language: str
    seed: int
    palette: str | None

    @classmethod
    def checked(
        cls, topic: object, cards: object, style: object, language: object, seed: object, palette: object
    ) -> Wish:
        """Raises `InvalidValue`. Language, seed and palette are chosen where they are None."""
        text = limits.text(topic, "topic", TOPIC_CHARS).strip()
        if not text:
            raise InvalidValue("topic", f"must have 1 to {TOPIC_CHARS:,} characters that are not blank")
        return cls(
            topic=text,
            cards=limits.whole(cards, "cards", 1, MOST_CARDS),
            style=_one_of(style, "style", tuple(STYLES)),
            language=topics.language_of(text) if language is None else _one_of(language, "language", LANGUAGES),
            seed=secrets.randbelow(2**31) if seed is None else limits.whole(seed, "seed", -SEEDS, SEEDS),
            palette=None if palette is None else _one_of(palette, "palette", tuple(PALETTES)),
        )


def _one_of(value: object, field: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise InvalidValue(field, f"must be one of {', '.join(choices)}")
    return value

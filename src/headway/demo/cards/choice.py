"""Which layout and palette a post wears: by rule and chance, so that one post looks of a piece and no two look alike.

Pure, and free of Pillow: the studio decides, the workers draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from headway.demo.cards.card import Card
from headway.demo.cards.palettes import PALETTES

# The layouts made for each kind of card, in `layouts.LAYOUTS`.
SUITING: dict[str, tuple[str, ...]] = {
    "cover": ("poster", "window", "magazine", "scroll"),
    "list": ("list", "tips"),
    "tips": ("tips", "list"),
    "quote": ("quote", "scroll"),
    "story": ("story",),
    "ending": ("ending",),
}
# Palettes that go with a scene; where none is named, all do.
_WEARS: dict[str, tuple[str, ...]] = {
    "hutong": ("hutong", "palace", "persimmon", "porcelain", "night"),
    "lanterns": ("palace", "night", "persimmon", "hutong"),
    "blossom": ("blossom", "celadon", "porcelain", "night"),
    "autumn": ("persimmon", "hutong", "palace", "lemon"),
    "snow": ("porcelain", "night", "hutong", "palace"),
    "lotus": ("celadon", "porcelain", "blossom"),
    "sea": ("porcelain", "celadon", "night", "persimmon", "lemon"),
    "grid": ("night", "porcelain", "lemon", "celadon"),
    "teapot": ("celadon", "hutong", "persimmon", "palace"),
    "vase": ("porcelain", "palace", "celadon", "hutong"),
}


def palette_for(scene: str, rng: Random) -> str:
    return rng.choice(_WEARS.get(scene, tuple(PALETTES)))


def layouts_for(cards: Sequence[Card], rng: Random) -> list[str]:
    """One layout a card; neighbours of one kind take turns."""
    turns = {kind: rng.sample(names, len(names)) for kind, names in SUITING.items()}
    used = dict.fromkeys(SUITING, 0)
    chosen = []
    for card in cards:
        names = turns[card.kind]
        chosen.append(names[used[card.kind] % len(names)])
        used[card.kind] += 1
    return chosen

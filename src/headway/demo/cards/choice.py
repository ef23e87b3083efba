"""Which layout and palette a post wears: by rule and chance, so that one post looks of a piece and no two look alike.

Pure, and free of Pillow: the studio decides, the workers draw.
"""

from __future__ import annotations

from random import Random

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


# … and with a style of writing; a palette that goes with both is taken, where there is one.
_FITS: dict[str, tuple[str, ...]] = {
    "lively": ("lemon", "persimmon", "palace", "blossom", "porcelain"),
    "gentle": ("celadon", "blossom", "porcelain", "hutong", "night"),
    "guide": ("hutong", "porcelain", "lemon", "celadon", "persimmon"),
    "story": ("hutong", "night", "persimmon", "palace", "celadon"),
}


class Wardrobe:
    """What one post wears: a palette, and layouts that take turns."""

    def __init__(self, scene: str, style: str, rng: Random, palette: str | None = None) -> None:
        suiting = _WEARS.get(scene, tuple(PALETTES))
        both = [name for name in suiting if name in _FITS.get(style, ())]
        self.palette = palette or rng.choice(both or suiting)
        self._turns = {kind: rng.sample(names, len(names)) for kind, names in SUITING.items()}
        self._used = dict.fromkeys(SUITING, 0)

    def layout_for(self, kind: str) -> str:
        """The next layout for a card of that kind."""
        names = self._turns[kind]
        layout = names[self._used[kind] % len(names)]
        self._used[kind] += 1
        return layout

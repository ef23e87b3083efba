"""Scenes: small pictures drawn by rule and chance, in any palette.

A scene paints the whole canvas and leaves its upper part (`clear`, 0–1) calm, for text to stand on.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from headway.demo.cards.scenes import indoors, land, season, table, things, town

if TYPE_CHECKING:
    from headway.demo.cards.canvas import Canvas
    from headway.demo.cards.palettes import Palette

Scene = Callable[["Canvas", "Palette", Random, float], None]

SCENES: dict[str, Scene] = {
    "hills": land.hills,
    "hutong": town.hutong,
    "mountains": land.mountains,
    "sea": land.sea,
    "city": town.city,
    "bowl": table.bowl,
    "cup": table.cup,
    "teapot": table.teapot,
    "blossom": season.blossom,
    "lotus": season.lotus,
    "autumn": season.autumn,
    "snow": season.snow,
    "vase": things.vase,
    "lanterns": things.lanterns,
    "room": indoors.room,
    "books": indoors.books,
    "grid": things.grid,
}

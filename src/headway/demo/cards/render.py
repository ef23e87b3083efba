"""Cards as picture files. Pure functions: the same arguments give the same bytes on the same machine."""

from __future__ import annotations

import io
from collections.abc import Sequence
from random import Random

from PIL import Image

from headway.demo.cards.card import CARD_SIZE, THUMB_SIZE, Card
from headway.demo.cards.layouts import LAYOUTS
from headway.demo.cards.page import Page
from headway.demo.cards.palettes import PALETTES

# A strip with all cards of a post: so many side by side, each so wide.
STRIP_COLUMNS = 6
STRIP_CARD = (310, 414)
_GAP = 18


def render_card(card: Card, *, layout: str, palette: str, seed: int | str, size: tuple[int, int] = CARD_SIZE) -> bytes:
    """The card as a PNG. `size` other than `CARD_SIZE` scales the whole. Raises `FontMissing`, `KeyError`."""
    return as_png(draw(card, layout=layout, palette=palette, seed=seed), size)


def draw(card: Card, *, layout: str, palette: str, seed: int | str) -> Image.Image:
    return laid_out(card, layout=layout, palette=palette, seed=seed).finished()


def laid_out(card: Card, *, layout: str, palette: str, seed: int | str) -> Page:
    """The page with its ground painted and its text placed, not yet drawn upon each other."""
    page = Page(card, PALETTES[palette], Random(f"{seed}/{card.number}/{layout}"))
    LAYOUTS[layout](page)
    return page


def as_png(image: Image.Image, size: tuple[int, int] = CARD_SIZE) -> bytes:
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=5)
    return out.getvalue()


def thumbnail(image: Image.Image, size: tuple[int, int] = THUMB_SIZE) -> bytes:
    """A small WebP of it."""
    out = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3).save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def strip(images: Sequence[Image.Image], palette: str) -> bytes:
    """All cards of a post on one sheet, as a WebP."""
    across, down = STRIP_CARD
    columns = min(STRIP_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    paper = PALETTES[palette].paper
    sheet = Image.new("RGB", (columns * (across + _GAP) + _GAP, rows * (down + _GAP) + _GAP), paper)
    for i, image in enumerate(images):
        small = image.convert("RGB").resize(STRIP_CARD, Image.Resampling.LANCZOS, reducing_gap=3)
        sheet.paste(small, (_GAP + i % columns * (across + _GAP), _GAP + i // columns * (down + _GAP)))
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=84, method=4)
    return out.getvalue()

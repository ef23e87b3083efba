"""The hanging scroll: Chinese in vertical lines, from right to left."""

from __future__ import annotations

import re

from headway.demo.cards.fonts import Face, face
from headway.demo.cards.layouts.covers import poster
from headway.demo.cards.layouts.pages import quote
from headway.demo.cards.page import HEIGHT, WIDTH, Page
from headway.demo.cards.palettes import Colour
from headway.demo.cards.typeset import Run, Type

_UPRIGHT = str.maketrans("，、。：；（）《》「」『』【】…—？！", "︐︑︒︓︔︵︶︽︾﹁﹂﹃﹄︻︼︙︱？！")
_SUITS = re.compile(r"[\u3400-\u9fff，、。：；（）《》「」『』【】…—？！·\s]+")
_PAUSE = re.compile(r"(?<=[，。：；？！])|\s+")
_TALLEST = 9  # characters in a column


def scroll(page: Page) -> None:
    """A vertical title beside a seal, the scene below. What does not suit vertical lines gets the poster instead."""
    is_quote = page.card.kind == "quote" and bool(page.lines)
    text, beside_it = (page.lines[0], page.heading) if is_quote else (page.heading, page.caption)
    columns = _columns(text)
    if columns is None:
        (quote if is_quote else poster)(page)
        return
    page.scene(0.54)
    page.canvas.fibres(page.rng, page.p.ink, 200, 0.08)
    tallest = max(map(len, columns))
    top, height = 116, 716
    size = min(150, height / tallest / 1.06, 470 / len(columns) / 1.32)
    right = WIDTH - 150
    for i, column in enumerate(columns):
        _set(page, column, right - size * (1 + 1.32 * i), top, size, face("serif-bold"), page.p.ink)
    left = right - size * (1.32 * len(columns) - 0.32)
    beside = _columns(beside_it, 14) if beside_it else None
    if beside and left > 420:
        small = min(46, height / max(map(len, beside)) / 1.12)
        for i, column in enumerate(beside[:3]):
            _set(page, column, left - 64 - small * (1 + 1.7 * i), top + 8, small, face("serif"), page.p.soft, 1.12)
    elif beside_it:
        page.text(
            beside_it,
            "sans",
            "soft",
            x=120,
            y=600,
            width=min(430, left - 200),
            height=230,
            largest=42,
            smallest=30,
            leading=1.5,
        )
    page.seal(120, 122, 118)
    page.numbering("soft", 120, 268, 32, align="left")
    page.canvas.rectangle(0, HEIGHT - 10, WIDTH, 10, page.p.accent)


def _columns(text: str, tallest: int = _TALLEST) -> list[str] | None:
    """The text in columns, broken at its pauses; None where it is too long or not all Chinese."""
    if not _SUITS.fullmatch(text):
        return None
    columns: list[str] = []
    for clause in filter(None, (part.strip() for part in _PAUSE.split(text))):
        # A pause at the end of a column is what the end of the column says already.
        clause = clause.rstrip("，、：；")
        count = -(-len(clause) // tallest)
        even = -(-len(clause) // max(1, count))
        columns += [clause[at : at + even] for at in range(0, len(clause), even)]
    return columns if 0 < len(columns) <= 3 and sum(map(len, columns)) >= 2 else None


def _set(
    page: Page, column: str, x: float, y: float, size: float, cut: Face, colour: Colour, leading: float = 1.06
) -> None:
    kind = Type(cut, colour)
    for i, sign in enumerate(column):
        turned = sign.translate(_UPRIGHT)
        sign = turned if cut.shows(turned) else sign
        page.runs.append(Run(sign, x, y + i * size * leading + size * 0.88, size, kind))

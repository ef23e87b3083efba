"""Setting text: as large as its box allows, in good lines, each piece at its place."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from PIL import ImageDraw

from headway.demo.cards import linebreak
from headway.demo.cards.fonts import Face
from headway.demo.cards.palettes import Colour

# Widths are measured once at this size and scaled: type without hinting is linear.
_UNIT = 100
_EM_TOP = 0.88  # where the baseline of Chinese type lies below the top of its em box
_SMALLER = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
_SIZE_WORTH = 3.0
_GAP = 0.16  # between a Chinese character and a Latin word or a number
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\u3000-\u303f]")
_LATIN = re.compile(r"[^\W\u2e80-\u9fff\uac00-\ud7a3\uf900-\uffff]")
_CLOSERS = "，。、；：！？）】》」』”’"
_OPENERS = "（【《「『“‘"


@dataclass(frozen=True)
class Type:
    """How a text is to look. `leading` in em; `spacing` (em) is added after each Chinese character."""

    face: Face
    colour: Colour
    leading: float = 1.5
    spacing: float = 0.0


@dataclass(frozen=True)
class Run:
    """A piece of text at its place: `x` and `y` are the left end of its baseline, in pixels."""

    text: str
    x: float
    y: float
    size: float
    type: Type

    def draw(self, pen: ImageDraw.ImageDraw) -> None:
        pen.text((self.x, self.y), self.text, font=self.type.face.at(self.size), fill=self.type.colour, anchor="ls")

    def box(self) -> tuple[int, int, int, int]:
        left, top, right, bottom = self.type.face.at(self.size).getbbox(self.text, anchor="ls")
        return round(self.x + left), round(self.y + top), round(self.x + right), round(self.y + bottom)


@dataclass(frozen=True)
class Block:
    """Lines of one size, not yet placed."""

    lines: tuple[str, ...]
    size: float
    type: Type

    @property
    def height(self) -> float:
        """From the top of the first line's em box to the bottom of the last one's."""
        return ((len(self.lines) - 1) * self.type.leading + 1) * self.size if self.lines else 0.0

    @property
    def width(self) -> float:
        return max((width_of(line, self.type) for line in self.lines), default=0.0) * self.size

    def placed(self, x: float, y: float, width: float, align: str = "left") -> list[Run]:
        """The runs, with the block's top at y, within a column of that width."""
        runs: list[Run] = []
        for i, line in enumerate(self.lines):
            own = width_of(line, self.type) * self.size
            # Hanging punctuation is left out when centring, so that the letters are in the middle.
            own -= linebreak.hang(line) * self.size if align != "left" else 0
            left = {"left": x, "center": x + (width - own) / 2, "right": x + width - own}[align]
            top = y + i * self.type.leading * self.size
            runs.extend(_runs(line, left, top + _EM_TOP * self.size, self.size, self.type))
        return runs


def fit(
    text: str | Sequence[str],
    type_: Type,
    *,
    width: float,
    height: float,
    largest: float,
    smallest: float,
    balance: bool = False,
    keep: Sequence[str] = (),
    whole: Set[str] = frozenset(),
    max_lines: int = 99,
    indent: int = 0,
) -> Block:
    """The text at the largest size at which it fits; where it can't, at the smallest and cut off with '…'.

    Several texts are paragraphs of one block. Never wider or higher than asked for.
    """
    paragraphs = [text] if isinstance(text, str) else list(text)
    paragraphs = [type_.face.shown(paragraph).strip() for paragraph in paragraphs]

    # Every size is tried with the same pieces.
    measure = cache(lambda piece: width_of(piece, type_))

    def at(size: float) -> tuple[Block, float]:
        lines: list[str] = []
        cost = 0.0
        for paragraph in paragraphs:
            broken = linebreak.break_lines(
                paragraph, width / size, measure, balance=balance, keep=keep, whole=whole, indent=indent,
            )  # fmt: skip
            lines += broken.lines
            cost += broken.cost
        return Block(tuple(lines), size, type_), cost

    def fits(block: Block) -> bool:
        return block.height <= height + 0.5 and len(block.lines) <= max_lines

    low, high = int(smallest), int(largest)
    if fits(at(high)[0]):
        low = high
    elif not fits(at(low)[0]):
        if balance:  # even lines may be more lines
            return fit(
                text, type_, width=width, height=height, largest=largest, smallest=smallest,
                keep=keep, whole=whole, max_lines=max_lines, indent=indent,
            )  # fmt: skip
        return _cut(at(low)[0], width, height, max_lines)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(at(middle)[0]):
            low = middle
        else:
            high = middle
    if not balance:
        return at(low)[0]
    # A heading that reads well is worth a little size.
    sizes = [size for share in _SMALLER if (size := round(low * share)) >= smallest] or [low]
    tried = [(at(size), size) for size in sizes]
    best = min((one for one in tried if fits(one[0][0])), key=lambda one: one[0][1] - _SIZE_WORTH * one[1] / low)
    return best[0][0]


def width_of(line: str, type_: Type) -> float:
    """In em."""
    return sum(advance for _, advance in _pieces(line, type_))


def _cut(block: Block, width: float, height: float, max_lines: int) -> Block:
    """As many lines as there is room for, the last one ending in '…'."""
    room = int((height / block.size - 1) / block.type.leading + 1e-6) + 1
    lines = list(block.lines[: max(1, min(room, max_lines))])
    last = lines[-1].rstrip(linebreak.NEVER_FIRST + linebreak.NEVER_LAST + " ")
    while last and width_of(last + "…", block.type) * block.size > width:
        last = last[:-1]
    return replace(block, lines=(*lines[:-1], last + "…"))


def _runs(line: str, x: float, baseline: float, size: float, type_: Type) -> list[Run]:
    runs: list[Run] = []
    for text, advance in _pieces(line, type_):
        if line and text[0] in _OPENERS and not runs:
            x -= 0.5 * size  # its left half is blank: the line begins where the others do
        runs.append(Run(text, x, baseline, size, type_))
        x += advance * size
    return runs


def _pieces(line: str, type_: Type) -> list[tuple[str, float]]:
    """The line in pieces that can be drawn at once, each with how far (em) the next one stands from it."""
    font = type_.face.at(_UNIT)
    pieces: list[tuple[str, float]] = []
    for text in re.findall(f"{_WIDE.pattern}|(?:(?!{_WIDE.pattern}).)+", line):
        pieces.append((text, font.getlength(text) / _UNIT))
    result = []
    for (text, advance), (following, _) in pairwise([*pieces, ("", 0.0)]):
        if _WIDE.match(text):
            advance += type_.spacing
        if following:
            advance += _kern(text, following)
        result.append((text, advance))
    return result


def _kern(one: str, other: str) -> float:
    """What two neighbours gain or lose: a gap between scripts, no double blank between punctuation."""
    if one[-1] in _CLOSERS and (other[0] in _CLOSERS or other[0] in _OPENERS):
        return -0.5
    if one[-1] in _OPENERS and other[0] in _OPENERS:
        return -0.5
    wide_one, wide_other = bool(_WIDE.match(one[-1])), bool(_WIDE.match(other[0]))
    punctuation = one[-1] in _CLOSERS + _OPENERS or other[0] in _CLOSERS + _OPENERS
    if wide_one != wide_other and not punctuation and _LATIN.match(other[0] if wide_one else one[-1]):
        return _GAP
    return 0.0

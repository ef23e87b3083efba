"""A page in the making: a ground that is painted, and text that is set upon it when the ground is done.

The two are kept apart so that a test can look at what each letter stands on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from random import Random

from PIL import Image, ImageDraw

from headway.demo.cards import words
from headway.demo.cards.canvas import Canvas, circle
from headway.demo.cards.card import CARD_SIZE, Card
from headway.demo.cards.fonts import face
from headway.demo.cards.palettes import Palette, mix
from headway.demo.cards.scenes import SCENES
from headway.demo.cards.typeset import Block, Run, Type, fit, width_of

WIDTH, HEIGHT = CARD_SIZE
MARGIN = 108
LONGEST_KEPT = 10  # of a topic that is not parted, in Chinese characters


class Page:
    """What a layout works with. Coordinates are pixels of `CARD_SIZE`."""

    def __init__(self, card: Card, palette: Palette, rng: Random) -> None:
        self.card = card
        self.p = palette
        self.rng = rng
        self.canvas = Canvas(WIDTH, HEIGHT, palette.paper)
        self.runs: list[Run] = []
        self._unprintable = ""
        # A topic in a script that the fonts have not: its gap in a sentence would read like a mistake.
        if not words.says_something(self._fit_to_print(card.topic)):
            self._unprintable = card.topic.strip()
        self.heading = self._fit_to_print(card.heading) or ("今日分享" if card.language == "zh-CN" else "For you today")
        self.lines = tuple(line for line in map(self._fit_to_print, card.lines) if line)
        self.caption = self._fit_to_print(card.caption)
        self.topic = self._fit_to_print(card.topic)
        self.keep = (self.topic,) if 1 < _width(self.topic) <= LONGEST_KEPT else ()

    @property
    def is_chinese(self) -> bool:
        return words.is_chinese(self.heading + "".join(self.lines))

    @property
    def display(self) -> str:
        """The cut for large headings."""
        return "serif-bold" if self.is_chinese else "sans-bold"

    @property
    def kicker(self) -> str:
        """The topic, to stand small above the heading; nothing where the heading says no more than that."""
        return "" if self.topic == self.heading else shortened(self.topic, 16 if words.is_chinese(self.topic) else 28)

    def ground(self) -> Image.Image:
        return self.canvas.finished()

    def finished(self) -> Image.Image:
        image = self.ground()
        pen = ImageDraw.Draw(image)
        for run in self.runs:
            run.draw(pen)
        return image

    def scene(self, clear: float, canvas: Canvas | None = None) -> None:
        SCENES.get(self.card.scene, SCENES["hills"])(canvas or self.canvas, self.p, self.rng, clear)

    def text(
        self,
        text: str | Sequence[str],
        cut: str,
        role: str,
        *,
        x: float,
        y: float,
        width: float,
        height: float,
        largest: float,
        smallest: float,
        leading: float = 1.32,
        spacing: float = 0.0,
        align: str = "left",
        valign: str = "top",
        balance: bool = False,
        max_lines: int = 99,
    ) -> float:
        """Set a text as large as it fits into a box; returns the y where it ends."""
        block = self.fitted(
            text, cut, role, width=width, height=height, largest=largest, smallest=smallest,
            leading=leading, spacing=spacing, balance=balance, max_lines=max_lines,
        )  # fmt: skip
        top = y + {"top": 0.0, "middle": 0.5, "bottom": 1.0}[valign] * (height - block.height)
        self.runs += block.placed(x, top, width, align)
        return top + block.height

    def fitted(
        self, text: str | Sequence[str], cut: str, role: str, *, width: float, height: float, largest: float,
        smallest: float, leading: float = 1.32, spacing: float = 0.0, balance: bool = False, max_lines: int = 99,
        indent: int = 0,
    ) -> Block:  # fmt: skip
        kind = Type(face(cut), getattr(self.p, role), leading, spacing)
        return fit(
            text, kind, width=width, height=height, largest=largest, smallest=smallest,
            balance=balance, keep=self.keep, whole=_whole_words(), max_lines=max_lines, indent=indent,
        )  # fmt: skip

    def items(
        self, lines: Sequence[str], *, width: float, height: float, largest: float, smallest: float = 28
    ) -> list[Block]:
        """Lines of a list, all of one size, each at most so high; broken where they read well."""
        kind = Type(face("sans"), self.p.ink, 1.4)
        size = min(
            fit(line, kind, width=width, height=height, largest=largest, smallest=smallest).size for line in lines
        )

        def even(line: str) -> Block:
            return fit(
                line, kind, width=width, height=height, largest=size, smallest=size,
                balance=True, keep=self.keep, whole=_whole_words(),
            )  # fmt: skip

        return [even(line) for line in lines]

    def label(
        self,
        text: str,
        role: str,
        x: float,
        y: float,
        size: float,
        *,
        align: str = "left",
        cut: str = "sans",
        spacing: float = 0.04,
    ) -> float:
        """One line; `x` is its left end, its middle or its right end, as `align` says. Returns its width."""
        kind = Type(face(cut), getattr(self.p, role), 1, spacing)
        text = kind.face.shown(text)
        width = width_of(text, kind) * size
        left = {"left": x, "center": x - width / 2, "right": x - width}[align]
        self.runs += Block((text,), size, kind).placed(left, y, width + size)
        return width

    def numbering(self, role: str, x: float, y: float, size: float = 34, align: str = "right") -> None:
        if self.card.of > 1:
            self.label(f"{self.card.number:02d} / {self.card.of:02d}", role, x, y, size, align=align)

    def footer(self, role: str = "soft") -> None:
        """The topic on the left, where the reader is on the right."""
        short = self.fitted(self.topic, "sans", role, width=700, height=40, largest=32, smallest=32, max_lines=1)
        self.runs += short.placed(MARGIN, HEIGHT - 86, 700)
        self.numbering(role, WIDTH - MARGIN, HEIGHT - 86, 32)

    def seal(self, x: float, y: float, size: float) -> None:
        """A carved seal with up to four characters of the topic; nothing where the topic isn't Chinese."""
        signs = [c for c in self.topic if words.is_chinese(c)]
        signs = signs[-2:] if len(signs) in (2, 3) else signs[:4] if len(signs) >= 4 else signs
        if not signs:
            return
        p = self.p
        self.canvas.rounded(x, y, size, size, size * 0.13, p.accent)
        self.canvas.frame(
            x + size * 0.07,
            y + size * 0.07,
            size * 0.86,
            size * 0.86,
            size * 0.022,
            mix(p.accent, p.paper, 0.8),
            size * 0.08,
        )
        kind = Type(face("serif-bold"), p.paper)
        if len(signs) == 1:
            cells, em = [(0.5, 0.5)], size * 0.62
        elif len(signs) == 2:
            cells, em = [(0.5, 0.295), (0.5, 0.705)], size * 0.40
        else:  # read from the right, as seals are
            cells, em = [(0.70, 0.30), (0.70, 0.70), (0.30, 0.30), (0.30, 0.70)], size * 0.37
        for sign, (across, down) in zip(signs, cells, strict=True):
            self.runs.append(Run(sign, x + across * size - em / 2, y + down * size + em * 0.38, em, kind))

    def round_window(self, x: float, y: float, radius: float, clear: float = 0.10) -> None:
        """The scene seen through a round opening."""
        view = Canvas(radius * 2, radius * 2, self.p.paper)
        self.scene(clear, view)
        self.canvas.paste(view, x - radius, y - radius, circle(radius, radius, radius - 1, steps=240))

    def _fit_to_print(self, text: str) -> str:
        if self._unprintable:
            text = text.replace(self._unprintable, words.stand_in(self.card.language))
        return face("sans").shown(words.in_latin_quotes(words.plain(text))).strip()


def _width(text: str) -> float:
    """About, in Chinese characters: Latin letters are half as wide."""
    return sum(1.0 if words.is_chinese(c) else 0.5 for c in text)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


@cache
def _whole_words() -> frozenset[str]:
    return frozenset(resources.files("headway.demo.cards").joinpath("whole_words.txt").read_text("utf-8").split())

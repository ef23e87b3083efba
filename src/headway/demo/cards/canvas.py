"""A picture to paint on: drawn at twice its size and scaled down, so that edges are smooth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from headway.demo.cards.palettes import Colour

Point = tuple[float, float]
_SHARPER = 2


class Canvas:
    """Coordinates are in the final picture's pixels. Alpha goes from 0 (nothing) to 1."""

    def __init__(self, width: float, height: float, ground: Colour) -> None:
        self.width = round(width)
        self.height = round(height)
        self._image = Image.new("RGB", (self.width * _SHARPER, self.height * _SHARPER), ground)
        self._pen = ImageDraw.Draw(self._image)
        self._glaze = ImageDraw.Draw(self._image, "RGBA")

    def finished(self) -> Image.Image:
        return self._image.reduce(_SHARPER)

    def rectangle(self, x: float, y: float, width: float, height: float, fill: Colour, alpha: float = 1) -> None:
        if width > 0 and height > 0:
            pen, ink = self._with(fill, alpha)
            pen.rectangle(_times((x, y, x + width, y + height), minus=1), fill=ink)

    def rounded(
        self, x: float, y: float, width: float, height: float, radius: float, fill: Colour, alpha: float = 1
    ) -> None:
        box = _times((x, y, x + width, y + height), minus=1)
        pen, ink = self._with(fill, alpha)
        pen.rounded_rectangle(box, radius * _SHARPER, fill=ink)

    def frame(
        self, x: float, y: float, width: float, height: float, line: float, colour: Colour, radius: float = 0
    ) -> None:
        box = _times((x, y, x + width, y + height), minus=1)
        self._pen.rounded_rectangle(box, radius * _SHARPER, outline=colour, width=max(1, round(line * _SHARPER)))

    def polygon(self, points: Iterable[Point], fill: Colour, alpha: float = 1) -> None:
        pen, ink = self._with(fill, alpha)
        pen.polygon([(x * _SHARPER, y * _SHARPER) for x, y in points], fill=ink)

    def disc(self, x: float, y: float, radius: float, fill: Colour, alpha: float = 1) -> None:
        self.oval(x, y, radius, radius, fill, alpha)

    def oval(self, x: float, y: float, across: float, down: float, fill: Colour, alpha: float = 1) -> None:
        box = _times((x - across, y - down, x + across, y + down))
        pen, ink = self._with(fill, alpha)
        pen.ellipse(box, fill=ink)

    def ring(self, x: float, y: float, radius: float, line: float, colour: Colour, alpha: float = 1) -> None:
        box = _times((x - radius, y - radius, x + radius, y + radius))
        pen, ink = self._with(colour, alpha)
        pen.ellipse(box, outline=ink, width=max(1, round(line * _SHARPER)))

    def arc(
        self, x: float, y: float, across: float, down: float, start: float, end: float, line: float, colour: Colour,
        alpha: float = 1,
    ) -> None:  # fmt: skip
        """Part of an ellipse; degrees clockwise from three o'clock."""
        box = _times((x - across, y - down, x + across, y + down))
        pen, ink = self._with(colour, alpha)
        pen.arc(box, start, end, fill=ink, width=max(1, round(line * _SHARPER)))

    def line(
        self, points: Iterable[Point], line: float, colour: Colour, alpha: float = 1, *, round_ends: bool = False
    ) -> None:
        scaled = [(x * _SHARPER, y * _SHARPER) for x, y in points]
        pen, ink = self._with(colour, alpha)
        pen.line(scaled, fill=ink, width=max(1, round(line * _SHARPER)), joint="curve")
        if round_ends and alpha == 1:
            for x, y in (scaled[0], scaled[-1]):
                r = max(0.5, line * _SHARPER / 2 - 0.5)
                self._pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def shade(
        self,
        top: Colour,
        bottom: Colour,
        y: float = 0,
        height: float | None = None,
        *,
        alpha: tuple[float, float] = (1, 1),
    ) -> None:
        """A vertical gradient over the full width, of colour and of alpha."""
        height = self.height - y if height is None else height
        start, count = round(y * _SHARPER), round(height * _SHARPER)
        if count <= 0:
            return
        column, veil = Image.new("RGB", (1, count)), Image.new("L", (1, count))
        steps = [i / max(1, count - 1) for i in range(count)]
        column.putdata([tuple(round(a + (b - a) * t) for a, b in zip(top, bottom, strict=True)) for t in steps])
        veil.putdata([round(255 * (alpha[0] + (alpha[1] - alpha[0]) * t)) for t in steps])
        size = (self._image.width, count)
        mask = None if min(alpha) == 1 else veil.resize(size, Image.Resampling.NEAREST)
        self._image.paste(column.resize(size, Image.Resampling.NEAREST), (0, start), mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
        """A light that fades out evenly."""
        across = max(2, round(radius * 2 * _SHARPER))
        fall = ImageChops.invert(Image.radial_gradient("L")).point(
            lambda v: round(max(0.0, (v - 74) / 181) ** 1.7 * 255 * alpha)
        )
        corner = (round(x * _SHARPER - across / 2), round(y * _SHARPER - across / 2))
        self._image.paste(colour, corner, fall.resize((across, across), Image.Resampling.BILINEAR))

    def shadow(
        self, x: float, y: float, width: float, height: float, radius: float, blur: float, colour: Colour, alpha: float
    ) -> None:
        """The soft shadow of a sheet, to be drawn before the sheet."""
        # Blurred small: nobody sees the difference, and a blur costs by the pixel.
        small, rim = 4, blur * 2
        across, down = max(4, round((width + 2 * rim) / small)), max(4, round((height + 2 * rim) / small))
        veil = Image.new("L", (across, down), 0)
        inner = (rim / small, rim / small, across - rim / small, down - rim / small)
        ImageDraw.Draw(veil).rounded_rectangle(inner, radius / small, fill=round(255 * alpha))
        veil = veil.filter(ImageFilter.GaussianBlur(blur / small / 1.6))
        full = veil.resize((across * small * _SHARPER, down * small * _SHARPER), Image.Resampling.BILINEAR)
        self._image.paste(colour, (round((x - rim) * _SHARPER), round((y - rim) * _SHARPER)), full)

    def paste(self, other: Canvas, x: float, y: float, shape: Sequence[Point] | None = None) -> None:
        """Another canvas onto this one, cut to a shape (in the other's coordinates) where one is given."""
        mask = None
        if shape is not None:
            mask = Image.new("L", other._image.size, 0)
            ImageDraw.Draw(mask).polygon([(px * _SHARPER, py * _SHARPER) for px, py in shape], fill=255)
        self._image.paste(other._image, (round(x * _SHARPER), round(y * _SHARPER)), mask)

    def _with(self, colour: Colour, alpha: float) -> tuple[ImageDraw.ImageDraw, tuple[int, ...]]:
        """What to draw with. What covers all that is beneath it needs no mixing, which takes thrice as long."""
        return (self._pen, colour) if alpha >= 1 else (self._glaze, (*colour, max(0, round(alpha * 255))))

    def fibres(self, rng: Random, colour: Colour, count: int, alpha: float = 0.10) -> None:
        """The grain of handmade paper: specks and short hairs. Sparse, so that the file stays small."""
        for _ in range(count):
            x, y = rng.uniform(0, self.width), rng.uniform(0, self.height)
            if rng.random() < 0.6:
                self.disc(x, y, rng.uniform(0.5, 1.3), colour, alpha * rng.uniform(0.5, 1.6))
            else:
                angle, reach = rng.uniform(0, math.tau), rng.uniform(5, 22)
                bend = angle + rng.uniform(-0.7, 0.7)
                middle = (x + math.cos(angle) * reach, y + math.sin(angle) * reach)
                end = (middle[0] + math.cos(bend) * reach, middle[1] + math.sin(bend) * reach)
                self.line(((x, y), middle, end), 0.8, colour, alpha)


def curve(points: Sequence[Point], steps: int = 12) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    if len(points) < 3:
        return list(points)
    padded = [points[0], *points, points[-1]]
    smooth: list[Point] = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for i in range(steps):
            t = i / steps
            smooth.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    return [*smooth, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def circle(x: float, y: float, radius: float, start: float = 0, end: float = 360, steps: int = 96) -> list[Point]:
    turns = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(x + math.cos(turn) * radius, y + math.sin(turn) * radius) for turn in turns]


def _times(box: tuple[float, float, float, float], minus: int = 0) -> tuple[float, float, float, float]:
    left, top, right, bottom = (v * _SHARPER for v in box)
    # Pillow's boxes include their last pixel.
    return left, top, max(left, right - minus), max(top, bottom - minus)

"""What several scenes have in common: a sky, ridges, trees, birds, clouds."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from headway.demo.cards.canvas import Canvas, Point, curve
from headway.demo.cards.palettes import Colour, Palette, mix


def sky(c: Canvas, p: Palette, clear: float) -> float:
    """Plain where text will stand, warmer towards the horizon. Returns the y where the scene may begin."""
    y0 = c.height * clear
    c.rectangle(0, 0, c.width, c.height, p.paper)
    glow = mix(p.paper, p.far, 0.75) if p.is_dark else mix(p.paper, p.sun, 0.30)
    c.shade(p.paper, glow, y0 * 0.92, (c.height - y0 * 0.92) * 0.62)
    c.rectangle(0, y0 * 0.92 + (c.height - y0 * 0.92) * 0.62 - 1, c.width, c.height, glow)
    return y0


def sun(c: Canvas, p: Palette, x: float, y: float, radius: float) -> None:
    c.glow(x, y, radius * 2.6, p.sun, 0.38)
    c.disc(x, y, radius, p.sun)


def stars(c: Canvas, rng: Random, colour: Colour, top: float, bottom: float, count: int) -> None:
    u = c.width / 1000
    for _ in range(count):
        c.disc(
            rng.uniform(0, c.width),
            rng.uniform(top, bottom),
            rng.choice((1.0, 1.3, 2.2)) * u,
            colour,
            rng.uniform(0.25, 0.8),
        )


def ridge(rng: Random, width: float, y: float, swing: float, rough: float = 0.52, levels: int = 7) -> list[Point]:
    """A skyline by midpoint displacement, from edge to edge."""
    heights = [rng.uniform(-1, 1) * swing, rng.uniform(-1, 1) * swing]
    spread = swing
    for _ in range(levels):
        between = [(a + b) / 2 + rng.uniform(-spread, spread) for a, b in pairwise(heights)]
        heights = [v for pair in zip(heights, [*between, 0], strict=True) for v in pair][:-1]
        spread *= rough
    step = width / (len(heights) - 1)
    return [(i * step, y + height) for i, height in enumerate(heights)]


def land(c: Canvas, line: list[Point], fill: Colour, alpha: float = 1) -> None:
    c.polygon([*line, (c.width, c.height), (0, c.height)], fill, alpha)


def soft_hill(rng: Random, width: float, y: float, swing: float, bumps: int = 3) -> list[Point]:
    step = width / bumps
    points = [
        (i * step - step / 2 + rng.uniform(-0.15, 0.15) * step, y + rng.uniform(-swing, swing))
        for i in range(bumps + 2)
    ]
    return curve([(-step, y), *points, (width + step, y)], 24)


def birds(c: Canvas, rng: Random, colour: Colour, x: float, y: float, spread: float, count: int) -> None:
    u = c.width / 1000
    for i in range(count):
        bx = x + rng.uniform(-1, 1) * spread
        by = y + rng.uniform(-0.42, 0.42) * spread
        s = rng.uniform(9, 17) * u * (1 - 0.04 * i)
        tilt = rng.uniform(-0.25, 0.25) * s
        left = curve([(bx - s, by - 0.35 * s + tilt), (bx - 0.5 * s, by - 0.55 * s), (bx, by)], 8)
        right = curve([(bx, by), (bx + 0.55 * s, by - 0.6 * s), (bx + s, by - 0.3 * s - tilt)], 8)
        c.line([*left, *right], max(1.6, 2.4 * u), colour)


def cloud(c: Canvas, x: float, y: float, size: float, colour: Colour, alpha: float = 1) -> None:
    """A flat streak of cloud with round ends, as in woodblock prints."""
    for dx, dy, length in ((0, 0, 1.0), (-0.18, 0.085, 0.72), (0.22, 0.17, 0.62)):
        c.rounded(
            x + dx * size - length * size / 2, y + dy * size, length * size, 0.062 * size, 0.031 * size, colour, alpha
        )


def tree(
    c: Canvas, rng: Random, x: float, y: float, height: float, bark: Colour, leaves: Colour | None, *, lean: float = 0.0
) -> None:
    """A tree that forks; `leaves` in clumps at its tips where given."""
    tips: list[Point] = []
    u = c.width / 1000

    def grow(x: float, y: float, angle: float, length: float, width: float, depth: int) -> None:
        bend = angle + rng.uniform(-0.18, 0.18)
        mid = (x + math.cos(angle) * length * 0.5, y + math.sin(angle) * length * 0.5)
        end = (mid[0] + math.cos(bend) * length * 0.5, mid[1] + math.sin(bend) * length * 0.5)
        c.line(((x, y), mid, end), width, bark, round_ends=True)
        if depth == 0:
            tips.append(end)
            return
        for side in (-1, 1):
            grow(*end, bend + side * rng.uniform(0.25, 0.62), length * rng.uniform(0.66, 0.82), width * 0.64, depth - 1)
        if rng.random() < 0.3:
            grow(*end, bend + rng.uniform(-0.12, 0.12), length * 0.7, width * 0.6, depth - 1)

    grow(x, y, -math.pi / 2 + lean, height * 0.28, height * 0.045, 5)
    if leaves is None:
        return
    for tx, ty in tips:
        shade = mix(leaves, bark, rng.uniform(0, 0.28))
        for _ in range(3):
            r = rng.uniform(0.022, 0.05) * height
            c.oval(tx + rng.uniform(-1, 1) * r, ty + rng.uniform(-1, 1) * r, r, r * 0.72, shade, 0.9)
    c.disc(x, y, 0.6 * u, bark)


def leaf(
    c: Canvas, x: float, y: float, length: float, angle: float, fill: Colour, *, plump: float = 0.26, alpha: float = 1
) -> Point:
    """A pointed leaf from its stem at x, y. Returns its tip."""
    cos, sin = math.cos(angle), math.sin(angle)

    def at(along: float, across: float) -> Point:
        return x + cos * along * length - sin * across * length, y + sin * along * length + cos * across * length

    outline = curve([at(0, 0), at(0.3, plump * 0.9), at(0.62, plump * 0.72), at(1, 0)], 8)
    back = curve([at(1, 0), at(0.62, -plump * 0.72), at(0.3, -plump * 0.9), at(0, 0)], 8)
    c.polygon([*outline, *back], fill, alpha)
    return at(1, 0)


def pale(p: Palette) -> Colour:
    """The palette's lightest tone that is no text: clouds, steam, foam."""
    return mix(p.far, p.ink, 0.30) if p.is_dark else p.panel


def dark(p: Palette, share: float = 0.4) -> Colour:
    """Darker than anything else in the scene."""
    return mix(p.near, (0, 0, 0) if p.is_dark else p.ink, share)

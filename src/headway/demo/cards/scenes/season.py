"""Branches through the year: blossom, leaves of autumn, snow; lotus in summer."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from headway.demo.cards.canvas import Canvas, Point, circle, curve
from headway.demo.cards.palettes import Colour, Palette, mix
from headway.demo.cards.scenes import parts


def blossom(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A flowering branch across a moon, petals falling over hills."""
    u = _ground(c, p, rng, clear)
    tips = _branch(c, p, rng, clear)
    flower = mix(p.sun, p.panel, 0.30) if not p.is_dark else mix(p.sun, p.ink, 0.35)
    for x, y in tips:
        _flower(
            c,
            rng,
            x,
            y,
            rng.uniform(20, 36) * u,
            mix(flower, parts.pale(p), rng.uniform(0, 0.4)),
            mix(p.sun, p.panel, 0.2),
        )
    for _ in range(26):
        x, y = rng.uniform(0, c.width), rng.uniform(c.height * (clear + 0.10), c.height)
        parts.leaf(c, x, y, rng.uniform(12, 20) * u, rng.uniform(0, math.tau), flower, plump=0.42, alpha=0.85)


def autumn(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A branch of ginkgo, its fans coming down."""
    u = _ground(c, p, rng, clear)
    tips = _branch(c, p, rng, clear)
    gold = p.sun if not p.is_dark else mix(p.sun, p.ink, 0.1)
    for x, y in tips:
        _ginkgo(c, x, y, rng.uniform(44, 72) * u, rng.uniform(0.6, 2.5), mix(gold, p.near, rng.uniform(0, 0.30)), p)
    for _ in range(22):
        x, y = rng.uniform(0, c.width), rng.uniform(c.height * (clear + 0.12), c.height)
        _ginkgo(c, x, y, rng.uniform(26, 50) * u, rng.uniform(0, math.tau), mix(gold, p.near, rng.uniform(0, 0.25)), p)


def snow(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Snow on bare branches, on roofs of hills, and in the air."""
    u = _ground(c, p, rng, clear, snowy=True)
    tips = _branch(c, p, rng, clear, snowy=True)
    berry = p.accent if not p.is_dark else p.sun
    for x, y in tips:
        for _ in range(2):
            c.disc(x + rng.uniform(-16, 16) * u, y + rng.uniform(-4, 24) * u, rng.uniform(6, 10) * u, berry)
    flake = mix(parts.pale(p), (255, 255, 255), 0.8)
    for _ in range(110):
        x, y = rng.uniform(0, c.width), rng.uniform(c.height * (clear + 0.02), c.height)
        c.disc(x, y, rng.choice((2.4, 3.4, 4.4, 6.5)) * u, flake, rng.uniform(0.6, 1))


def lotus(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Lotus leaves and flowers over still water."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    parts.sun(c, p, c.width * rng.choice((0.25, 0.75)), y0 + room * 0.2, 110 * u)
    water = y0 + room * 0.52
    line = parts.soft_hill(rng, c.width, water - room * 0.08, room * 0.05, 3)
    parts.land(c, line, mix(p.far, p.paper, 0.2))
    c.rectangle(0, water, c.width, c.height, mix(p.far, p.mid, 0.45))
    for _ in range(34):
        x, y = rng.uniform(0, c.width), rng.uniform(water, c.height)
        c.rounded(x, y, rng.uniform(60, 220) * u, 3 * u, 1.5 * u, parts.pale(p), 0.40)
    for i in range(11):
        t = i / 10
        x, y = c.width * ((i * 0.381 + rng.uniform(0, 0.12)) % 1.05), water + room * (0.05 + 0.42 * t)
        _pad(c, p, rng, x, y, (70 + 110 * t) * u)
    pink = mix(p.sun, p.panel, 0.25) if not p.is_dark else mix(p.sun, p.ink, 0.25)
    for share, rise, size in ((0.30, 0.40, 96), (0.70, 0.30, 128), (0.52, 0.18, 66)):
        x, y = c.width * (share + rng.uniform(-0.05, 0.05)), c.height - room * rise
        c.line(curve([(x + 14 * u, c.height), (x - 8 * u, (y + c.height) / 2), (x, y)], 10), 8 * u, parts.dark(p, 0.15))
        _lotus_flower(c, x, y, size * u, pink, mix(pink, p.panel if not p.is_dark else (255, 255, 255), 0.5), p.sun)


def _ground(c: Canvas, p: Palette, rng: Random, clear: float, *, snowy: bool = False) -> float:
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.4, 40)
    parts.sun(c, p, c.width * 0.63, y0 + room * 0.34, 190 * u)
    tones = (mix(p.far, p.mid, 0.2), mix(p.mid, p.near, 0.2), mix(p.mid, p.near, 0.8))
    for i, tone in enumerate(tones):
        line = parts.soft_hill(rng, c.width, y0 + room * (0.66 + 0.12 * i), room * 0.04, 2 + i)
        parts.land(c, line, mix(parts.pale(p), (255, 255, 255), 0.5) if snowy else tone)
        if snowy:
            c.polygon(
                [*[(x, y + 26 * u) for x, y in line], (c.width, c.height), (0, c.height)],
                mix(tone, (255, 255, 255), 0.45 if not p.is_dark else 0.12),
            )
    return u


def _branch(c: Canvas, p: Palette, rng: Random, clear: float, *, snowy: bool = False) -> list[Point]:
    """A gnarled branch that reaches in from the left; returns where flowers or leaves sit."""
    y0, u = c.height * clear, c.width / 1000
    room = c.height - y0
    bark = parts.dark(p, 0.35) if not p.is_dark else mix(p.near, (0, 0, 0), 0.1)
    tips: list[Point] = []
    white = mix(parts.pale(p), (255, 255, 255), 0.8)

    def twig(points: list[Point], width: float) -> list[Point]:
        smooth = curve(points, 14)
        for i, (a, b) in enumerate(pairwise(smooth)):
            thick = width * (1 - 0.72 * i / len(smooth))
            c.line((a, b), thick, bark, round_ends=True)
            if snowy and thick > 3 * u:
                c.line(((a[0], a[1] - thick * 0.42), (b[0], b[1] - thick * 0.42)), thick * 0.55, white, round_ends=True)
        return smooth

    spine = [
        (-30 * u, y0 + room * 0.66),
        (150 * u, y0 + room * 0.54),
        (300 * u, y0 + room * 0.50),
        (480 * u, y0 + room * 0.36),
        (690 * u, y0 + room * 0.30),
        (880 * u, y0 + room * 0.20),
    ]
    trunk = twig([(x + rng.uniform(-14, 14) * u, y + rng.uniform(-16, 16) * u) for x, y in spine], 30 * u)
    for k in range(9):
        at = trunk[int(len(trunk) * (0.18 + 0.085 * k))]
        side = -1 if k % 2 else 1
        angle = -0.45 + side * rng.uniform(0.45, 0.85)
        reach = rng.uniform(120, 230) * u * (1 - 0.035 * k)
        mid = (at[0] + math.cos(angle) * reach * 0.55, at[1] + math.sin(angle) * reach * 0.5 + 10 * u)
        end = (at[0] + math.cos(angle - 0.15) * reach, at[1] + math.sin(angle - 0.15) * reach)
        line = twig([at, mid, end], 12 * u)
        tips += [line[int(len(line) * share)] for share in (0.45, 0.72, 0.99)]
    tips.append(trunk[-1])
    # Text stands above: nothing may grow into it.
    return [(x, y) for x, y in tips if y > y0 - 10 * u]


def _flower(c: Canvas, rng: Random, x: float, y: float, size: float, petal: Colour, heart: Colour) -> None:
    turn = rng.uniform(0, math.tau)
    for i in range(5):
        angle = turn + i * math.tau / 5
        c.disc(
            x + math.cos(angle) * size * 0.52,
            y + math.sin(angle) * size * 0.52,
            size * 0.46,
            mix(petal, (255, 255, 255), 0.10 * (i % 2)),
        )
    for i in range(7):
        angle = turn + i * math.tau / 7
        c.line(
            ((x, y), (x + math.cos(angle) * size * 0.5, y + math.sin(angle) * size * 0.5)),
            max(1.2, size * 0.045),
            heart,
        )
    c.disc(x, y, size * 0.17, heart)


def _ginkgo(c: Canvas, x: float, y: float, size: float, angle: float, tone: Colour, p: Palette) -> None:
    fan = circle(x, y, size, math.degrees(angle) - 62, math.degrees(angle) + 62, 28)
    wavy = [
        (px + math.cos(i * 1.9) * size * 0.035, py + math.sin(i * 1.9) * size * 0.035) for i, (px, py) in enumerate(fan)
    ]
    notch = (x + math.cos(angle) * size * 0.62, y + math.sin(angle) * size * 0.62)
    half = len(wavy) // 2
    c.polygon([(x, y), *wavy[:half], notch, *wavy[half + 1 :]], tone)
    for i in range(2, len(wavy) - 2, 4):
        c.line(
            ((x, y), (x + (wavy[i][0] - x) * 0.86, y + (wavy[i][1] - y) * 0.86)),
            max(1.0, size * 0.018),
            mix(tone, p.near, 0.35),
            0.6,
        )
    c.line(
        ((x, y), (x - math.cos(angle + 0.2) * size * 0.55, y - math.sin(angle + 0.2) * size * 0.55)),
        max(1.4, size * 0.04),
        mix(tone, p.near, 0.4),
    )


def _pad(c: Canvas, p: Palette, rng: Random, x: float, y: float, size: float) -> None:
    tone = mix(p.mid, p.near, rng.uniform(0.35, 1))
    turn = rng.uniform(20, 70)
    rim = [(px, y + (py - y) * 0.40) for px, py in circle(x, y, size, turn, turn + 340, 60)]
    c.polygon([(px, py + size * 0.05) for px, py in rim] + [(x, y + size * 0.05)], parts.dark(p), 0.30)
    c.polygon([*rim, (x, y)], tone)
    for px, py in rim[4::8]:
        c.line(
            ((x, y), (x + (px - x) * 0.9, y + (py - y) * 0.9)),
            max(1.2, size * 0.014),
            mix(tone, parts.pale(p), 0.35),
            0.7,
        )


def _lotus_flower(c: Canvas, x: float, y: float, size: float, deep: Colour, light: Colour, heart: Colour) -> None:
    c.disc(x, y - size * 0.25, size * 0.2, heart)
    for angle, reach, tone in (
        (-150, 0.95, deep),
        (-30, 0.95, deep),
        (-128, 1.05, light),
        (-52, 1.05, light),
        (-108, 1.1, deep),
        (-72, 1.1, deep),
        (-90, 1.12, light),
    ):
        parts.leaf(c, x, y, size * reach, math.radians(angle), mix(tone, deep, 0.15), plump=0.30)

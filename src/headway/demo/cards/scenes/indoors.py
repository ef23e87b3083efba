"""Indoors: a sunny room with a cat, and a desk with books."""

from __future__ import annotations

import math
from random import Random

from headway.demo.cards.canvas import Canvas, Point, curve
from headway.demo.cards.palettes import Colour, Palette, mix
from headway.demo.cards.scenes import parts


def room(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A window with the sun in it, a big plant, a cat that looks out."""
    y0 = parts.sky(c, p, clear)
    high, u = c.height - y0, c.width / 1000
    sill = y0 + high * 0.80
    left, width, top = 170 * u, 560 * u, y0 + high * 0.02
    frame = mix(p.near, p.mid, 0.2)
    view = Canvas(width, sill - top, p.paper)
    parts.sky(view, p, 0.0)
    parts.sun(view, p, width * 0.66, (sill - top) * 0.42, 96 * u)
    parts.cloud(view, width * 0.28, (sill - top) * 0.22, 200 * u, parts.pale(p), 0.95)
    for i in range(3):
        parts.land(
            view,
            parts.soft_hill(rng, view.width, (sill - top) * (0.66 + 0.12 * i), 26 * u, 2),
            mix(p.far, p.mid, i / 2),
        )
    c.rounded(left - 22 * u, top - 22 * u, width + 44 * u, sill - top + 22 * u, 18 * u, frame)
    c.paste(view, left, top)
    c.rectangle(left + width / 2 - 8 * u, top, 16 * u, sill - top, frame)
    c.rectangle(left, top + (sill - top) * 0.36, width, 14 * u, frame)
    floor = mix(p.mid, p.near, 0.55)
    c.rectangle(0, sill, c.width, c.height - sill, floor)
    c.rounded(left - 60 * u, sill - 8 * u, width + 120 * u, 30 * u, 8 * u, mix(floor, parts.pale(p), 0.45))
    _cat(c, left + width * 0.30, sill - 6 * u, 205 * u, parts.dark(p, 0.45), p.sun)
    _plant(c, p, rng, c.width - 165 * u, c.height - 40 * u, min(high * 0.92, 640 * u), u)


def _cat(c: Canvas, x: float, base: float, size: float, tone: Colour, collar: Colour) -> None:
    """From behind, sitting."""
    body = curve(
        [
            (x - size * 0.32, base),
            (x - size * 0.36, base - size * 0.24),
            (x - size * 0.20, base - size * 0.66),
            (x, base - size * 0.76),
            (x + size * 0.20, base - size * 0.66),
            (x + size * 0.36, base - size * 0.24),
            (x + size * 0.32, base),
        ],
        10,
    )
    c.polygon(body, tone)
    head = base - size * 0.86
    c.oval(x, head, size * 0.235, size * 0.20, tone)
    for side in (-1, 1):
        c.polygon(
            (
                (x + side * size * 0.225, head - size * 0.05),
                (x + side * size * 0.19, head - size * 0.30),
                (x + side * size * 0.04, head - size * 0.17),
            ),
            tone,
        )
    c.arc(x, base - size * 0.70, size * 0.15, size * 0.04, 0, 180, size * 0.035, collar)
    c.line(
        curve(
            [
                (x + size * 0.26, base - size * 0.05),
                (x + size * 0.58, base - size * 0.02),
                (x + size * 0.70, base + size * 0.16),
                (x + size * 0.60, base + size * 0.34),
            ],
            10,
        ),
        size * 0.075,
        tone,
        round_ends=True,
    )


def _plant(c: Canvas, p: Palette, rng: Random, x: float, base: float, height: float, u: float) -> None:
    pot = p.accent if not p.is_dark else p.sun
    stems = []
    for i in range(8):
        angle = -math.pi / 2 + (i - 3.5) * 0.27 + rng.uniform(-0.06, 0.06)
        reach = height * rng.uniform(0.44, 0.62) * (1 - 0.035 * abs(i - 3.5))
        root = (x + (i - 3.5) * 8 * u, base - height * 0.22)
        tip = (root[0] + math.cos(angle) * reach, root[1] + math.sin(angle) * reach)
        stems.append((root, tip, angle))
    for i, (root, tip, angle) in enumerate(stems):
        tone = mix(p.near, p.mid, (0.0, 0.35, 0.15, 0.5)[i % 4])
        c.line(
            curve([root, ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 - 12 * u), tip], 8), 6 * u, parts.dark(p, 0.2)
        )
        end = parts.leaf(c, *tip, height * 0.30, angle + (0.35 if angle > -math.pi / 2 else -0.35), tone, plump=0.34)
        c.line((tip, end), 2.4 * u, mix(tone, parts.pale(p), 0.4), 0.8)
    half = height * 0.15
    c.oval(x, base, half * 1.0, 14 * u, parts.dark(p), 0.3)
    c.polygon(
        (
            (x - half, base - height * 0.25),
            (x + half, base - height * 0.25),
            (x + half * 0.74, base),
            (x - half * 0.74, base),
        ),
        pot,
    )
    c.rounded(x - half * 1.12, base - height * 0.27, half * 2.24, height * 0.055, 8 * u, mix(pot, (0, 0, 0), 0.15))


def books(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A pile of books with a cup on top, a lamp's light, an open window of stars or sun."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    desk = c.height - room * 0.16
    c.glow(c.width * 0.73, y0 + room * 0.40, 430 * u, p.sun, 0.55)
    c.rectangle(0, desk, c.width, c.height - desk, mix(p.mid, p.near, 0.6))
    c.rectangle(0, desk, c.width, 9 * u, mix(p.near, parts.pale(p), 0.4))
    _lamp(c, p, c.width * 0.76, desk, min(room * 0.66, 460 * u), u)
    y, tones = (
        desk,
        (
            p.accent if not p.is_dark else p.sun,
            mix(p.mid, p.near, 0.75),
            mix(p.sun, p.near, 0.25),
            p.far,
            mix(p.near, p.mid, 0.2),
            mix(p.sun, p.far, 0.5),
        ),
    )
    for i in range(6):
        width, thick = rng.uniform(330, 450) * u, min(rng.uniform(58, 82) * u, room * 0.10)
        x = 300 * u - width / 2 + rng.uniform(-26, 26) * u
        y -= thick
        tone = tones[i]
        c.rounded(x, y, width, thick - 2 * u, 10 * u, tone)
        c.rectangle(
            x + width - 30 * u, y + 9 * u, 30 * u, thick - 20 * u, mix(p.panel if not p.is_dark else p.ink, p.far, 0.15)
        )
        for k in range(2):
            c.rectangle(
                x + (44 + 18 * k) * u, y, 7 * u, thick - 2 * u, mix(tone, p.panel if not p.is_dark else p.ink, 0.55)
            )
        c.rounded(
            x + width * 0.36,
            y + thick * 0.38,
            width * 0.34,
            thick * 0.17,
            4 * u,
            mix(tone, p.panel if not p.is_dark else p.ink, 0.6),
        )
    mug_x, mug = 320 * u, 110 * u
    body = mix(p.panel, p.far, 0.2) if not p.is_dark else p.ink
    c.arc(mug_x + mug * 0.62, y - mug * 0.5, mug * 0.30, mug * 0.28, 0, 360, mug * 0.10, body)
    c.rounded(mug_x - mug * 0.56, y - mug, mug * 1.12, mug, mug * 0.16, body)
    c.rectangle(mug_x - mug * 0.56, y - mug * 0.62, mug * 1.12, mug * 0.16, p.accent if not p.is_dark else p.paper)


def _lamp(c: Canvas, p: Palette, x: float, base: float, height: float, u: float) -> None:
    metal = parts.dark(p, 0.35)
    c.rounded(x - 92 * u, base - 18 * u, 184 * u, 20 * u, 10 * u, metal)
    elbow, head = (x + height * 0.20, base - height * 0.50), (x - height * 0.12, base - height * 0.92)
    c.line(((x, base), elbow), 11 * u, metal)
    c.line((elbow, head), 11 * u, metal)
    c.disc(*elbow, 15 * u, p.sun)
    shade = p.accent if not p.is_dark else p.sun
    hx, hy = head
    c.polygon(
        (
            (hx - 22 * u, hy - 26 * u),
            (hx + 40 * u, hy - 2 * u),
            (hx + 30 * u, hy + 128 * u),
            (hx - 152 * u, hy + 58 * u),
        ),
        shade,
    )
    c.oval(hx - 62 * u, hy + 94 * u, 34 * u, 26 * u, mix(p.sun, (255, 255, 240), 0.7))
    cone: list[Point] = [
        (hx - 150 * u, hy + 60 * u),
        (hx + 28 * u, hy + 128 * u),
        (hx - 40 * u, base),
        (hx - 430 * u, base),
    ]
    c.polygon(cone, mix(p.sun, (255, 255, 240), 0.5), 0.20)

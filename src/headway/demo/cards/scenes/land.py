"""Mountains, the sea, and rolling hills."""

from __future__ import annotations

import math
from random import Random

from headway.demo.cards.canvas import Canvas, curve
from headway.demo.cards.palettes import Palette, mix
from headway.demo.cards.scenes import parts


def mountains(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Ridge behind ridge, with mist between them."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.25, 40)
    x = c.width * rng.choice((0.28, 0.7, 0.74))
    parts.sun(c, p, x, y0 + room * 0.17, 92 * u)
    parts.birds(c, rng, p.near if not p.is_dark else p.ink, c.width - x, y0 + room * 0.12, 110 * u, 5)
    mist = mix(p.paper, p.far, 0.25)
    layers = 5
    for i in range(layers):
        t = i / (layers - 1)
        tone = mix(p.far, p.mid, t * 2) if t < 0.5 else mix(p.mid, p.near, t * 2 - 1)
        y = y0 + room * (0.30 + 0.15 * i)
        parts.land(c, parts.ridge(rng, c.width, y, room * (0.13 - 0.014 * i), 0.50), tone)
        if i < layers - 1:
            c.shade(mist, mist, y + room * 0.02, room * 0.22, alpha=(0.0, 0.62))
    front = parts.ridge(rng, c.width, c.height - room * 0.07, room * 0.025, 0.5)
    dark = mix(p.near, p.ink if not p.is_dark else p.paper, 0.35)
    for fx, fy in front[:: max(1, len(front) // 46)]:
        if rng.random() < 0.75:
            _pine(c, fx + rng.uniform(-8, 8) * u, fy + 6 * u, rng.uniform(34, 92) * u, dark)
    parts.land(c, front, dark)


def _pine(c: Canvas, x: float, y: float, height: float, tone: tuple[int, int, int]) -> None:
    for k in range(4):
        top, half = y - height * (1 - k * 0.20), height * (0.10 + 0.055 * k)
        c.polygon(((x, top), (x + half, top + height * 0.36), (x - half, top + height * 0.36)), tone)


def sea(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """The sun going down behind waves of scales (seigaiha), and a sail."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    x, horizon = c.width * rng.choice((0.3, 0.66)), y0 + room * 0.44
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, horizon, 50)
    parts.sun(c, p, x, horizon - 40 * u, 168 * u)
    for cx, cy, size in ((0.2, 0.10, 260), (0.82, 0.18, 300), (0.5, 0.02, 180)):
        parts.cloud(
            c,
            c.width * (cx + rng.uniform(-0.06, 0.06)),
            y0 + room * cy,
            size * u,
            mix(parts.pale(p), p.sun, 0.08),
            0.85,
        )
    c.rectangle(0, horizon, c.width, c.height, mix(p.far, p.mid, 0.35))
    for i in range(9):  # the sun's road on the water
        half = (150 - 13 * i + rng.uniform(-20, 20)) * u
        c.rounded(x - half, horizon + (10 + 15 * i) * u, 2 * half, 5 * u, 2.5 * u, mix(p.sun, p.panel, 0.25), 0.75)
    sail = c.width - x + rng.uniform(-60, 60) * u
    _boat(c, p, sail, horizon + 34 * u, 92 * u)
    radius = 92 * u
    rows = int((c.height - horizon) / (radius * 0.5)) + 3
    for row in range(rows):
        y = horizon + 150 * u + row * radius * 0.5
        tone = mix(p.mid, p.near, min(1.0, row / 6))
        for column in range(-1, int(c.width / (2 * radius)) + 3):
            cx = column * 2 * radius + (radius if row % 2 else 0)
            c.disc(cx, y, radius, mix(parts.pale(p), tone, 0.14))
            for share in (0.93, 0.66, 0.39):
                c.disc(cx, y, radius * share, tone)
                c.disc(cx, y, radius * (share - 0.10), mix(parts.pale(p), tone, 0.14 if share > 0.4 else 1))
                c.disc(cx, y, radius * (share - 0.17), tone)


def _boat(c: Canvas, p: Palette, x: float, y: float, size: float) -> None:
    hull = mix(p.near, p.ink if not p.is_dark else p.paper, 0.4)
    c.polygon(
        curve(
            [
                (x - size * 0.62, y),
                (x - size * 0.4, y + size * 0.2),
                (x + size * 0.4, y + size * 0.2),
                (x + size * 0.66, y),
            ]
        ),
        hull,
    )
    c.polygon(
        ((x - size * 0.04, y - size * 1.1), (x - size * 0.04, y - size * 0.1), (x - size * 0.5, y - size * 0.1)),
        parts.pale(p),
    )
    c.polygon(
        ((x + size * 0.02, y - size * 1.25), (x + size * 0.56, y - size * 0.1), (x + size * 0.02, y - size * 0.1)),
        parts.pale(p),
        0.86,
    )
    c.line(((x - size * 0.01, y - size * 1.3), (x - size * 0.01, y)), size * 0.03, hull)


def hills(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Soft hills in stripes, a big sun, round trees: for any topic at all."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    x = c.width * rng.choice((0.27, 0.5, 0.73))
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.4, 50)
    parts.sun(c, p, x, y0 + room * 0.30, 150 * u)
    parts.cloud(c, c.width * 0.16, y0 + room * 0.16, 240 * u, parts.pale(p), 0.9)
    parts.cloud(c, c.width * 0.84, y0 + room * 0.08, 280 * u, parts.pale(p), 0.9)
    for i in range(4):
        tone = mix(p.far, p.mid, i / 1.6) if i < 2 else mix(p.mid, p.near, (i - 1) / 2)
        line = parts.soft_hill(rng, c.width, y0 + room * (0.44 + 0.145 * i), room * 0.055, 2 + i % 2)
        parts.land(c, line, tone)
        for k in range(1, 7):  # furrows that follow the hill
            shifted = [(px, py + (10 + 21 * k) * u * (1 + 0.10 * k)) for px, py in line]
            c.line(shifted, 2.2 * u, mix(tone, parts.pale(p), 0.32), 0.55)
        for _ in range(5 - i):
            spot = rng.choice([point for point in line if 0.04 * c.width < point[0] < 0.96 * c.width])
            _round_tree(c, p, rng, spot[0], spot[1] + 8 * u, (34 + 15 * i + rng.uniform(0, 20)) * u)


def _round_tree(c: Canvas, p: Palette, rng: Random, x: float, y: float, size: float) -> None:
    crown = rng.choice((p.near, mix(p.near, p.mid, 0.5), mix(p.sun, p.near, 0.25)))
    dark = mix(crown, p.ink if not p.is_dark else p.paper, 0.35)
    c.line(((x, y), (x, y - size * 0.9)), size * 0.09, dark)
    c.oval(x, y - size * 1.05, size * 0.42, size * 0.56, crown)
    for side, rise in ((-1, 0.8), (1, 0.95)):
        c.line(((x, y - size * (rise - 0.16)), (x + side * size * 0.18, y - size * rise)), size * 0.045, dark)


def field_of_dots(c: Canvas, p: Palette, rng: Random) -> None:
    """Faint dots over a whole ground, for cards that are mostly text."""
    step = c.width / 26
    turn = rng.uniform(0, math.tau)
    for row in range(int(c.height / step) + 2):
        for column in range(28):
            wave = math.sin(column / 5 + turn) + math.cos(row / 6 - turn)
            c.disc(column * step, row * step, max(0.0, 0.9 + 0.7 * wave) * c.width / 1000, p.mid, 0.35)

"""Made things: a vase before a lattice, lanterns over roofs, and the grid of a machine's mind."""

from __future__ import annotations

import math
from random import Random

from headway.demo.cards.canvas import Canvas, curve
from headway.demo.cards.palettes import Colour, Palette, mix
from headway.demo.cards.scenes import parts


def vase(c: Canvas, p: Palette, _rng: Random, clear: float) -> None:
    """A painted vase on a stand, a window's lattice behind it."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    x = c.width * 0.5
    radius = min(370 * u, room * 0.47)
    cy = y0 + radius * 1.06
    c.disc(x, cy, radius + 24 * u, mix(p.mid, p.near, 0.5))
    c.disc(x, cy, radius, mix(p.far, p.sun, 0.25) if p.is_dark else mix(p.sun, p.paper, 0.55))
    _lattice(c, x, cy, radius, mix(p.mid, p.near, 0.35), 8 * u)
    shelf = c.height - room * 0.13
    c.rectangle(0, shelf, c.width, c.height - shelf, mix(p.near, p.mid, 0.25))
    c.rectangle(0, shelf, c.width, 10 * u, mix(p.near, parts.pale(p), 0.35))
    _vase(c, p, x, shelf + 26 * u, min(540 * u, room * 0.72))
    for side in (-1, 1):
        bx = x + side * 330 * u
        c.rounded(
            bx - 84 * u, shelf - 34 * u, 168 * u, 60 * u, 8 * u, mix(p.accent if not p.is_dark else p.sun, p.near, 0.25)
        )
        c.rounded(bx - 66 * u, shelf - 82 * u, 132 * u, 48 * u, 8 * u, mix(p.sun, p.near, 0.35 if side < 0 else 0.1))


def _lattice(c: Canvas, x: float, y: float, radius: float, tone: Colour, line: float) -> None:
    """Cracked-ice lattice inside a circle: a fixed figure of straight bars."""
    spokes = [math.radians(a) for a in (10, 58, 97, 142, 190, 236, 281, 325)]
    inner = [(x + math.cos(a) * radius * 0.42, y + math.sin(a) * radius * 0.42) for a in spokes]
    outer = [(x + math.cos(a + 0.12) * radius, y + math.sin(a + 0.12) * radius) for a in spokes]
    for i, (a, b) in enumerate(zip(inner, outer, strict=True)):
        c.line((a, b), line, tone)
        c.line((a, inner[(i + 1) % len(inner)]), line, tone)
        half = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        nxt = outer[(i + 1) % len(outer)]
        turn = spokes[i] + 0.45
        if i % 2 == 0:
            c.line((half, ((inner[(i + 1) % 8][0] + nxt[0]) / 2, (inner[(i + 1) % 8][1] + nxt[1]) / 2)), line, tone)
        else:
            c.line((half, (x + math.cos(turn) * radius, y + math.sin(turn) * radius)), line, tone)


def _vase(c: Canvas, p: Palette, x: float, base: float, height: float) -> None:
    glaze = mix(p.panel, p.far, 0.10) if not p.is_dark else p.ink
    paint = p.accent if not p.is_dark else p.paper
    profile = [
        (0.13, 1.0),
        (0.10, 0.955),
        (0.095, 0.84),
        (0.16, 0.74),
        (0.285, 0.60),
        (0.315, 0.46),
        (0.26, 0.27),
        (0.175, 0.11),
        (0.17, 0.0),
    ]
    right = curve([(x + half * height, base - up * height) for half, up in profile], 12)
    left = [(2 * x - px, py) for px, py in reversed(right)]
    c.oval(x, base, height * 0.30, height * 0.035, parts.dark(p), 0.40)
    c.polygon([*right, *left], glaze)

    def half_at(up: float) -> float:
        y = base - up * height
        return min(right, key=lambda point: abs(point[1] - y))[0] - x

    def band(up: float, line: float) -> None:
        half = half_at(up)
        c.arc(x, base - up * height, half, half * 0.16, 0, 180, line * height, paint)

    for up, line in ((0.93, 0.008), (0.80, 0.008), (0.775, 0.005), (0.155, 0.008), (0.13, 0.005), (0.045, 0.010)):
        band(up, line)
    for i in range(7):  # petals round the foot
        t = (i - 3) / 3.4
        fx, fy = x + t * half_at(0.2), base - (0.165 - 0.020 * (1 - t * t)) * height
        parts.leaf(c, fx, fy, height * 0.085, -math.pi / 2 + t * 0.35, paint, plump=0.22)
    _spray(c, x, base - 0.44 * height, height, paint, glaze)
    shade = [(px, py) for px, py in right if py < base]
    c.polygon([*shade, *[(x + (px - x) * 0.62, py) for px, py in reversed(shade)]], mix(p.near, (0, 0, 0), 0.2), 0.13)
    c.oval(x, base - height, height * 0.13, height * 0.022, mix(glaze, p.mid, 0.5))


def _spray(c: Canvas, x: float, y: float, height: float, paint: Colour, glaze: Colour) -> None:
    """The painting on it: a peony and its scrolls."""
    for ring, count, reach in ((0.115, 9, 0.070), (0.070, 7, 0.055), (0.030, 5, 0.040)):
        for i in range(count):
            a = i * math.tau / count + ring * 9
            px, py = x + math.cos(a) * ring * height, y + math.sin(a) * ring * height * 0.85
            c.disc(px, py, reach * height * 0.62, paint)
            c.disc(
                px + math.cos(a) * 0.008 * height,
                py + math.sin(a) * 0.008 * height,
                reach * height * 0.44,
                mix(paint, glaze, 0.72 if ring > 0.06 else 0.5),
            )
    c.disc(x, y, 0.022 * height, paint)
    for side in (-1, 1):
        vine = curve(
            [
                (x + side * 0.12 * height, y + 0.06 * height),
                (x + side * 0.20 * height, y + 0.11 * height),
                (x + side * 0.17 * height, y + 0.19 * height),
                (x + side * 0.08 * height, y + 0.215 * height),
            ],
            10,
        )
        c.line(vine, 0.007 * height, paint)
        for k in (6, 14, 22):
            if k < len(vine):
                parts.leaf(
                    c,
                    *vine[k],
                    0.062 * height,
                    side * 0.6 + (0 if side > 0 else math.pi) - 0.9 + k * 0.09,
                    paint,
                    plump=0.3,
                )
        up = curve(
            [
                (x + side * 0.10 * height, y - 0.09 * height),
                (x + side * 0.17 * height, y - 0.14 * height),
                (x + side * 0.13 * height, y - 0.20 * height),
            ],
            10,
        )
        c.line(up, 0.006 * height, paint)
        parts.leaf(c, *up[12], 0.06 * height, -math.pi / 2 + side * 0.9, paint, plump=0.3)


def lanterns(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Sky lanterns rising over the roofs of a town on a feast night."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.5, 70)
    for i in range(3):
        line = parts.ridge(rng, c.width, y0 + room * (0.66 + 0.10 * i), room * 0.06, 0.5, 6)
        parts.land(c, line, mix(p.far, p.near, 0.15 + 0.3 * i))
    red = mix(p.sun, p.accent, 0.7) if not p.is_dark else p.sun
    spots: list[tuple[float, float, float]] = []
    for _ in range(300):
        size = rng.choice((34, 44, 58, 78, 104)) * u
        x, y = rng.uniform(0.05, 0.95) * c.width, rng.uniform(y0 + size * 1.3, c.height - room * 0.20)
        if all(math.hypot(x - ox, y - oy) > 1.65 * (size + other) for ox, oy, other in spots):
            spots.append((x, y, size))
    for x, y, size in sorted(spots, key=lambda spot: spot[2]):
        _sky_lantern(c, p, x, y, size, mix(p.sun, red, rng.uniform(0, 0.45)))
    for share in (0.05, 0.24, 0.46, 0.70, 0.93):
        base, half = c.height - rng.uniform(0, 20) * u, rng.uniform(125, 160) * u
        x, top = share * c.width, base - rng.uniform(80, 150) * u
        tone = parts.dark(p, 0.35)
        c.polygon(
            [
                *curve([(x - half, top), (x - half * 0.6, top - 14 * u), (x - half * 0.3, top - 76 * u)], 8),
                *curve([(x + half * 0.3, top - 76 * u), (x + half * 0.6, top - 14 * u), (x + half, top)], 8),
            ],
            tone,
        )
        c.rounded(x - half * 0.36, top - 86 * u, half * 0.72, 16 * u, 6 * u, tone)
        c.rectangle(x - half * 0.78, top - 2 * u, half * 1.56, c.height, tone)
        for k in range(-1, 2):
            c.rounded(
                x + k * half * 0.42 - 15 * u, top + 26 * u, 30 * u, 44 * u, 4 * u, mix(p.sun, p.panel, 0.25), 0.95
            )


def _sky_lantern(c: Canvas, p: Palette, x: float, y: float, size: float, tone: Colour) -> None:
    c.glow(x, y, size * 2.0, p.sun, 0.42)
    left = curve(
        [
            (x - size * 0.52, y + size * 0.78),
            (x - size * 0.80, y - size * 0.25),
            (x - size * 0.50, y - size * 0.92),
            (x, y - size * 1.04),
        ],
        8,
    )
    right = [(2 * x - px, py) for px, py in reversed(left)]
    c.polygon([*left, *right], tone)
    light = mix(tone, p.sun, 0.6)
    c.polygon([(x + (px - x) * 0.62, py if py < y else y + (py - y)) for px, py in [*left, *right]], light, 0.55)
    c.oval(x, y + size * 0.78, size * 0.52, size * 0.11, mix(p.sun, (255, 255, 235), 0.6))
    for share in (-0.32, 0.32):
        c.line(
            curve(
                [
                    (x + share * size, y + size * 0.76),
                    (x + share * 1.5 * size, y - size * 0.2),
                    (x + share * 0.9 * size, y - size * 0.95),
                ],
                6,
            ),
            size * 0.025,
            mix(tone, p.near, 0.4),
            0.6,
        )


def grid(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A plane of lines to the horizon, a sun in slices, orbits with small bodies on them."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    horizon, x = y0 + room * 0.52, c.width / 2
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, horizon, 90)
    line = parts.pale(p) if p.is_dark else p.near
    radius = min(235 * u, room * 0.36)
    for i, reach in enumerate((1.22, 1.46, 1.72)):
        if radius * reach < horizon - y0 * 0.97:
            c.ring(x, horizon, radius * reach, 2.2 * u, mix(line, p.paper, 0.45))
        angle = math.radians(rng.uniform(195, 345))
        px, py = x + math.cos(angle) * radius * reach, horizon + math.sin(angle) * radius * reach
        if py > y0:
            c.disc(
                px,
                py,
                (17, 11, 24)[i] * u,
                (p.accent if not p.is_dark else p.sun, p.mid, p.near if not p.is_dark else p.far)[i],
            )
    c.glow(x, horizon, radius * 2.0, p.sun, 0.42)
    c.disc(x, horizon, radius, p.sun)
    behind = mix(p.paper, p.far, 0.6) if p.is_dark else mix(p.paper, p.sun, 0.26)
    for k in range(5):
        c.rectangle(x - radius, horizon - radius * (0.09 + 0.155 * k), 2 * radius, (13 - 2.2 * k) * u, behind)
    c.rectangle(0, horizon, c.width, c.height - horizon, mix(p.near, p.ink if not p.is_dark else (0, 0, 0), 0.22))
    mesh = mix(p.sun, p.panel, 0.12) if not p.is_dark else p.sun
    for k in range(-14, 15):
        c.line(((x + k * 30 * u, horizon), (x + k * 210 * u, c.height)), 2.4 * u, mesh, 0.60)
    for k in range(12):
        y = horizon + (c.height - horizon) * (k / 11) ** 2.1
        c.line(((0, y), (c.width, y)), 2.4 * u, mesh, 0.60)
    for _ in range(9):
        k, t = rng.randint(-5, 5), rng.choice((3, 5, 7, 8))
        depth = (t / 11) ** 2.1
        px, py = x + k * (30 + 180 * depth) * u, horizon + (c.height - horizon) * depth
        c.glow(px, py, 46 * u, mesh, 0.6)
        c.disc(px, py, 8 * u, mix(mesh, (255, 255, 255), 0.5))

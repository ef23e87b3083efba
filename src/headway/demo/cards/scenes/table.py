"""What stands on a table: a bowl with steam, a cup of coffee, a pot of tea."""

from __future__ import annotations

import math
from random import Random

from headway.demo.cards.canvas import Canvas, Point, curve
from headway.demo.cards.palettes import Colour, Palette, mix
from headway.demo.cards.scenes import parts


def bowl(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A big bowl with a band of waves round it, chopsticks across, steam above."""
    y0, top, u = _table(c, p, rng, clear)
    x, size = c.width * 0.5, min(330 * u, (c.height - y0) * 0.34)
    _steam(c, rng, x, top - size * 0.52, size * 0.62, parts.pale(p) if p.is_dark else mix(p.far, p.panel, 0.25))
    c.oval(x, top + size * 0.80, size * 0.95, size * 0.13, parts.dark(p), 0.30)
    glaze = mix(p.panel, p.far, 0.12) if not p.is_dark else p.ink
    paint = p.accent if not p.is_dark else p.paper
    c.rounded(x - size * 0.42, top + size * 0.60, size * 0.84, size * 0.20, size * 0.05, mix(glaze, p.mid, 0.30))
    side = [(x + math.cos(t) * size, top - size * 0.16 + math.sin(t) * size * 0.88) for t in _span(0, math.pi, 40)]
    c.polygon(side, glaze)
    _band(c, x, top - size * 0.16, size, paint)
    c.polygon(
        [(x + math.cos(t) * size, top - size * 0.16 + math.sin(t) * size * 0.88) for t in _span(0.0, 0.95, 20)]
        + [(x + size * 0.22, top + size * 0.64), (x + size * 0.62, top - size * 0.1)],
        mix(glaze, p.mid, 0.35),
        0.20,
    )
    c.oval(x, top - size * 0.16, size, size * 0.235, mix(glaze, p.mid, 0.22))
    c.oval(x, top - size * 0.15, size * 0.93, size * 0.20, mix(p.sun, p.near, 0.30))
    _filling(c, p, rng, x, top - size * 0.15, size)
    _chopsticks(c, p, x, top - size * 0.26, size)
    for side_x, small in ((-1, 0.24), (1, 0.28)):
        sx, sy = x + side_x * size * 1.16, top + size * 0.62
        c.oval(sx, sy + size * 0.13, size * small * 1.1, size * 0.05, parts.dark(p), 0.3)
        c.oval(sx, sy + size * 0.05, size * small, size * 0.12, glaze)
        c.oval(sx, sy, size * small, size * 0.10, mix(glaze, p.mid, 0.3))
        c.oval(
            sx, sy + size * 0.008, size * small * 0.8, size * 0.072, p.sun if side_x > 0 else mix(p.accent, p.near, 0.3)
        )


def cup(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A cup on its saucer, steam, beans, a slice of cake."""
    y0, top, u = _table(c, p, rng, clear)
    x, size = c.width * 0.47, min(290 * u, (c.height - y0) * 0.34)
    body = p.accent if not p.is_dark else p.sun
    rim = mix(body, p.panel if not p.is_dark else p.ink, 0.30)
    _steam(c, rng, x, top - size * 0.62, size * 0.50, parts.pale(p) if p.is_dark else mix(p.far, p.panel, 0.25))
    saucer = mix(p.panel, p.far, 0.25) if not p.is_dark else p.ink
    c.oval(x, top + size * 0.72, size * 1.38, size * 0.21, parts.dark(p), 0.30)
    c.oval(x, top + size * 0.64, size * 1.34, size * 0.21, saucer)
    c.oval(x, top + size * 0.62, size * 0.98, size * 0.13, mix(saucer, p.mid, 0.35))
    c.arc(x + size * 0.92, top + size * 0.02, size * 0.40, size * 0.33, 0, 360, size * 0.13, body)
    wall = [
        (x + math.cos(t) * size * 0.93, top - size * 0.34 + math.sin(t) * size * 0.98) for t in _span(0, math.pi, 40)
    ]
    c.polygon(wall, body)
    c.polygon(
        [(px, py) for px, py in wall if px > x + size * 0.35] + [(x + size * 0.5, top - size * 0.34)],
        mix(body, (0, 0, 0), 0.4),
        0.18,
    )
    c.oval(x, top - size * 0.34, size * 0.93, size * 0.22, rim)
    brew = mix(mix(p.near, p.sun, 0.25), (40, 20, 10), 0.55)
    c.oval(x, top - size * 0.325, size * 0.84, size * 0.18, brew)
    _heart(c, x, top - size * 0.33, size * 0.34, mix(p.panel, p.sun, 0.15) if not p.is_dark else p.ink)
    for _ in range(9):
        bx, by = rng.uniform(0.06, 0.94) * c.width, top + size * rng.uniform(0.95, 1.35)
        if by < c.height - 20 * u:
            _bean(c, bx, by, rng.uniform(20, 30) * u, rng.uniform(-0.6, 0.6), brew)


def teapot(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A round pot, two small cups, and a branch reaching in."""
    y0, top, u = _table(c, p, rng, clear)
    x, size = c.width * 0.37, min(225 * u, (c.height - y0) * 0.27)
    clay = mix(p.accent, p.near, 0.35) if not p.is_dark else p.sun
    dark, light = mix(clay, (0, 0, 0), 0.28), mix(clay, p.panel if not p.is_dark else p.ink, 0.28)
    c.oval(x, top + size * 0.92, size * 1.3, size * 0.13, parts.dark(p), 0.30)
    c.polygon(
        curve(
            [
                (x + size * 0.72, top + size * 0.42),
                (x + size * 1.15, top + size * 0.22),
                (x + size * 1.38, top - size * 0.38),
                (x + size * 1.56, top - size * 0.40),
                (x + size * 1.40, top + size * 0.42),
                (x + size * 0.66, top + size * 0.80),
            ]
        ),
        clay,
    )
    c.arc(x - size * 0.98, top + size * 0.22, size * 0.50, size * 0.46, 60, 310, size * 0.13, clay)
    c.oval(x, top + size * 0.24, size, size * 0.72, clay)
    c.oval(x + size * 0.18, top + size * 0.34, size * 0.74, size * 0.54, dark, 0.16)
    c.oval(x - size * 0.38, top - size * 0.04, size * 0.30, size * 0.12, light, 0.55)
    c.oval(x, top - size * 0.40, size * 0.56, size * 0.14, dark)
    c.oval(x, top - size * 0.45, size * 0.50, size * 0.13, clay)
    c.disc(x, top - size * 0.62, size * 0.12, clay)
    c.rounded(x - size * 0.5, top + size * 0.86, size, size * 0.10, size * 0.05, dark)
    _steam(
        c,
        rng,
        x + size * 1.5,
        top - size * 0.55,
        size * 0.30,
        parts.pale(p) if p.is_dark else mix(p.far, p.panel, 0.25),
    )
    glaze = mix(p.panel, p.far, 0.18) if not p.is_dark else p.ink
    for dx, dy in ((1.58, 0.92), (2.14, 0.72)):
        cx, cy, r = x + size * dx, top + size * dy, size * 0.27
        c.oval(cx, cy + r * 0.85, r * 1.05, r * 0.22, parts.dark(p), 0.30)
        c.polygon([(cx + math.cos(t) * r, cy + math.sin(t) * r * 0.92) for t in _span(0, math.pi, 24)], glaze)
        c.oval(cx, cy, r, r * 0.30, mix(glaze, p.mid, 0.30))
        c.oval(cx, cy + r * 0.04, r * 0.84, r * 0.22, mix(p.sun, p.near, 0.18))


def _table(c: Canvas, p: Palette, rng: Random, clear: float) -> tuple[float, float, float]:
    """A wall with a round window on it, and a table top. Returns where the scene begins, the table's y, and a unit."""
    y0 = parts.sky(c, p, clear)
    u, room = c.width / 1000, c.height - y0
    x, radius = c.width * rng.choice((0.28, 0.5, 0.72)), min(300 * u, room * 0.40)
    c.disc(x, y0 + radius * 1.02, radius, mix(p.far, p.sun, 0.22) if p.is_dark else mix(p.sun, p.paper, 0.55))
    for _ in range(3):
        parts.leaf(
            c,
            x + radius * rng.uniform(-0.2, 0.3),
            y0 + radius * rng.uniform(0.4, 1.2),
            radius * 0.5,
            rng.uniform(-0.6, 0.5),
            mix(p.mid, p.sun, 0.2),
            alpha=0.55,
        )
    top = y0 + room * 0.66
    wood = mix(p.mid, p.near, 0.45)
    c.rectangle(0, top, c.width, c.height - top, wood)
    c.rectangle(0, top, c.width, 9 * u, mix(wood, parts.pale(p), 0.35))
    for _ in range(16):
        gx, gy = rng.uniform(-100, 900) * u, rng.uniform(top + 24 * u, c.height)
        c.line(
            curve([(gx, gy), (gx + 110 * u, gy + rng.uniform(-6, 6) * u), (gx + rng.uniform(200, 420) * u, gy)], 8),
            2.2 * u,
            mix(wood, parts.dark(p), 0.5),
            0.4,
        )
    return y0, top, u


def _steam(c: Canvas, rng: Random, x: float, y: float, spread: float, tone: Colour) -> None:
    for share in (-0.55, 0.0, 0.55):
        height, sway = spread * rng.uniform(0.85, 1.15), spread * 0.17
        points = [
            (
                x + share * spread + math.sin(i / 10 * math.tau * 0.9 + share * 3) * sway * (0.4 + i / 12),
                y - height * i / 10,
            )
            for i in range(11)
        ]
        smooth = curve(points, 8)
        for i, (px, py) in enumerate(smooth):
            t = i / len(smooth)
            c.disc(px, py, spread * 0.045 * math.sin(math.pi * min(1, t * 0.92 + 0.08)) + 0.6, tone, 0.85)


def _band(c: Canvas, x: float, y: float, size: float, paint: Colour) -> None:
    for share, line in ((0.20, 0.016), (0.47, 0.016)):
        half = size * math.sqrt(max(0.0, 1 - (share / 0.88) ** 2))
        c.arc(x, y + size * share, half * 0.995, size * 0.12 * (1 - share * 0.5), 2, 178, size * line, paint)
    for i in range(11):
        t = math.radians(14 + 15.2 * i)
        half = size * 0.90
        wx, wy = x - math.cos(t) * half, y + size * 0.335 + math.sin(t) * size * 0.105
        r = size * 0.062 * (0.55 + 0.45 * math.sin(t))
        c.arc(wx, wy, r, size * 0.062, 150, 390, size * 0.016, paint)
        c.arc(wx + r * 0.25, wy + size * 0.012, r * 0.5, size * 0.030, 120, 420, size * 0.013, paint)


def _filling(c: Canvas, p: Palette, rng: Random, x: float, y: float, size: float) -> None:
    noodle = mix(p.sun, p.panel if not p.is_dark else p.ink, 0.55)
    for i in range(16):
        lean = (i - 7.5) / 8
        points = [
            (
                x + lean * size * 0.70 + math.sin(k + i) * size * 0.045,
                y + (k - 2) * size * 0.05 * math.sqrt(max(0, 1 - lean * lean)),
            )
            for k in range(5)
        ]
        c.line(curve(points, 6), size * 0.022, mix(noodle, p.near, rng.uniform(0, 0.22)))
    egg_x = x - size * 0.38
    c.oval(egg_x, y - size * 0.02, size * 0.23, size * 0.105, p.panel if not p.is_dark else p.ink)
    c.oval(egg_x, y - size * 0.02, size * 0.11, size * 0.055, mix(p.sun, (255, 150, 20), 0.35))
    for i in range(5):
        parts.leaf(
            c,
            x + size * (0.22 + 0.06 * i),
            y + size * 0.06,
            size * 0.27,
            -1.9 + 0.35 * i,
            mix(p.mid, p.near, 0.55) if i % 2 else p.near,
            plump=0.20,
        )
    for _ in range(12):
        c.oval(
            x + rng.uniform(-0.6, 0.6) * size, y + rng.uniform(-0.1, 0.12) * size, size * 0.020, size * 0.013, p.near
        )


def _chopsticks(c: Canvas, p: Palette, x: float, y: float, size: float) -> None:
    wood = parts.dark(p, 0.3)
    for shift in (0.0, 0.085):
        c.line(
            ((x - size * 0.02, y + size * (0.02 + shift)), (x + size * 1.52, y - size * (0.50 - shift * 2.2))),
            size * 0.036,
            wood,
            round_ends=True,
        )
        c.line(
            ((x + size * 1.26, y - size * (0.414 - shift * 1.95)), (x + size * 1.52, y - size * (0.50 - shift * 2.2))),
            size * 0.036,
            p.sun,
            round_ends=True,
        )


def _heart(c: Canvas, x: float, y: float, size: float, tone: Colour) -> None:
    points: list[Point] = []
    for t in _span(0, math.tau, 60):
        points.append(
            (
                x + size * 0.92 * math.sin(t) ** 3,
                y - size * 0.30 * (0.81 * math.cos(t) - 0.31 * math.cos(2 * t) - 0.12 * math.cos(3 * t)),
            )
        )
    c.polygon(points, tone)


def _bean(c: Canvas, x: float, y: float, size: float, tilt: float, tone: Colour) -> None:
    c.oval(x, y, size, size * 0.62, tone)
    c.line(
        curve(
            [(x - size * 0.8, y + tilt * size * 0.3), (x, y - size * 0.12), (x + size * 0.8, y - tilt * size * 0.3)], 6
        ),
        size * 0.13,
        mix(tone, (255, 255, 255), 0.25),
    )


def _span(start: float, end: float, steps: int) -> list[float]:
    return [start + (end - start) * i / steps for i in range(steps + 1)]

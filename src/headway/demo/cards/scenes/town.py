"""Old lanes and a city at dusk."""

from __future__ import annotations

from random import Random

from headway.demo.cards.canvas import Canvas, curve
from headway.demo.cards.palettes import Colour, Palette, mix
from headway.demo.cards.scenes import parts


def hutong(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """Grey roofs one behind another, the drum tower far off, a brick wall with a red gate, a tree, pigeons."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    flip = rng.random() < 0.5

    def x(share: float) -> float:
        return c.width * (1 - share if flip else share)

    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.3, 40)
    parts.sun(c, p, x(0.76), y0 + room * 0.20, 108 * u)
    parts.birds(c, rng, p.near if not p.is_dark else p.ink, x(0.46), y0 + room * 0.10, 130 * u, 8)
    _tower(c, mix(p.far, p.mid, 0.35), x(0.22), y0 + room * 0.46, 270 * u)
    tones = (mix(p.far, p.mid, 0.55), mix(p.mid, p.near, 0.15), mix(p.mid, p.near, 0.62))
    for row, tone in enumerate(tones):
        base = y0 + room * (0.42 + 0.095 * row)
        c.rectangle(0, base + 52 * u, c.width, room, mix(tone, (0, 0, 0), 0.10))
        left = -rng.uniform(60, 200) * u
        while left < c.width:
            width = rng.uniform(330, 470) * u
            _roof(
                c,
                left,
                base + rng.uniform(-18, 18) * u,
                width,
                (92 + 14 * row) * u,
                tone,
                mix(tone, parts.pale(p), 0.22),
                u,
            )
            left += width * rng.uniform(0.82, 0.98)
    wall = y0 + room * 0.70
    brick = mix(p.mid, p.near, 0.45)
    bark = mix(p.near, p.mid, 0.3) if p.is_dark else mix(p.near, p.ink, 0.5)
    leaves = mix(p.mid, p.sun, 0.22) if p.is_dark else mix(p.near, p.sun, 0.30)
    height = min(room * 0.86, 620 * u)
    parts.tree(c, rng, x(0.13), wall + 40 * u, height, bark, leaves, lean=-0.16 if flip else 0.16)
    _bricks(c, rng, wall, brick, mix(brick, p.panel, 0.20), u)
    _eave(
        c,
        -20 * u,
        wall - 34 * u,
        c.width + 40 * u,
        mix(p.near, p.ink if not p.is_dark else p.paper, 0.35),
        mix(p.near, p.panel, 0.25),
        u,
    )
    _gate(c, p, x(0.70), wall - 96 * u, c.height, 330 * u, u)


def _roof(c: Canvas, x: float, y: float, width: float, height: float, tone: Colour, light: Colour, u: float) -> None:
    """A tiled roof seen from the front: hollow slopes, a ridge with lifted ends, rows of half-round tiles."""
    inset = width * 0.13
    left = curve([(x, y + height), (x + inset * 0.55, y + height * 0.72), (x + inset, y)], 10)
    right = curve([(x + width - inset, y), (x + width - inset * 0.55, y + height * 0.72), (x + width, y + height)], 10)
    c.polygon([*left, *right], tone)
    columns = max(8, int(width / (21 * u)))
    for i in range(1, columns):
        t = i / columns
        top, bottom = x + inset + (width - 2 * inset) * t, x + width * t
        middle = ((top * 0.45 + bottom * 0.55), y + height * 0.6)
        c.line(curve([(top, y + 4 * u), middle, (bottom, y + height)], 6), 3.4 * u, light, 0.75)
    for i in range(columns):
        c.disc(x + width * (i + 0.5) / columns, y + height, 6.2 * u, tone)
    c.rounded(x + inset - 16 * u, y - 13 * u, width - 2 * inset + 32 * u, 17 * u, 6 * u, mix(tone, light, 0.25))
    for side, ex in ((-1, x + inset), (1, x + width - inset)):
        c.polygon(
            curve(
                [
                    (ex, y + 2 * u),
                    (ex + side * 16 * u, y - 13 * u),
                    (ex + side * 40 * u, y - 36 * u),
                    (ex + side * 24 * u, y - 4 * u),
                    (ex, y + 4 * u),
                ],
                6,
            ),
            mix(tone, light, 0.25),
        )


def _tower(c: Canvas, tone: Colour, x: float, base: float, size: float) -> None:
    """The drum tower's outline: a battered base and two hipped roofs."""
    c.polygon(
        (
            (x - size * 0.36, base),
            (x - size * 0.31, base - size * 0.36),
            (x + size * 0.31, base - size * 0.36),
            (x + size * 0.36, base),
        ),
        tone,
    )
    for y, half, rise in ((0.42, 0.46, 0.16), (0.66, 0.38, 0.22)):
        c.rectangle(x - size * half * 0.66, base - size * y - size * 0.02, size * half * 1.32, size * 0.12, tone)
        eave = base - size * y
        left = curve(
            [
                (x - size * half, eave - size * 0.02),
                (x - size * half * 0.75, eave - size * 0.03),
                (x - size * half * 0.48, eave - size * rise),
            ],
            8,
        )
        right = curve(
            [
                (x + size * half * 0.48, eave - size * rise),
                (x + size * half * 0.75, eave - size * 0.03),
                (x + size * half, eave - size * 0.02),
            ],
            8,
        )
        c.polygon(
            [*left, *right, (x + size * half * 0.8, eave + size * 0.02), (x - size * half * 0.8, eave + size * 0.02)],
            tone,
        )


def _bricks(c: Canvas, rng: Random, top: float, tone: Colour, joint: Colour, u: float) -> None:
    c.rectangle(0, top, c.width, c.height - top, tone)
    height, width, row = 25 * u, 74 * u, 0
    y = top
    while y < c.height:
        shift = (row % 2) * width / 2
        for column in range(-1, int(c.width / width) + 2):
            shade = (
                mix(tone, joint, rng.uniform(0, 0.30))
                if rng.random() < 0.5
                else mix(tone, (0, 0, 0), rng.uniform(0, 0.10))
            )
            c.rectangle(column * width - shift + 1.6 * u, y + 1.6 * u, width - 3.2 * u, height - 3.2 * u, shade)
        row, y = row + 1, y + height


def _eave(c: Canvas, x: float, y: float, width: float, dark: Colour, light: Colour, u: float) -> None:
    """The coping of the wall: a band of tiles with round ends."""
    c.rectangle(x, y, width, 22 * u, dark)
    count = int(width / (30 * u))
    for i in range(count + 1):
        cx = x + i * 30 * u
        c.line(((cx, y), (cx, y + 22 * u)), 4 * u, light, 0.5)
        c.disc(cx + 15 * u, y + 27 * u, 13 * u, dark)
        c.disc(cx + 15 * u, y + 28 * u, 7 * u, light, 0.45)


def _gate(c: Canvas, p: Palette, x: float, top: float, bottom: float, width: float, u: float) -> None:
    red = p.accent if not p.is_dark else p.sun
    if p.is_dark:
        red = mix(red, p.near, 0.25)
    dark = mix(p.near, (0, 0, 0), 0.42)
    half = width / 2
    c.rectangle(x - half * 1.16, top + 60 * u, width * 1.16, bottom - top, mix(p.near, p.mid, 0.25))
    c.rectangle(x - half * 1.16, top + 60 * u, width * 0.10, bottom - top, mix(p.near, p.panel, 0.28))
    c.rectangle(x + half * 0.96, top + 60 * u, width * 0.10, bottom - top, mix(p.near, p.panel, 0.28))
    _roof(c, x - half * 1.62, top - 70 * u, width * 1.62, 112 * u, dark, mix(dark, p.panel, 0.30), u)
    door = top + 128 * u
    c.rectangle(x - half * 0.94, door - 40 * u, width * 0.94, 46 * u, dark)
    for i in range(4):  # the round pegs above the door
        c.disc(x + (i - 1.5) * 62 * u, door - 18 * u, 15 * u, mix(p.sun, p.panel, 0.30))
        c.disc(x + (i - 1.5) * 62 * u, door - 18 * u, 8 * u, red)
    c.rectangle(x - half * 0.94, door + 6 * u, width * 0.94, bottom - door, mix(red, (0, 0, 0), 0.22))
    for side in (-1, 1):
        left = x - half * 0.90 if side < 0 else x + 3 * u
        c.rectangle(left, door + 12 * u, half * 0.90 - 3 * u, bottom - door, red)
        c.disc(x + side * 34 * u, door + 122 * u, 15 * u, mix(p.sun, p.panel, 0.35))
        c.ring(x + side * 34 * u, door + 136 * u, 17 * u, 4 * u, mix(p.sun, p.panel, 0.35))
    for side in (-1, 1):
        _lantern(c, p, x + side * half * 1.34, top + 70 * u, 46 * u)


def _lantern(c: Canvas, p: Palette, x: float, y: float, size: float) -> None:
    body = p.accent if not p.is_dark else p.sun
    gold = mix(p.sun, p.panel, 0.45) if not p.is_dark else p.panel
    c.glow(x, y + size, size * 2.2, p.sun, 0.30)
    c.line(((x, y - size * 0.5), (x, y + size * 2.6)), size * 0.05, gold)
    c.oval(x, y + size, size, size * 0.82, body)
    for share in (0.28, 0.66):
        c.arc(x, y + size, size * share, size * 0.82, 0, 360, size * 0.035, mix(body, (0, 0, 0), 0.22))
    for ly in (y + size * 0.13, y + size * 1.75):
        c.rounded(x - size * 0.38, ly, size * 0.76, size * 0.15, size * 0.05, gold)
    c.polygon(
        (
            (x - size * 0.07, y + size * 1.9),
            (x + size * 0.07, y + size * 1.9),
            (x + size * 0.13, y + size * 2.6),
            (x - size * 0.13, y + size * 2.6),
        ),
        gold,
    )


def city(c: Canvas, p: Palette, rng: Random, clear: float) -> None:
    """A skyline in three depths, windows lit, a moon or sun behind it, water in front."""
    y0 = parts.sky(c, p, clear)
    room, u = c.height - y0, c.width / 1000
    if p.is_dark:
        parts.stars(c, rng, p.ink, y0 * 0.9, y0 + room * 0.45, 60)
    x = c.width * rng.choice((0.3, 0.68))
    parts.sun(c, p, x, y0 + room * 0.30, 140 * u)
    parts.cloud(c, c.width - x, y0 + room * 0.14, 280 * u, parts.pale(p), 0.8)
    shore = y0 + room * 0.86
    for depth in range(3):
        tone = (mix(p.far, p.mid, 0.25), mix(p.mid, p.near, 0.25), p.near)[depth]
        light = mix(p.sun, p.panel, 0.35)
        left = -rng.uniform(0, 60) * u
        while left < c.width:
            width = rng.uniform(62, 128) * u
            height = room * rng.uniform(0.20, 0.52) * (1 - 0.20 * depth)
            _block(
                c, rng, left, shore - height, width, height, tone, light if depth else mix(tone, light, 0.4), u, depth
            )
            left += width + rng.uniform(-6, 12) * u
    water = mix(p.near, p.ink if not p.is_dark else (0, 0, 0), 0.30)
    c.rectangle(0, shore, c.width, c.height - shore, water)
    for _ in range(60):
        wx, wy = rng.uniform(0, c.width), rng.uniform(shore + 8 * u, c.height)
        c.rounded(wx, wy, rng.uniform(18, 110) * u, 3.4 * u, 1.7 * u, rng.choice((p.sun, p.far, p.panel)), 0.35)


def _block(
    c: Canvas,
    rng: Random,
    x: float,
    y: float,
    width: float,
    height: float,
    tone: Colour,
    light: Colour,
    u: float,
    depth: int,
) -> None:
    roof = rng.random()
    c.rectangle(x, y, width, height, tone)
    if roof < 0.25:
        c.polygon(((x, y), (x + width / 2, y - 38 * u), (x + width, y)), tone)
    elif roof < 0.5:
        c.rectangle(x + width * 0.22, y - 26 * u, width * 0.56, 27 * u, tone)
        c.line(((x + width / 2, y - 70 * u), (x + width / 2, y)), 3 * u, tone)
    elif roof < 0.62:
        c.oval(x + width / 2, y, width / 2, 34 * u, tone)
    cell = 19 * u
    for row in range(int(height / (cell * 1.4))):
        for column in range(int((width - 16 * u) / cell)):
            if rng.random() < (0.16, 0.34, 0.42)[depth]:
                c.rectangle(
                    x + 10 * u + column * cell, y + 14 * u + row * cell * 1.4, cell * 0.52, cell * 0.78, light, 0.92
                )

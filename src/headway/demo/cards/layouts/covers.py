"""Covers: what makes someone stop scrolling."""

from __future__ import annotations

from headway.demo.cards.canvas import Canvas
from headway.demo.cards.page import HEIGHT, MARGIN, WIDTH, Page
from headway.demo.cards.palettes import mix


def poster(page: Page) -> None:
    """The scene over the whole card, a big title on its sky."""
    page.scene(0.48)
    page.canvas.fibres(page.rng, page.p.ink, 130, 0.07)
    align = page.rng.choice(("left", "left", "center"))
    if align == "left":
        page.canvas.rounded(MARGIN, 118, 74, 12, 6, page.p.accent)
        page.label(page.kicker, "accent", MARGIN + 96, 104, 38, cut="sans-bold")
    else:
        page.label(page.kicker, "accent", WIDTH / 2, 104, 38, align="center", cut="sans-bold", spacing=0.2)
        page.canvas.rounded(WIDTH / 2 - 37, 168, 74, 8, 4, page.p.accent)
    page.numbering("soft", WIDTH - MARGIN, 106)
    room = 372 if page.caption else 470
    end = page.text(
        page.heading, page.display, "ink", x=MARGIN, y=212, width=WIDTH - 2 * MARGIN, height=room,
        largest=178, smallest=64, leading=1.22, align=align, balance=True, max_lines=4,
    )  # fmt: skip
    page.text(
        page.caption, "sans", "soft", x=MARGIN, y=end + 38, width=WIDTH - 2 * MARGIN, height=730 - end - 38,
        largest=50, smallest=30, leading=1.4, align=align, balance=True, max_lines=2,
    )  # fmt: skip


def window(page: Page) -> None:
    """A moon gate in a paper wall, the scene behind it."""
    c, p = page.canvas, page.p
    c.fibres(page.rng, p.ink, 420, 0.09)
    c.frame(44, 44, WIDTH - 88, HEIGHT - 88, 3, mix(p.ink, p.paper, 0.55))
    c.frame(58, 58, WIDTH - 116, HEIGHT - 116, 1.5, mix(p.ink, p.paper, 0.7))
    x, y, radius = WIDTH / 2, 1042, 444
    c.disc(x, y + 10, radius + 30, mix(p.paper, p.near, 0.28))
    c.disc(x, y, radius + 28, mix(p.near, p.mid, 0.25))
    c.disc(x, y, radius + 12, mix(p.sun, p.paper, 0.2))
    page.round_window(x, y, radius, 0.04)
    end = page.text(
        page.heading, "serif-bold", "ink", x=MARGIN + 20, y=128, width=WIDTH - 2 * MARGIN - 40, height=300,
        largest=138, smallest=56, leading=1.24, align="center", valign="middle", balance=True, max_lines=3,
    )  # fmt: skip
    page.text(
        page.caption, "sans", "soft", x=MARGIN + 40, y=end + 26, width=WIDTH - 2 * MARGIN - 80, height=536 - end,
        largest=42, smallest=30, leading=1.35, align="center", balance=True, max_lines=2 if end < 420 else 1,
    )  # fmt: skip
    page.label(page.kicker, "accent", WIDTH / 2, 1538, 36, align="center", cut="sans-bold", spacing=0.18)


def magazine(page: Page) -> None:
    """A block of strong colour with a title that fills it, the scene as a picture below."""
    c, p = page.canvas, page.p
    split = 900
    view = Canvas(WIDTH, HEIGHT - split, p.paper)
    page.scene(0.02, view)
    c.paste(view, 0, split)
    c.rectangle(0, 0, WIDTH, split, p.deep)
    c.rectangle(0, split, WIDTH, 14, p.sun)
    for i in range(3):
        c.ring(WIDTH - 70, 60, 190 + 74 * i, 2.5, mix(p.deep, p.on_deep, 0.20))
    page.label(page.kicker, "on_deep", MARGIN, 112, 38, cut="sans-bold")
    page.numbering("on_deep", WIDTH - MARGIN, 112)
    c.rectangle(MARGIN, 178, WIDTH - 2 * MARGIN, 3, mix(p.deep, p.on_deep, 0.55))
    heading = page.fitted(
        page.heading, "sans-bold", "on_deep", width=WIDTH - 2 * MARGIN, height=460 if page.caption else 590,
        largest=196, smallest=64, leading=1.2, balance=True, max_lines=5,
    )  # fmt: skip
    caption = page.fitted(
        page.caption, "sans", "on_deep", width=WIDTH - 2 * MARGIN, height=140,
        largest=50, smallest=30, leading=1.45, balance=True, max_lines=2,
    )  # fmt: skip
    # Both stand at the foot of the block, as on a magazine.
    top = split - 84 - caption.height - (44 if caption.lines else 0) - heading.height
    page.runs += heading.placed(MARGIN, top, WIDTH - 2 * MARGIN)
    page.runs += caption.placed(MARGIN, split - 84 - caption.height, WIDTH - 2 * MARGIN)

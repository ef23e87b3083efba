"""Inner pages with items: a list under a banner, and numbered tips."""

from __future__ import annotations

from headway.demo.cards.canvas import Canvas
from headway.demo.cards.page import HEIGHT, MARGIN, WIDTH, Page
from headway.demo.cards.palettes import mix


def listing(page: Page) -> None:
    """The scene as a banner, a title, and a line for each item."""
    c, p = page.canvas, page.p
    banner, width = 486, WIDTH - 2 * MARGIN
    view = Canvas(WIDTH, 560, p.paper)  # a little taller than is seen, so that the scene's foot is covered
    page.scene(0.05, view)
    c.paste(view, 0, 0)
    c.rounded(0, banner - 60, WIDTH, HEIGHT, 60, p.paper)
    c.fibres(page.rng, p.ink, 200, 0.06)
    c.rounded(MARGIN, banner + 18, 74, 12, 6, p.accent)
    end = page.text(
        page.heading, page.display, "ink", x=MARGIN, y=banner + 58, width=width, height=200,
        largest=100, smallest=50, leading=1.22, balance=True, max_lines=2,
    )  # fmt: skip
    top, bottom = end + 44, HEIGHT - 132
    if page.caption and page.lines:
        end = page.text(
            page.caption, "sans", "soft", x=MARGIN, y=end + 22, width=width, height=50,
            largest=40, smallest=30, max_lines=1,
        )  # fmt: skip
        top = end + 34
    lines = page.lines[:7] or (page.caption or page.topic,)
    row = min(230.0, (bottom - top) / len(lines))
    largest = 64 if len(lines) <= 4 else 54
    for i, block in enumerate(page.items(lines, width=width - 92, height=row - 34, largest=largest)):
        y = top + i * row
        middle = y + row / 2
        c.rectangle(MARGIN, y, width, 2, mix(p.paper, p.mid, 0.45))
        c.disc(MARGIN + 26, middle, 22, p.accent)
        c.line(((MARGIN + 16, middle + 1), (MARGIN + 24, middle + 9), (MARGIN + 37, middle - 8)), 5, p.paper)
        page.runs += block.placed(MARGIN + 86, middle - block.height / 2, width - 92)
    page.footer()


def tips(page: Page) -> None:
    """A dark head, then a sheet for each tip with its number."""
    c, p = page.canvas, page.p
    head, left, width = 404, MARGIN - 20, WIDTH - 2 * MARGIN + 40
    c.rectangle(0, 0, WIDTH, head, p.deep)
    for i in range(4):
        c.ring(WIDTH - 40, head + 30, 130 + 86 * i, 2.5, mix(p.deep, p.on_deep, 0.18))
    c.rectangle(0, head, WIDTH, HEIGHT - head, p.paper)
    page.label(page.kicker, "on_deep", MARGIN, 84, 36, cut="sans-bold")
    page.text(
        page.heading, "sans-bold", "on_deep", x=MARGIN, y=146, width=WIDTH - 2 * MARGIN, height=218,
        largest=108, smallest=52, leading=1.2, balance=True, valign="middle", max_lines=2,
    )  # fmt: skip
    lines = page.lines[:6] or (page.caption or page.topic,)
    top, bottom, gap = head + 46.0, HEIGHT - 128.0, 26
    row = min(290.0, (bottom - top - gap * (len(lines) - 1)) / len(lines))
    top += (bottom - top - row * len(lines) - gap * (len(lines) - 1)) / 3
    shade = mix(p.near, (0, 0, 0), 0.5)
    for i, block in enumerate(page.items(lines, width=width - 230, height=row - 44, largest=56)):
        y = top + i * (row + gap)
        c.shadow(left, y + 8, width, row, 30, 18, shade, 0.22)
        c.rounded(left, y, width, row, 30, p.panel)
        c.rounded(left, y + row * 0.22, 10, row * 0.56, 5, p.sun)
        page.text(
            str(i + 1), "serif-bold", "accent", x=MARGIN + 12, y=y, width=110, height=row,
            largest=min(118, row * 0.62), smallest=40, align="center", valign="middle",
        )  # fmt: skip
        page.runs += block.placed(MARGIN + 150, y + (row - block.height) / 2, width - 230)
    page.footer()

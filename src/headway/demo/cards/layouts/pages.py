"""Inner pages of running text: quotes, stories, and the ending."""

from __future__ import annotations

import math

from headway.demo.cards.canvas import Canvas, circle
from headway.demo.cards.page import HEIGHT, MARGIN, WIDTH, Page
from headway.demo.cards.palettes import contrast, mix


def quote(page: Page) -> None:
    """One sentence, in the middle of strong colour."""
    c, p = page.canvas, page.p
    c.rectangle(0, 0, WIDTH, HEIGHT, p.deep)
    faint = mix(p.deep, p.on_deep, 0.09)
    radius = 104.0
    for row in range(24):
        for column in range(-1, 8):
            x, y = column * 2 * radius + (radius if row % 2 else 0), row * radius * 0.5 + HEIGHT - 420
            if y < HEIGHT + radius:
                c.disc(x, y, radius, faint)
                for share, tone in ((0.94, p.deep), (0.66, faint), (0.60, p.deep), (0.34, faint), (0.28, p.deep)):
                    c.disc(x, y, radius * share, tone)
    c.shade(p.deep, p.deep, HEIGHT - 540, 300, alpha=(1, 0))
    c.frame(52, 52, WIDTH - 104, HEIGHT - 104, 3, mix(p.deep, p.on_deep, 0.5))
    mark = p.sun if contrast(p.sun, p.deep) > 1.6 else mix(p.deep, p.on_deep, 0.55)
    _quotation_mark(c, mark, WIDTH / 2, 236, 132)
    sentence = page.lines[0] if page.lines else page.heading
    source = page.heading if page.lines else page.caption
    page.text(
        sentence, "serif-bold", "on_deep", x=MARGIN + 50, y=392, width=WIDTH - 2 * MARGIN - 100, height=640,
        largest=112, smallest=44, leading=1.52, align="center", valign="middle", balance=True,
    )  # fmt: skip
    c.rectangle(WIDTH / 2 - 60, 1098, 120, 4, mark)
    if source:
        page.text(
            source,
            "sans",
            "on_deep",
            x=MARGIN + 60,
            y=1136,
            width=WIDTH - 2 * MARGIN - 120,
            height=64,
            largest=44,
            smallest=30,
            align="center",
            max_lines=1,
        )
    rest = " ".join(page.lines[1:]) if not page.is_chinese else "".join(page.lines[1:])
    if rest:
        c.rounded(MARGIN + 24, 1236, WIDTH - 2 * MARGIN - 48, 200, 24, p.deep)
        page.text(
            rest,
            "sans",
            "on_deep",
            x=MARGIN + 60,
            y=1236,
            width=WIDTH - 2 * MARGIN - 120,
            height=200,
            largest=42,
            smallest=30,
            leading=1.5,
            align="center",
            valign="middle",
            balance=True,
        )
    c.rounded(WIDTH / 2 - 210, HEIGHT - 138, 420, 62, 31, p.deep)
    page.numbering("on_deep", WIDTH / 2, HEIGHT - 124, 32, align="center")


def _quotation_mark(c: Canvas, tone: tuple[int, int, int], x: float, y: float, size: float) -> None:
    for side in (-0.56, 0.56):
        cx = x + side * size
        c.disc(cx, y + size * 0.32, size * 0.36, tone)
        c.polygon(
            [
                *circle(cx + size * 0.22, y + size * 0.26, size * 0.58, 172, 262, 24),
                (cx + size * 0.20, y - size * 0.10),
                *circle(cx + size * 0.34, y + size * 0.30, size * 0.40, 240, 176, 20),
            ],
            tone,
        )


def story(page: Page) -> None:
    """A letter: ruled paper, paragraphs, a stamp with the scene and its postmark."""
    c, p = page.canvas, page.p
    c.rectangle(0, 0, WIDTH, HEIGHT, mix(p.paper, p.mid, 0.22))
    c.fibres(page.rng, p.ink, 240, 0.07)
    x, y, width, height = 64, 64, WIDTH - 128, HEIGHT - 196
    c.shadow(x, y + 12, width, height, 10, 26, mix(p.near, (0, 0, 0), 0.5), 0.30)
    c.rounded(x, y, width, height, 10, p.panel)
    stamp_width, stamp_height = 236, 290
    _stamp(page, WIDTH - MARGIN - stamp_width - 12, 116, stamp_width, stamp_height)
    end = page.text(
        page.heading, "serif-bold", "ink", x=MARGIN + 24, y=148, width=WIDTH - 2 * MARGIN - stamp_width - 190,
        height=280, largest=94, smallest=46, leading=1.24, balance=True, max_lines=3, valign="middle",
    )  # fmt: skip
    page.canvas.rounded(MARGIN + 24, max(end + 24, 418), 60, 10, 5, p.accent)
    paragraphs = [line for line in page.lines or (page.caption,) if line]
    left, top, right = MARGIN + 24, 486, WIDTH - MARGIN - 24
    bottom = y + height - 70
    block = page.fitted(
        paragraphs, "serif", "ink", width=right - left, height=bottom - top - 24,
        largest=60, smallest=28, leading=1.78, indent=2 if page.is_chinese else 0,
    )  # fmt: skip
    step = block.size * block.type.leading
    baseline = top + block.size * 0.88 + block.size * 0.34
    while baseline < bottom + 12:
        c.rectangle(left, baseline, right - left, 1.6, mix(p.panel, p.ink, 0.17))
        baseline += step
    page.runs += block.placed(left, top, right - left)
    if page.caption and page.lines:
        page.label(page.caption[:22], "soft", right, y + height - 64, 36, align="right", cut="serif")
    page.footer()


def _stamp(page: Page, x: float, y: float, width: float, height: float) -> None:
    c, p = page.canvas, page.p
    paper = mix(p.panel, (255, 255, 255), 0.5) if not p.is_dark else p.ink
    c.shadow(x, y + 4, width, height, 4, 10, (0, 0, 0), 0.30)
    c.rectangle(x, y, width, height, paper)
    hole, count_x, count_y = 8.5, 10, 12
    for i in range(count_x + 1):
        for edge in (y, y + height):
            c.disc(x + width * i / count_x, edge, hole, p.panel)
    for i in range(count_y + 1):
        for edge in (x, x + width):
            c.disc(edge, y + height * i / count_y, hole, p.panel)
    view = Canvas(width - 44, height - 44, p.paper)
    page.scene(0.0, view)
    c.paste(view, x + 22, y + 22)
    mark = mix(p.ink, p.panel, 0.25)
    for radius in (66, 54):
        c.ring(x - 6, y + height - 26, radius, 3, mark, 0.75)
    for k in range(4):
        wave = [(x - 176 + i * 6, y + height - 56 + k * 20 + math.sin(i / 4.2) * 6) for i in range(19)]
        c.line(wave, 3, mark, 0.75)


def ending(page: Page) -> None:
    """Thanks, a question to the reader, and the tags."""
    c, p = page.canvas, page.p
    page.scene(0.62)
    c.fibres(page.rng, p.ink, 130, 0.07)
    page.numbering("soft", WIDTH - MARGIN, 96)
    page.label(page.kicker, "accent", MARGIN, 94, 38, cut="sans-bold")
    end = page.text(
        page.heading, page.display, "ink", x=MARGIN, y=178, width=WIDTH - 2 * MARGIN, height=250,
        largest=120, smallest=54, leading=1.24, align="center", balance=True, max_lines=2,
    )  # fmt: skip
    c.rounded(WIDTH / 2 - 37, end + 44, 74, 10, 5, p.accent)
    chips = bool(page.card.tags)
    room = (770 if chips else 900) - end - 100
    end = page.text(
        page.lines[:4], "sans", "ink", x=MARGIN + 30, y=end + 94, width=WIDTH - 2 * MARGIN - 60, height=room,
        largest=54, smallest=30, leading=1.55, align="center", balance=True,
    )  # fmt: skip
    if chips:
        _chips(page, min(end + 46, 800))


def _chips(page: Page, y: float) -> None:
    """One row of tags, as many as have room."""
    c, p = page.canvas, page.p
    size, pad, gap = 36, 30, 20
    texts = ["#" + tag for tag in page.card.tags]
    widths = [
        page.fitted(text, "sans", "accent", width=2000, height=60, largest=size, smallest=size).width for text in texts
    ]
    shown, total = 0, -float(gap)
    for width in widths:
        if total + gap + width + 2 * pad > WIDTH - 2 * MARGIN or shown == 4:
            break
        total += gap + width + 2 * pad
        shown += 1
    x = (WIDTH - total) / 2
    for text, width in list(zip(texts, widths, strict=True))[:shown]:
        c.rounded(x, y, width + 2 * pad, 72, 36, p.panel)
        c.frame(x, y, width + 2 * pad, 72, 2.5, mix(p.panel, p.accent, 0.5), 36)
        page.label(text, "accent", x + pad, y + 18, size, spacing=0)
        x += width + 2 * pad + gap

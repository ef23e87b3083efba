"""Inner pages: lists, tips, quotes, stories, and the ending."""

from __future__ import annotations

import math

from headway.demo.cards.canvas import Canvas, circle
from headway.demo.cards.page import HEIGHT, MARGIN, WIDTH, Page
from headway.demo.cards.palettes import mix


def listing(page: Page) -> None:
    """The scene as a banner, a title, and a line for each item."""
    c, p = page.canvas, page.p
    banner = 470
    view = Canvas(WIDTH, 680, p.paper)  # taller than is seen, so that the scene keeps its proportions
    page.scene(0.06, view)
    c.paste(view, 0, 0)
    c.rounded(0, banner - 60, WIDTH, HEIGHT, 60, p.paper)
    c.fibres(page.rng, p.ink, 200, 0.06)
    c.rounded(MARGIN, banner + 18, 74, 12, 6, p.accent)
    end = page.text(
        page.heading, page.display, "ink", x=MARGIN, y=banner + 58, width=WIDTH - 2 * MARGIN, height=200,
        largest=100, smallest=50, leading=1.22, balance=True, max_lines=2,
    )  # fmt: skip
    lines = page.lines[:7] or (page.caption or page.topic,)
    top, bottom = end + 44, HEIGHT - 132
    if page.caption and page.lines:
        end = page.text(
            page.caption,
            "sans",
            "soft",
            x=MARGIN,
            y=end + 22,
            width=WIDTH - 2 * MARGIN,
            height=50,
            largest=40,
            smallest=30,
            max_lines=1,
        )
        top = end + 34
    row = min(230.0, (bottom - top) / len(lines))
    largest = 64 if len(lines) <= 4 else 54
    block = [
        page.fitted(
            line,
            "sans",
            "ink",
            width=WIDTH - 2 * MARGIN - 92,
            height=row - 34,
            largest=largest,
            smallest=28,
            leading=1.38,
        )
        for line in lines
    ]
    size = max(min(b.size for b in block), 34)
    for i, line in enumerate(lines):
        y = top + i * row
        c.rectangle(MARGIN, y, WIDTH - 2 * MARGIN, 2, mix(p.paper, p.mid, 0.45))
        middle = y + row / 2
        c.disc(MARGIN + 26, middle, 22, p.accent)
        c.line(((MARGIN + 16, middle + 1), (MARGIN + 24, middle + 9), (MARGIN + 37, middle - 8)), 5, p.paper)
        page.text(
            line,
            "sans",
            "ink",
            x=MARGIN + 86,
            y=y,
            width=WIDTH - 2 * MARGIN - 92,
            height=row,
            largest=size,
            smallest=28,
            leading=1.38,
            valign="middle",
        )
    page.footer()


def tips(page: Page) -> None:
    """A dark head, then a sheet for each tip with its number."""
    c, p = page.canvas, page.p
    head = 404
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
    spare = bottom - top - row * len(lines) - gap * (len(lines) - 1)
    top += spare / 3
    text_width = WIDTH - 2 * MARGIN - 190
    size = max(
        34,
        min(
            page.fitted(
                line, "sans", "ink", width=text_width, height=row - 44, largest=54, smallest=28, leading=1.4
            ).size
            for line in lines
        ),
    )
    for i, line in enumerate(lines):
        y = top + i * (row + gap)
        c.shadow(MARGIN - 20, y + 8, WIDTH - 2 * MARGIN + 40, row, 30, 18, mix(p.near, (0, 0, 0), 0.5), 0.22)
        c.rounded(MARGIN - 20, y, WIDTH - 2 * MARGIN + 40, row, 30, p.panel)
        c.rounded(MARGIN - 20, y + row * 0.22, 10, row * 0.56, 5, p.sun)
        page.text(
            str(i + 1),
            "serif-bold",
            "accent",
            x=MARGIN + 12,
            y=y,
            width=110,
            height=row,
            largest=min(118, row * 0.62),
            smallest=40,
            align="center",
            valign="middle",
        )
        page.text(
            line,
            "sans",
            "ink",
            x=MARGIN + 150,
            y=y,
            width=text_width,
            height=row,
            largest=size,
            smallest=28,
            leading=1.4,
            valign="middle",
        )
    page.footer()


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
    _quotation_mark(c, p.sun, WIDTH / 2, 236, 132)
    sentence = page.lines[0] if page.lines else page.heading
    source = page.heading if page.lines else page.caption
    page.text(
        sentence, "serif-bold", "on_deep", x=MARGIN + 50, y=392, width=WIDTH - 2 * MARGIN - 100, height=640,
        largest=112, smallest=44, leading=1.52, align="center", valign="middle", balance=True,
    )  # fmt: skip
    c.rectangle(WIDTH / 2 - 60, 1098, 120, 4, p.sun)
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

"""Layouts: how a card's words and its scene share the page. Each is a function that fills a `Page`."""

from __future__ import annotations

from collections.abc import Callable

from headway.demo.cards.layouts import covers, items, pages, upright
from headway.demo.cards.page import Page

Layout = Callable[[Page], None]

LAYOUTS: dict[str, Layout] = {
    "poster": covers.poster,
    "window": covers.window,
    "magazine": covers.magazine,
    "scroll": upright.scroll,
    "list": items.listing,
    "tips": items.tips,
    "quote": pages.quote,
    "story": pages.story,
    "ending": pages.ending,
}

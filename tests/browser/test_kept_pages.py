"""A page that one test has used is lent to the next one as if it were new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kept_pages import lent_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Of no other test.
OPTIONS = {"viewport": {"width": 801, "height": 600}, "reduced_motion": "reduce"}


def test_a_page_that_was_looked_at_otherwise_is_lent_as_it_was(browser: Browser) -> None:
    with lent_page(browser, **OPTIONS) as first:
        first.set_viewport_size({"width": 360, "height": 800})
        first.emulate_media(color_scheme="dark", reduced_motion="no-preference", contrast="more")

    with lent_page(browser, **OPTIONS) as page:
        assert page is first
        queries = ("(width: 801px)", "(prefers-color-scheme: light)", "(prefers-reduced-motion)", "(prefers-contrast)")
        assert page.evaluate("all => all.map(one => matchMedia(one).matches)", queries) == [True, True, True, False]


def test_a_page_that_keeps_what_was_done_to_it_is_lent_to_nobody_else(browser: Browser) -> None:
    with lent_page(browser, **OPTIONS) as first:
        first.add_init_script("window.left = true")

    with lent_page(browser, **OPTIONS) as page:
        assert page is not first

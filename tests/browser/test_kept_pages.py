"""A page that one test has used is lent to the next one as if it were new."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.bar.server import World
from tests.kept_pages import lent_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


def test_a_page_whose_network_was_meddled_with_is_lent_with_a_sound_one(browser: Browser, world: World) -> None:
    address = f"{world.url}/bar/page.html"
    with lent_page(browser, **OPTIONS) as first:
        first.route("**/*", lambda route: route.abort())
        first.context.route("**/*", lambda route: route.abort())
        first.context.set_offline(True)

    with lent_page(browser, **OPTIONS) as page:
        assert page is first
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok


@pytest.mark.parametrize(
    "keep",
    [
        lambda page: page.add_init_script("window.left = true"),
        lambda page: page.route_web_socket("**/*", lambda socket: None),
        lambda page: page.context.grant_permissions(["clipboard-read"]),
        lambda page: page.clock.install(),
    ],
    ids=["a script", "sockets", "permissions", "its clock"],
)
def test_a_page_that_keeps_what_was_done_to_it_is_lent_to_nobody_else(
    browser: Browser, keep: Callable[[Page], None]
) -> None:
    with lent_page(browser, **OPTIONS) as first:
        keep(first)

    with lent_page(browser, **OPTIONS) as page:
        assert page is not first

"""Fixtures of the browser tests: the scripted server that speaks the wire, and a page with bars on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World
from tests.kept_pages import leave_nothing, lent_page


@pytest.fixture(scope="session")
def running_world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def world(running_world: World) -> World:
    """The run's scripted server, as new. A test may stop and start it."""
    running_world.reset()
    return running_world


@pytest.fixture
def bars(browser: Browser, world: World) -> Iterator[Bars]:
    """A driver on the plain page. Whatever the test does, the page's CSP must hold, and nothing be left uncaught."""
    uncaught: list[str] = []
    # What moves for the eye alone costs as much as all the rest.
    with lent_page(browser, viewport={"width": 800, "height": 600}, reduced_motion="reduce") as page:
        page.on("pageerror", lambda error: uncaught.append(str(error)))
        bars = Bars(page, world)
        bars.open()
        leave_nothing(page)
        world.reset()  # Until now the page may have done what it was left with.
        yield bars
    assert bars.violations == []
    assert uncaught == []

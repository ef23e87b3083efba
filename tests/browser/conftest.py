"""Fixtures of the browser tests: the scripted server that speaks the wire, and a page with bars on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World


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
def bars(page: Page, world: World) -> Iterator[Bars]:
    """A driver on the plain page. Whatever the test does, the page's CSP must hold."""
    bars = Bars(page, world)
    bars.open()
    yield bars
    assert bars.violations == []

"""Fixtures of all rooms: a real Chromium, a real Redis. What one room needs alone lives in its own conftest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from tests.helpers import find_chromium
from tests.redis_server import RedisServer
from tests.schemas import check_answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: once started, Playwright keeps a loop in this thread, and `asyncio.run` would refuse."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def answers_are_as_their_schemas_say() -> Iterator[None]:
    """Whatever Headway answers to `requests`, in any test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.sessions, "default_hooks", lambda: {"response": [check_answer]})
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run; contexts and pages are each test's own."""
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox does not work for root.
    flags = [*CHROMIUM_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else CHROMIUM_FLAGS
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh context. An exception that nothing on the page caught fails the test."""
    uncaught: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: uncaught.append(str(error)))
        yield page
    assert uncaught == []


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """The run's Redis, running and empty. A test may stop, kill and start it; the next one finds it running again."""
    if not redis_process.is_running():
        redis_process.start()
    redis_process.flush()
    return redis_process

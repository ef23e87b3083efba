"""Fixtures of all rooms: a real Chromium, a real Redis. What one room needs alone lives in its own conftest."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import HealthCheck, settings

from tests.helpers import find_chromium
from tests.kept_pages import close_lent_pages
from tests.order import SLOW_FILES
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


# How long something takes is the machine's affair: no test is judged by it.
settings.register_profile("headway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headway")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes take whole files in this order: a slow one that came last would be waited for."""
    places = {f"tests/{file}": place for place, file in enumerate(SLOW_FILES)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def pytest_collection_finish() -> None:
    """What thousands of collected tests consist of is there to stay: no collection of garbage need look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def answers_are_as_their_schemas_say() -> Iterator[None]:
    """Whatever Headway answers to `requests`, in any test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.sessions, "default_hooks", lambda: {"response": [check_answer]})
        yield


@pytest.fixture(scope="session")
def launched() -> Iterator[Callable[[str], Browser]]:
    """A headless Chromium of each kind for the whole run, by its path."""
    from playwright.sync_api import expect, sync_playwright

    # Of five seconds a busy machine can take more than that.
    expect.set_options(timeout=30_000)
    # Chromium's sandbox does not work for root.
    flags = [*CHROMIUM_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else CHROMIUM_FLAGS
    running: dict[str, Browser] = {}
    with sync_playwright() as playwright:

        def launch(path: str) -> Browser:
            if path not in running:
                running[path] = playwright.chromium.launch(executable_path=path, headless=True, args=flags)
            return running[path]

        yield launch
        for chromium in running.values():
            chromium.close()


@pytest.fixture(scope="module")
def browser(launched: Callable[[str], Browser], request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Contexts and pages are each test's own, or lent. Without windows, which cost more than the pages, where that will
    do."""
    whole = request.node.get_closest_marker("whole_chromium") is not None
    browser = launched(find_chromium(whole=whole))
    yield browser
    close_lent_pages(browser)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh context. An exception that nothing on the page caught fails the test.

    What moves for the eye alone costs as much as all the rest: it does where a test is about that.
    """
    uncaught: list[str] = []
    with browser.new_context(reduced_motion="reduce") as context:
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

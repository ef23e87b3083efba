"""What a bar says while the store is away, by a real gateway whose Redis is stopped; and that all of it heals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from headway import ProgressManager
from tests.browser.bar.driver import Bars
from tests.helpers import ServerProcess, eventually
from tests.redis_server import RedisServer

PAGES = ["page.html", "no-client.html"]  # By WebSocket, and by an event stream.
DELAYED = "Live updates are delayed"


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), save="3600 1").start()
    yield server
    server.kill()


@pytest.fixture
def manager(redis: RedisServer) -> Iterator[ProgressManager]:
    with ProgressManager(store=redis.url) as manager:
        yield manager


@pytest.fixture
def live(page: Page, redis: RedisServer) -> Iterator[Bars]:
    command = ["-m", "uvicorn", "tests.browser.bar.gateway_app:app", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess.python(*command, env={"HEADWAY_STORE": redis.url}) as server:
        yield Bars(page, server)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_that_updates_are_delayed_while_the_store_is_away_and_then_heals(
    live: Bars, redis: RedisServer, manager: ProgressManager, path: str
) -> None:
    live.open(path)
    for name in ("quiet", "late"):
        live.page.evaluate("id => document.body.append(Object.assign(document.createElement('div'), { id }))", name)
    with manager.task("Import", total=100) as task:
        task.advance(10)
        quiet = manager.create_task("Quiet")
        manager.update_progress(quiet, 30)
        live.make(task.task_id)
        live.make(quiet, name="quiet", container="quiet")
        expect(live.part("percent")).to_have_text("10%")
        expect(live.part("percent", "quiet")).to_have_text("30%")

        redis.stop()
        task.advance(30)

        for container in ("progress-container", "quiet"):
            expect(live.part("notes", container)).to_contain_text(DELAYED, timeout=20_000)
            expect(live.part("bar", container)).not_to_have_attribute("data-moving", "")
        expect(live.part("percent")).to_have_text("10%")
        # A page that is opened meanwhile is told so, too, and not shown as live what may be old.
        live.make(quiet, name="late", container="late")
        expect(live.part("notes", "late")).to_contain_text(DELAYED, timeout=20_000)
        redis.start()

        expect(live.part("percent")).to_have_text("40%", timeout=20_000)
        # Also where nothing has changed meanwhile.
        for container in ("progress-container", "quiet", "late"):
            expect(live.part("notes", container)).not_to_contain_text(DELAYED, timeout=20_000)
        task.advance(60)
    expect(live.part("percent")).to_have_text("100%")
    expect(live.part("percent", "late")).to_have_text("30%")
    assert manager.get_task(task.task_id).state == "completed"
    # Nobody was taken for dead.
    eventually(lambda: manager.get_task(quiet).worker == "alive")
    assert [seen["state"] for (seen,) in live.events("progress") if seen["state"] == "failed"] == []

"""The bar against the real gateway, with the work in another process on the same store file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from headway import ProgressManager, TaskCancelled
from tests.browser.bar.driver import Bars
from tests.helpers import ServerProcess, eventually

PAGES = ["page.html", "no-client.html"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('bar') / 'store.db'}"


@pytest.fixture(scope="module")
def server(store: str) -> Iterator[ServerProcess]:
    command = ["-m", "uvicorn", "tests.browser.bar.gateway_app:app", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess.python(*command, env={"HEADWAY_STORE": store}) as server:
        yield server


@pytest.fixture(scope="module")
def manager(store: str) -> Iterator[ProgressManager]:
    with ProgressManager(store=store) as manager:
        yield manager


@pytest.fixture
def live(page: Page, server: ServerProcess) -> Iterator[Bars]:
    """A driver on the plain page; at the end no bar may have been shown anything false."""
    if not server.is_running():
        server.start()
    bars = Bars(page, server)  # type: ignore[arg-type]
    bars.open()
    yield bars
    assert bars.violations == []


def honest(bars: Bars) -> list[dict[str, Any]]:
    """What the bar showed, in order, once it is clear that it never went back."""
    states = [task for (task,) in bars.events("progress")]
    for old, new in pairwise(states):
        assert new["epoch"] != old["epoch"] or new["rev"] > old["rev"]
        assert new["attempt"] > old["attempt"] or (new["progress"] or 0) >= (old["progress"] or 0)
        assert new["attempt"] > old["attempt"] or old["state"] not in {"completed", "failed", "cancelled"}
    return states


@pytest.mark.parametrize("path", PAGES)
def test_work_in_another_process_is_shown_live_to_its_end(live: Bars, manager: ProgressManager, path: str) -> None:
    live.open(path)
    with manager.task("Import", total=40, stages=[("read", 1), ("store", 3)]) as task:
        live.make(task.task_id)
        expect(live.part("title")).to_have_text("Import")
        live.button("log").click()
        task.log("begun")
        expect(live.part("words")).to_have_text(["begun"])
        with task.step("read", total=10):
            task.advance(10)
        with task.step("store", total=30) as step:
            step.advance(15)
            expect(live.page.get_by_role("listitem").nth(1)).to_have_attribute("aria-label", "Store: 50%")
            expect(live.part("doing")).to_have_text("Store")
            task.update(message="nearly there")
            expect(live.part("message")).to_have_text("nearly there")
            step.advance(15)

    expect(live.part("percent")).to_have_text("100%")
    expect(live.part("notes")).to_contain_text("Finished in")
    assert honest(live)[-1]["state"] == "completed"
    assert len(live.events("complete")) == 1


def test_steps_within_steps_are_shown_as_parts_of_them(live: Bars, manager: ProgressManager) -> None:
    stages = ["text", {"name": "pictures", "weight": 3, "stages": ["card_1", ("card_2", 3)]}]
    with manager.task("Post", stages=stages) as task:
        live.make(task.task_id)
        with task.step("pictures"):
            with task.step("card_1"), task.step("upload"):
                expect(live.page.locator("[aria-current=step]")).to_have_attribute("aria-label", "Upload: 0%")
            with task.step("card_2", total=3) as step:
                step.advance(2)
                parts = live.page.get_by_role("listitem", name="Pictures: 75%").get_by_role("listitem")
                expect(parts).to_have_count(2)
                expect(parts.nth(1)).to_have_attribute("aria-label", "Card 2: 66%")
                # Text has been passed over: a quarter of the whole is still open.
                expect(live.part("percent")).to_have_text("56%")

    expect(live.part("percent")).to_have_text("100%")
    expect(live.page.get_by_role("button", name="Pictures")).to_have_attribute("aria-expanded", "false")
    honest(live)


@pytest.mark.parametrize("path", PAGES)
def test_cancel_stops_the_work_and_says_so(live: Bars, manager: ProgressManager, path: str) -> None:
    live.open(path)
    go_on = threading.Event()
    stopped = threading.Event()
    ids: list[str] = []

    def work() -> None:
        try:
            with manager.task("Long") as task:
                task.update(progress=30)
                ids.append(task.task_id)
                go_on.wait(30)
                eventually(lambda: task.cancelled)  # The page may hear of it sooner than another process.
                task.raise_if_cancelled()
        except TaskCancelled:
            stopped.set()

    thread = threading.Thread(target=work)
    thread.start()
    eventually(lambda: ids)
    live.make(ids[0])
    expect(live.part("percent")).to_have_text("30%")

    live.button("cancel").click()
    expect(live.button("cancel")).to_have_text("Cancelling…")
    live.wait_until("state.task.state === 'cancelling'")
    go_on.set()

    expect(live.part("doing")).to_have_text("Cancelled")
    thread.join(10)
    assert stopped.is_set()
    assert len(live.events("cancelled")) == 1
    honest(live)


def test_a_reload_in_the_middle_shows_the_present(live: Bars, manager: ProgressManager) -> None:
    task_id = manager.create_task("Reloaded")
    manager.update_progress(task_id, 55, message="half way")
    live.make(task_id)
    expect(live.part("percent")).to_have_text("55%")

    live.page.reload()
    live.make(task_id)

    expect(live.part("percent")).to_have_text("55%")
    manager.complete_task(task_id)
    expect(live.part("percent")).to_have_text("100%")


def test_offline_and_back_it_shows_what_happened_meanwhile(live: Bars, manager: ProgressManager) -> None:
    task_id = manager.create_task("Offline")
    manager.update_progress(task_id, 10)
    live.make(task_id, reconnectDelay=60_000)
    expect(live.part("percent")).to_have_text("10%")

    live.page.context.set_offline(True)
    live.wait_for("disconnect")
    manager.complete_task(task_id, message="while you were away")
    live.page.context.set_offline(False)

    expect(live.part("message")).to_have_text("while you were away")
    honest(live)


def test_a_killed_server_is_found_again_and_nothing_is_false(
    live: Bars, manager: ProgressManager, server: ServerProcess
) -> None:
    task_id = manager.create_task("Survivor")
    manager.update_progress(task_id, 40)
    live.make(task_id, maxReconnectAttempts=10_000)
    expect(live.part("percent")).to_have_text("40%")

    server.kill()
    live.wait_for("disconnect")
    expect(live.part("bar")).not_to_have_attribute("data-moving", "")
    manager.update_progress(task_id, 80)
    server.start()
    expect(live.part("percent")).to_have_text("80%")
    manager.fail_task(task_id, "no luck")

    expect(live.part("title")).to_have_text("Survivor")
    expect(live.part("doing")).to_have_text("Failed")
    assert honest(live)[-1]["state"] == "failed"


@pytest.mark.parametrize("path", PAGES)
def test_an_unknown_id_is_said_to_be(live: Bars, path: str) -> None:
    live.open(path)
    live.make("nobody-has-ever-heard-of-this-task")

    expect(live.part("notes")).to_have_text("This task does not exist, or you may not see it")


def test_two_tabs_share_one_socket_to_it(browser: Browser, server: ServerProcess, manager: ProgressManager) -> None:
    if not server.is_running():
        server.start()
    task_id = manager.create_task("Shared")
    manager.update_progress(task_id, 10)
    with browser.new_context(reduced_motion="reduce") as context:
        tabs = [Bars(context.new_page(), server) for _ in range(2)]  # type: ignore[arg-type]
        for tab in tabs:
            tab.open()
            tab.make(task_id)
            expect(tab.part("percent")).to_have_text("10%")
        # Whichever was first holds it; the other has given its own up.
        eventually(lambda: sorted(tab.call("bar.socket !== null") for tab in tabs) == [False, True])
        tabs.sort(key=lambda tab: tab.call("bar.socket === null"))
        manager.update_progress(task_id, 60)
        for tab in tabs:
            expect(tab.part("percent")).to_have_text("60%")
        tabs[0].page.close()
        tabs[1].wait_until("bar.socket?.connected")
        manager.complete_task(task_id)
        expect(tabs[1].part("percent")).to_have_text("100%")
        honest(tabs[1])


@pytest.mark.parametrize("client", [True, False])
def test_a_page_of_another_site_can_show_it_whole(
    live: Bars, manager: ProgressManager, server: ServerProcess, client: bool
) -> None:
    gateway = server.url
    if not client:
        live.page.route("**/socket.io.min.js", lambda route: route.fulfill(body=""))
    live.page.goto(f"http://localhost:{server.port}/bar/embed.html")
    stages = ["read", "store"]
    with manager.task("Elsewhere", stages=stages) as task, task.step("read", total=10) as step:
        task.log("from far away")
        step.advance(5)
        live.make(task.task_id, websocketUrl=f"{gateway}/progress")

        expect(live.part("track")).to_have_css("height", "8px")
        expect(live.page.get_by_role("listitem").first).to_have_attribute("aria-label", "Read: 50%")
        live.button("log").click()
        expect(live.part("words")).to_have_text(["from far away"])
        assert live.call("bar.state.transport") == ("websocket" if client else "sse")

"""The test page: each button drives the real server, and the verdict over what the page saw is clean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.demo import demo_server, post_json, visit
from tests.browser.trial_page import HAS_BEGUN, LONG_MS, logged, nothing_was_wrong, open_page, start, state_in_list
from tests.helpers import ServerProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("test-page")) as server:
        yield server


def test_connect_disconnect_and_ping_are_seen_in_the_log(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        open_page(page, demo)
        expect(page.locator("#connection-readings")).to_contain_text("websocket")
        for event in ("connect", "connected", "pong"):
            logged(page, event)

        page.locator("#disconnect").click()
        expect(page.locator("#connection-badge")).to_have_text("Not connected")
        page.locator("#connect").click()
        expect(page.locator("#connection-badge")).to_have_text("Connected")
        page.locator("#log-clear").click()
        page.locator("#ping").click()
        logged(page, "pong")
        expect(page.locator("#log tr[data-event=pong] td:nth-child(4)").first).to_have_text(re.compile(r"\d ms"))


@pytest.mark.parametrize(("outcome", "state"), [("complete", "completed"), ("fail", "failed"), ("crash", "failed")])
def test_a_test_task_ends_as_it_was_asked_to(browser: Browser, demo: ServerProcess, outcome: str, state: str) -> None:
    with visit(browser) as page:
        open_page(page, demo)

        task_id = start(page, outcome=outcome, stages="prepare, render")

        state_in_list(page, task_id, state)
        if outcome == "crash":
            expect(page.locator("#progress-container")).to_contain_text("worker")
        nothing_was_wrong(page)
        # The server is none the worse for it.
        again = start(page, seconds=0.2)
        state_in_list(page, again, "completed")


def test_a_task_that_hangs_heeds_a_cancel(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        open_page(page, demo)
        task_id = start(page, outcome="hang", seconds=0.5)
        state_in_list(page, task_id, "running")

        page.locator("#cancel").click()

        state_in_list(page, task_id, "cancelled")
        page.locator("#retry").click()
        state_in_list(page, task_id, "running")
        page.locator("#cancel").click()
        state_in_list(page, task_id, "cancelled")
        nothing_was_wrong(page)


def test_a_dropped_network_comes_back_and_the_bar_is_right(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        open_page(page, demo)
        task_id = start(page, seconds=4, updates=100)
        state_in_list(page, task_id, HAS_BEGUN)
        page.locator("#drop-seconds").fill("1.5")
        page.locator("#drop-noticed").check()

        page.locator("#drop").click()

        expect(page.locator("#connection-badge")).to_have_text("Network down")
        expect(page.locator("#connection-badge")).to_have_text("Connected", timeout=LONG_MS)
        state_in_list(page, task_id, "completed")
        expect(page.locator("#connection-readings div").nth(2)).to_have_text("Reconnects1")
        nothing_was_wrong(page)


def test_any_task_can_be_joined_and_left(browser: Browser, demo: ServerProcess) -> None:
    elsewhere = post_json(demo.url + "/api/test_tasks", {"seconds": 1, "updates": 5, "outcome": "hang"})["task_id"]
    with visit(browser) as page:
        open_page(page, demo)
        page.locator("#task-id").fill(elsewhere)
        page.locator("#join").click()
        state_in_list(page, elsewhere, "running")
        logged(page, "join → ok")

        page.locator("#leave").click()
        logged(page, "leave")
        expect(page.locator("#progress-task")).to_have_text("no task")
        post_json(f"{demo.url}/api/tasks/{elsewhere}/cancel", {})
        state_in_list(page, elsewhere, "running")
        page.locator("#join").click()
        state_in_list(page, elsewhere, "cancelled")

        page.locator("#task-id").fill("nobody-has-this-id-0000")
        page.locator("#join").click()
        logged(page, "join → task_not_found")
        nothing_was_wrong(page)


def test_what_the_server_refuses_is_shown_in_its_words(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        open_page(page, demo)
        page.locator("#seconds").fill("601")

        page.locator("#start").click()

        expect(page.locator("#task-error")).to_contain_text("seconds")
        expect(page.locator("#task-error")).to_contain_text("600")
        logged(page, "invalid_request")


def test_the_bar_can_be_driven_by_hand(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        open_page(page, demo)
        page.locator("#panel-progress summary").click()
        bar = page.locator("#local-container [role=progressbar]")

        page.locator("[data-local=start]").click()
        expect(page.locator("#local-container")).to_contain_text("Getting ready")
        page.locator("[data-local=step]").click()
        page.locator("[data-local=step]").click()
        expect(page.locator("#local-container")).to_contain_text("One step further")
        expect(bar).to_have_attribute("aria-valuenow", "20")
        page.locator("[data-local=complete]").click()
        expect(bar).to_have_attribute("aria-valuenow", "100")
        page.locator("[data-local=hide]").click()
        expect(bar).to_be_hidden()


def test_the_log_is_filtered_paused_saved_and_cleared(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        open_page(page, demo)
        task_id = start(page, seconds=0.3, updates=5)
        state_in_list(page, task_id, "completed")

        page.locator("#log-filter").fill("progress")
        events = page.locator("#log tr").evaluate_all("rows => rows.map(row => row.dataset.event)")
        assert set(events) <= {"progress", "bar: progress"}
        page.locator("#log-filter").fill("")
        with page.expect_download() as started:
            page.locator("#log-save").click()
        saved = json.loads(Path(started.value.path()).read_text("utf-8"))
        assert {"join", "progress", "connected"} <= {entry["event"] for entry in saved}

        page.locator("#log-pause").click()
        expect(page.locator("#log-pause")).to_have_attribute("aria-pressed", "true")
        page.locator("#log-clear").click()
        page.locator("#ping").click()
        expect(page.locator("#connection-readings div").nth(3)).not_to_have_text("Events seen0")
        expect(page.locator("#log tr")).to_have_count(0)
        page.locator("#log-pause").click()
        logged(page, "pong")


def test_it_speaks_both_languages(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, locale="zh-CN") as page:
        page.goto(demo.url + "/static/test-websocket-progress.html")
        expect(page.locator("h1")).to_have_text("想办法让它说谎")

        page.locator("#switch-language").click()

        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.locator("h1")).to_have_text("Try to make it lie")

"""The list of all tasks and the page of one, against the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.demo import demo_server, is_fine, post_json, visit
from tests.helpers import ServerProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("tasks")) as server:
        yield server


def start(demo: ServerProcess, **asked: Any) -> str:
    wanted = {"seconds": 1, "updates": 20, "outcome": "complete"} | asked
    task_id: str = post_json(demo.url + "/api/test_tasks", wanted)["task_id"]
    return task_id


def row(page: Page, task_id: str) -> Locator:
    return page.locator(f"#rows tr[data-task-id='{task_id}']")


def test_an_empty_list_says_what_would_fill_it(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")

        expect(page.locator("#tasks-empty")).to_contain_text("No tasks yet")
        eventually(lambda: is_fine(page), saying="it fits, and axe finds nothing")


def test_rows_move_with_their_tasks_and_new_ones_come_by_themselves(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")
        task_id = start(demo, seconds=8, updates=100)

        expect(row(page, task_id)).to_have_attribute("data-state", "running")
        page.wait_for_function(
            """id => {
                const text = document.querySelector(`tr[data-task-id="${id}"] .percent`).textContent;
                (window.percents ??= []).push(parseInt(text));
                return text === '100%';
            }""",
            arg=task_id,
        )
        percents = page.evaluate("window.percents")
        assert percents == sorted(percents)
        assert len(set(percents)) > 5
        expect(row(page, task_id).locator(".badge")).to_have_text("Completed")


def test_a_task_is_cancelled_and_retried_from_its_row(browser: Browser, demo: ServerProcess) -> None:
    task_id = start(demo, outcome="hang")
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")

        row(page, task_id).get_by_role("button", name="Cancel").click()
        expect(row(page, task_id)).to_have_attribute("data-state", "cancelled")
        row(page, task_id).get_by_role("button", name="Retry").click()
        expect(row(page, task_id)).to_have_attribute("data-state", "running")
        row(page, task_id).get_by_role("button", name="Cancel").click()
        expect(row(page, task_id)).to_have_attribute("data-state", "cancelled")


def test_the_list_is_filtered_searched_and_sorted(browser: Browser, demo: ServerProcess) -> None:
    failed = start(demo, seconds=0.1, outcome="fail", updates=7)
    hanging = start(demo, outcome="hang", updates=11)
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")
        expect(row(page, failed)).to_have_attribute("data-state", "failed")

        page.get_by_role("radio", name="Failed").check()
        expect(row(page, failed)).to_be_visible()
        expect(row(page, hanging)).to_have_count(0)
        page.get_by_role("radio", name="Active").check()
        expect(row(page, hanging)).to_be_visible()
        expect(row(page, failed)).to_have_count(0)
        page.get_by_role("radio", name="All").check()

        page.locator("[name=q]").fill("11 updates")
        expect(row(page, hanging)).to_be_visible()
        expect(row(page, failed)).to_have_count(0)
        page.locator("[name=q]").fill("nothing has this name")
        expect(page.locator("#tasks-empty")).to_contain_text("No task matches")
        page.locator("[name=q]").fill("")

        page.locator("[name=sort]").select_option("failed")
        expect(row(page, hanging)).to_have_count(0)
        page.locator("[name=sort]").select_option("stuck")
        expect(row(page, hanging)).to_be_visible()
        row(page, hanging).get_by_role("button", name="Cancel").click()


def test_many_tasks_are_paged_and_the_page_stays_small(browser: Browser, demo: ServerProcess) -> None:
    for _ in range(30):
        start(demo, seconds=0.1, updates=1)
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")
        expect(page.locator("#rows tr")).to_have_count(25)
        first = page.locator("#rows tr").first.get_attribute("data-task-id")

        page.locator("#next").click()
        expect(page.locator("#page-of")).to_have_text("Page 2")
        expect(page.locator(f"tr[data-task-id='{first}']")).to_have_count(0)
        page.locator("#previous").click()
        expect(page.locator("#rows tr").first).to_have_attribute("data-task-id", str(first))
        expect(page.locator("#previous")).to_be_disabled()


def test_the_page_of_a_task_tells_its_stages_attempts_and_result(browser: Browser, demo: ServerProcess) -> None:
    task_id = start(demo, seconds=1, updates=30, stages=["prepare", "render"], outcome="fail")
    with visit(browser) as page:
        page.goto(f"{demo.url}/tasks/{task_id}")

        expect(page.locator("#task-badge")).to_have_text("Failed")
        expect(page.locator("#facts")).to_contain_text("test_failure")
        expect(page.locator("#stages li")).to_have_count(2)
        expect(page.locator("#stages .stage-time").first).to_have_text(re.compile(r"\d"))
        expect(page.locator("#attempts li")).to_have_count(1)

        page.get_by_role("button", name="Retry").click()
        expect(page.locator("#attempts li")).to_have_count(2)
        expect(page.locator("#attempts .badge")).to_have_text(["Failed", "Failed"])
        expect(page.locator("#facts")).to_contain_text("Attempt2")

        done = start(demo, seconds=0.1)
        page.goto(f"{demo.url}/tasks/{done}")
        expect(page.locator("#result-panel")).to_contain_text('"updates": 20')


def test_attempts_and_timings_are_there_after_a_restart(browser: Browser, tmp_path_factory: Any) -> None:
    with demo_server(tmp_path_factory.mktemp("restart")) as server, visit(browser) as page:
        task_id = start(server, seconds=0.3, updates=30, stages=["prepare", "render"])
        page.goto(f"{server.url}/tasks/{task_id}")
        expect(page.locator("#task-badge")).to_have_text("Completed")
        server.restart()

        page.goto(f"{server.url}/tasks/{task_id}")

        expect(page.locator("#attempts li")).to_have_count(1)
        expect(page.locator("#stages .stage-time").first).to_have_text(re.compile(r"\d"))


def test_a_task_that_is_not_there_says_so(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        page.goto(demo.url + "/tasks/AAAAAAAAAAAAAAAAAAAAAA")

        expect(page.get_by_role("alert")).to_contain_text("no such task")
        expect(page.locator("#facts, #progress-container")).to_have_count(2)
        expect(page.locator(".panel:visible")).to_have_count(0)
        page.get_by_role("link", name="All tasks").click()
        expect(page).to_have_url(demo.url + "/tasks")


def test_a_server_that_is_away_is_said_and_forgotten_when_it_is_back(browser: Browser, tmp_path_factory: Any) -> None:
    with demo_server(tmp_path_factory.mktemp("away")) as server, visit(browser, quiet=False) as page:
        task_id = start(server, seconds=0.1)
        page.goto(server.url + "/tasks")
        expect(row(page, task_id)).to_be_visible()

        server.terminate()
        expect(page.locator("#page-banner")).to_contain_text("can’t be read right now")
        eventually(lambda: is_fine(page), saying="it fits, and axe finds nothing")
        expect(row(page, task_id)).to_be_visible()
        server.start()

        expect(page.locator("#page-banner")).to_be_empty()

"""A reader of Chinese reads Chinese: also what the server says of a failure, by its code, and what a test task says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.demo import demo_server, visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.helpers import ServerProcess

LATIN_SENTENCE = re.compile("[a-z]+ [a-z]+ [a-z]+")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("demo")
    with demo_server(folder) as server:
        yield server


def trial(page: Page, **body: object) -> str:
    asked = {"seconds": 0.5, "updates": 10, "outcome": "complete"} | body
    made = page.evaluate(
        "body => fetch('/api/test_tasks', {method: 'POST', body: JSON.stringify(body)}).then(answer => answer.json())",
        asked,
    )
    task_id: str = made["task_id"]
    return task_id


@pytest.mark.parametrize("outcome", ["fail", "crash"])
def test_a_failed_task_is_told_in_chinese_in_the_list_and_on_its_page(
    browser: Browser, demo: ServerProcess, outcome: str
) -> None:
    with visit(browser, locale="zh-CN") as page:
        page.goto(demo.url + "/tasks")
        task_id = trial(page, outcome=outcome)

        row = page.locator(f"#rows tr[data-task-id='{task_id}'][data-state=failed]")
        expect(row).to_be_visible()
        assert not LATIN_SENTENCE.search(row.inner_text())
        row.locator(".task-name").click()
        expect(page.locator("#attempts .attempt-error")).to_be_visible()
        for part in ("#task-name", "#facts", "#attempts", "#progress-container [role=log]"):
            expect(page.locator(part)).not_to_be_empty()
            assert not LATIN_SENTENCE.search(page.locator(part).inner_text())
        expect(page.locator("#facts")).to_contain_text("worker_lost" if outcome == "crash" else "test_failure")


def test_what_the_test_page_is_refused_is_told_in_chinese(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False, locale="zh-CN") as page:
        page.goto(demo.url + "/static/test-websocket-progress.html")
        for field, wrong, right in (("seconds", "601", "10"), ("updates", "0", "5"), ("stages", "Not, Good", "a, b")):
            page.locator(f"#{field}").fill(wrong)
            page.locator("#start").click()
            expect(page.locator("#task-error")).to_contain_text("服务器拒绝")
            assert not LATIN_SENTENCE.search(page.locator("#task-error").inner_text())
            page.locator(f"#{field}").fill(right)
        page.locator("#seconds").fill("")
        page.locator("#start").click()
        expect(page.locator("#task-error")).to_have_text("秒数：请填写")


def test_a_button_of_the_list_that_does_nothing_any_more_says_why_in_chinese(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser, quiet=False, locale="zh-CN") as page:
        page.goto(demo.url + "/tasks")
        task_id = trial(page, outcome="hang")
        row = page.locator(f"#rows tr[data-task-id='{task_id}']")
        expect(row.get_by_role("button", name=re.compile("取消"))).to_be_visible()
        page.route(
            "**/cancel",
            lambda route: route.fulfill(
                status=409, json={"error": {"code": "not_cancellable", "message": "the task has ended already"}}
            ),
        )

        row.get_by_role("button", name=re.compile("取消")).click()

        expect(page.locator(".toast")).to_have_text("没能取消：它已经结束了")


def test_a_test_task_speaks_english_to_readers_of_english(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")
        task_id = trial(page, outcome="fail")

        row = page.locator(f"#rows tr[data-task-id='{task_id}'][data-state=failed]")
        expect(row).to_contain_text("Test task: 0.5 s, 10 updates, fail")
        expect(row).to_contain_text("The test task failed, as it was asked to.")


def test_what_was_chosen_is_there_after_a_reload_and_the_copy_follows_a_switch_of_the_page(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser) as page:
        page.goto(demo.url)
        page.locator("#topic").fill("老北京胡同")
        page.get_by_role("radio", name="Story").check(force=True)
        page.get_by_role("radio", name="中文").check(force=True)

        page.reload()

        expect(page.locator("#topic")).to_have_value("老北京胡同")
        expect(page.get_by_role("radio", name="Story")).to_be_checked()
        expect(page.get_by_role("radio", name="中文")).to_be_checked()
        page.locator("[data-switch=language]").click()
        page.get_by_role("radio", name="English").check(force=True)
        # Who leaves before the page's script has come leaves nothing behind.
        page.wait_for_function("() => JSON.parse(sessionStorage.getItem('headway-composer')).language === 'en'")
        page.locator("[data-switch=language]").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_role("radio", name="English")).to_be_checked()
        expect(page.locator("#topic")).to_have_value("老北京胡同")


def test_what_was_typed_before_the_page_s_script_came_is_kept_too(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url)
        page.locator("#topic").fill("first")
        page.get_by_role("radio", name="Story").check(force=True)
        held: list[Route] = []
        page.route("**/studio.js", lambda route: held.append(route))

        with page.expect_request("**/studio.js"):
            page.goto(demo.url + "/?lang=zh-CN", wait_until="commit")
            page.locator("#topic").fill("second")
            page.get_by_role("radio", name="English").check(force=True)
        # Asked of the page, so that whatever it asked before has come to `held`.
        expect(page.locator("#topic")).to_have_value("second")
        held[0].continue_()
        expect(page.get_by_role("radio", name="随笔故事")).to_be_checked()
        expect(page.locator("#topic")).to_have_value("second")

        page.unroute("**/studio.js")
        page.goto(demo.url + "/?lang=zh-CN")
        expect(page.locator("#topic")).to_have_value("second")
        expect(page.get_by_role("radio", name="English")).to_be_checked()
        expect(page.get_by_role("radio", name="随笔故事")).to_be_checked()

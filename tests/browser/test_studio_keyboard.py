"""The whole story of the studio without a mouse, and where the focus is all the while."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.demo import demo_server, visit
from tests.helpers import ServerProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

LONG_MS = 60_000
MOST_TABS = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    # Fast, and yet with time to reach what is to be cancelled.
    with demo_server(tmp_path_factory.mktemp("keyboard"), HEADWAY_DEMO_PAUSE_MS="20") as server:
        yield server


def stage_state(page: Page, state: str) -> None:
    expect(page.locator("#stage")).to_have_attribute("data-state", state, timeout=LONG_MS)


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Goes on with Tab until `target` has the focus; what has it on the way must show it."""
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        if target.evaluate("element => element === document.activeElement"):
            assert page.evaluate(SEES_THE_FOCUS)
            return
    raise AssertionError(f"{target} is not reached by {MOST_TABS} times {key}")


# An outline somewhere on the way up, or, for an input that is drawn by its neighbour, on that.
SEES_THE_FOCUS = """
() => {
  const element = document.activeElement;
  const drawn = [element, element.nextElementSibling, element.parentElement].filter(Boolean);
  return drawn.map(one => getComputedStyle(one))
    .some(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
}
"""


def test_a_post_is_made_cancelled_retried_read_and_deleted_by_keyboard_alone(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser, quiet=False, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(demo.url)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("[data-empty]")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#topic")).to_be_focused()

        # An empty form is refused where one is; then two lines, another style, another language, two cards.
        page.keyboard.press("Enter")
        expect(page.locator("#topic-error")).not_to_be_empty()
        page.keyboard.type("只用键盘")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("第二行")
        tab_to(page, page.get_by_role("radio", name="Lively"))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="Gentle")).to_be_checked()
        tab_to(page, page.get_by_role("button", name="One card fewer"))
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        expect(page.locator("#cards")).to_have_value("2")
        tab_to(page, page.get_by_role("radio", name="English"))
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("radio", name="中文")).to_be_checked()
        tab_to(page, page.locator("#make"))
        page.keyboard.press("Enter")
        stage_state(page, "running")

        bar = page.locator("#progress-container")
        tab_to(page, bar.get_by_role("button", name="Cancel"))
        page.keyboard.press("Enter")
        stage_state(page, "cancelled")
        # The button is gone; who pressed it is still there, and not at the top of the page again.
        assert page.evaluate("document.getElementById('stage').contains(document.activeElement)")
        if not bar.get_by_role("button", name="Retry").evaluate("button => button === document.activeElement"):
            tab_to(page, bar.get_by_role("button", name="Retry"))
        page.keyboard.press("Enter")
        stage_state(page, "completed")

        tab_to(page, page.locator(".reel"))
        expect(page.locator(".reel-at")).to_have_text("1 of 2")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".reel-at")).to_have_text("2 of 2")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".reel-at")).to_have_text("1 of 2")
        tab_to(page, page.get_by_role("button", name="Next card"))
        page.keyboard.press("Enter")
        expect(page.locator(".reel-at")).to_have_text("2 of 2")
        tab_to(page, page.get_by_role("button", name="Copy the text"))
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_have_text("Copied")
        assert "#" in page.evaluate("navigator.clipboard.readText()")
        tab_to(page, page.get_by_role("link", name="All as zip"))
        with page.expect_download():
            page.keyboard.press("Enter")

        # What was made before is found and opened; the dialog is left by Escape with nothing lost.
        page.goto(demo.url)
        tab_to(page, page.locator("#history-search"))
        page.keyboard.type("键盘")
        expect(page.locator(".made")).to_have_count(1)
        tab_to(page, page.locator(".made-open"))
        page.keyboard.press("Enter")
        expect(page.locator(".post")).to_be_visible()
        opener = page.locator(".made-delete")
        tab_to(page, opener)
        expect(opener).to_have_css("opacity", "1")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(opener).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        tab_to(page, page.get_by_role("dialog").get_by_role("button", name=re.compile("^Delete")))
        page.keyboard.press("Enter")
        expect(page.locator(".made")).to_have_count(0)
        expect(page.locator("#history-search")).to_be_focused()


def test_the_list_of_tasks_is_worked_by_keyboard_alone(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url + "/static/test-websocket-progress.html")
        tab_to(page, page.locator("#outcome"))
        page.keyboard.type("hang")
        tab_to(page, page.locator("#start"))
        page.keyboard.press("Enter")
        expect(page.locator("#joined li")).to_have_attribute("data-state", "running")
        task_id = page.locator("#task-id").input_value()

        page.goto(demo.url + "/tasks")
        row = page.locator(f"#rows tr[data-task-id='{task_id}']")
        expect(row).to_be_visible()
        tab_to(page, page.get_by_role("radio", name="All"))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="Active")).to_be_checked()
        tab_to(page, row.get_by_role("button", name="Cancel"))
        page.keyboard.press("Enter")
        expect(row).to_have_count(0)
        tab_to(page, page.get_by_role("radio", name="Active"), "Shift+Tab")
        page.keyboard.press("ArrowLeft")
        expect(row).to_have_attribute("data-state", "cancelled")
        tab_to(page, row.locator(".task-name"))
        page.keyboard.press("Enter")
        expect(page.locator("#task-badge")).to_have_text("Cancelled")
        tab_to(page, page.locator("#progress-container").get_by_role("button", name="Retry"))
        page.keyboard.press("Enter")
        expect(page.locator("#attempts li")).to_have_count(2)
        tab_to(page, page.locator("#progress-container").get_by_role("button", name="Cancel"))
        page.keyboard.press("Enter")
        expect(page.locator("#task-badge")).to_have_text("Cancelled")


def test_the_focus_stays_where_it_is_when_the_list_is_read_again(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url)
        page.locator("#topic").fill("Keep the focus")
        page.locator("#cards").fill("1")
        page.locator("#make").click()
        stage_state(page, "completed")
        expect(page.locator(".made[data-state=completed]")).to_have_count(1)
        page.locator(".made-delete").focus()
        page.evaluate(
            "() => new MutationObserver(() => { window.drawn = true; })"
            ".observe(document.getElementById('history'), {childList: true})"
        )

        page.evaluate("dispatchEvent(new Event('online'))")

        page.wait_for_function("() => window.drawn")
        expect(page.locator(".made-delete")).to_be_focused()

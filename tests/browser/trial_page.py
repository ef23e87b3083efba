"""What the tests of the test page share: its panels, driven and read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.helpers import ServerProcess

LONG_MS = 40_000
# On a busy machine a short task may have ended before anybody looks.
HAS_BEGUN = re.compile("^(running|completed)$")


def open_page(page: Page, demo: ServerProcess) -> None:
    page.goto(demo.url + "/static/test-websocket-progress.html")
    expect(page.locator("#connection-badge")).to_have_text("Connected")


def start(page: Page, *, seconds: float = 1, updates: int = 20, outcome: str = "complete", **more: Any) -> str:
    before = page.locator("#task-id").input_value()
    page.locator("#seconds").fill(str(seconds))
    page.locator("#updates").fill(str(updates))
    page.locator("#outcome").select_option(outcome)
    page.locator("#stages").fill(more.get("stages", ""))
    page.locator("#process").set_checked(more.get("process", False))
    page.locator("#start").click()
    page.wait_for_function("before => document.getElementById('task-id').value !== before", arg=before, timeout=LONG_MS)
    return page.locator("#task-id").input_value()


def state_in_list(page: Page, task_id: str, state: str | re.Pattern[str]) -> None:
    expect(page.locator(f"#joined li[data-task-id='{task_id}']")).to_have_attribute(
        "data-state", state, timeout=LONG_MS
    )


def logged(page: Page, event: str) -> None:
    expect(page.locator(f"#log tr[data-event='{event}']").first).to_be_visible(timeout=LONG_MS)


def nothing_was_wrong(page: Page) -> None:
    expect(page.locator("#verdict-badge")).to_have_text("Nothing wrong so far")
    assert page.locator("#verdict [data-broken]:not([data-broken='0'])").count() == 0

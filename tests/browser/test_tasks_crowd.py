"""The page of tasks with 10,000 of them, some moving: what it shows is right, and what it holds stays small."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.crowd_server import CROWD, MOVING
from tests.browser.demo import visit
from tests.helpers import ROOT, ServerProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = 25
ACTIVE = ("pending", "running", "cancelling")
Task = dict[str, Any]  # Any: the fields of a task

# Notes which rows are touched, but for the columns of times, which tick in all of them.
WATCH_THE_ROWS = """
() => {
  const rows = document.getElementById('rows');
  const parts = row => [row, row.querySelector('.badge')];
  window.before = new Map([...rows.children].map(row => [row.dataset.taskId, parts(row)]));
  window.touched = new Set();
  window.refreshed = 0;
  const fetch = window.fetch;
  window.fetch = (...asked) => {
    if (String(asked[0]).includes('/api/tasks?')) window.refreshed++;
    return fetch(...asked);
  };
  const look = records => {
    for (const {target} of records) {
      const place = target.nodeType === 1 ? target : target.parentElement;
      if (!place.closest('td.numbers')) window.touched.add(place.closest('tr')?.dataset.taskId ?? 'the table');
    }
  };
  const all = {subtree: true, childList: true, characterData: true, attributes: true};
  new MutationObserver(look).observe(rows, all);
}
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[ServerProcess]:
    with ServerProcess.python("-m", "tests.browser.crowd_server", cwd=ROOT, timeout=60) as server:
        yield server


@pytest.fixture(scope="module")
def truth(crowd: ServerProcess) -> list[Task]:
    """All of them, the newest first, as the API gives them without filter or order."""
    tasks: list[Task] = []
    cursor: str | None = ""
    while cursor is not None:
        query = urllib.parse.urlencode({"limit": 500, **({"cursor": cursor} if cursor else {})})
        with urllib.request.urlopen(f"{crowd.url}/api/tasks?{query}", timeout=20) as answer:
            page = json.load(answer)
        tasks += page["tasks"]
        cursor = page["next_cursor"]
    return tasks


def shown(page: Page) -> list[str]:
    ids: list[str] = page.locator("#rows tr").evaluate_all("rows => rows.map(row => row.dataset.taskId)")
    return ids


def shows(page: Page, tasks: list[Task]) -> None:
    expected = [task["task_id"] for task in tasks]
    eventually(lambda: shown(page) == expected, saying=f"the rows are {len(expected)} of the {CROWD}, in order")


def is_moving(task: Task) -> bool:
    return int(task["name"][6:11]) >= CROWD - MOVING


class Joins:
    """Which tasks the page has joined, and not left, as its frames say."""

    def __init__(self, page: Page) -> None:
        self.live: set[str] = set()
        self.most = 0
        self._page = page
        page.on("websocket", lambda socket: socket.on("framesent", self._hear))

    def become(self, task_ids: set[str]) -> None:
        def joined() -> bool:
            self._page.evaluate("0")  # lets Playwright tell of frames
            assert self.live == task_ids
            return True

        eventually(joined, saying="exactly what is shown and active is joined")

    def _hear(self, frame: str | bytes) -> None:
        if not isinstance(frame, str) or "[" not in frame:
            return
        event, data, *_ = [*json.loads(frame[frame.index("[") :]), None]
        if event == "join":
            self.live.add(data["task_id"])
        elif event == "leave":
            self.live.discard(data["task_id"])
        self.most = max(self.most, len(self.live))


def test_the_crowd_is_as_large_and_as_mixed_as_it_should_be(truth: list[Task]) -> None:
    states = [task["state"] for task in truth]

    assert len(truth) == CROWD == len({task["task_id"] for task in truth})
    assert sum(map(is_moving, truth)) == MOVING
    assert all(states.count(state) >= 400 for state in ("pending", "running", "completed", "failed", "cancelled"))


def test_filter_search_and_order_are_right_over_all_of_them(
    browser: Browser, crowd: ServerProcess, truth: list[Task]
) -> None:
    with visit(browser) as page:
        page.goto(crowd.url + "/tasks")
        shows(page, truth[:PAGE])

        for name, states in {
            "Failed": ("failed",),
            "Waiting": ("pending",),
            "Active": ACTIVE,
            "Completed": ("completed",),
            "Cancelled": ("cancelled",),
        }.items():
            page.get_by_role("radio", name=name).check()
            shows(page, [task for task in truth if task["state"] in states][:PAGE])
        page.get_by_role("radio", name="All").check()

        page.locator("[name=q]").fill("00777: ")
        shows(page, [task for task in truth if "00777: " in task["name"]])
        page.locator("[name=q]").fill("EXPORT")
        shows(page, [task for task in truth if "export" in task["name"]][:PAGE])
        page.get_by_role("radio", name="Failed").check()
        shows(page, [task for task in truth if "export" in task["name"] and task["state"] == "failed"][:PAGE])
        page.locator("[name=q]").fill("")

        order = page.locator("[name=sort]")
        order.select_option("stuck")
        # What moves has just been heard of: it would be the last.
        still = [task for task in truth if task["state"] in ACTIVE and not is_moving(task)]
        shows(page, sorted(still, key=lambda task: (heard_of(task), task["task_id"]))[:PAGE])
        expect(page.get_by_role("radio", name="Active")).to_be_checked()
        order.select_option("longest")
        active = [task for task in truth if task["state"] in ACTIVE]
        shows(page, sorted(active, key=lambda task: (begun(task), task["task_id"]))[:PAGE])
        order.select_option("failed")
        shows(page, [task for task in truth if task["state"] == "failed"][:PAGE])
        expect(page.get_by_role("radio", name="Failed")).to_be_checked()
        page.get_by_role("radio", name="Completed").check()
        shows(page, [task for task in truth if task["state"] == "completed"][:PAGE])
        expect(order).to_have_value("newest")


def heard_of(task: Task) -> float:
    return float(task["created_at"] if task["updated_at"] is None else task["updated_at"])


def begun(task: Task) -> float:
    return float(task["created_at"] if task["started_at"] is None else task["started_at"])


def test_pages_follow_each_other_without_gap_and_what_the_page_holds_stays_small(
    browser: Browser, crowd: ServerProcess, truth: list[Task]
) -> None:
    with visit(browser) as page:
        joins = Joins(page)
        page.goto(crowd.url + "/tasks")
        shows(page, truth[:PAGE])
        nodes = "document.querySelectorAll('*').length"
        at_first = page.evaluate(nodes)

        for number in range(1, 9):
            page.locator("#next").click()
            shows(page, truth[number * PAGE : (number + 1) * PAGE])
            expect(page.locator("#page-of")).to_have_text(f"Page {number + 1}")
            here = truth[number * PAGE : (number + 1) * PAGE]
            joins.become({task["task_id"] for task in here if task["state"] in ACTIVE})
        for number in range(7, -1, -1):
            page.locator("#previous").click()
            shows(page, truth[number * PAGE : (number + 1) * PAGE])

        assert joins.most <= 2 * PAGE
        assert page.evaluate(nodes) < at_first + 20 * PAGE
        assert page.evaluate(nodes) < 1_500


def test_a_live_update_touches_the_rows_that_move_and_nothing_else(
    browser: Browser, crowd: ServerProcess, truth: list[Task]
) -> None:
    with visit(browser) as page:
        page.goto(crowd.url + "/tasks")
        shows(page, truth[:PAGE])
        moving = [task["task_id"] for task in truth[:PAGE] if is_moving(task)]
        assert moving
        page.evaluate(WATCH_THE_ROWS)

        # Several live turns, and the list read again at least twice.
        page.wait_for_function(
            "ids => window.refreshed >= 2 && ids.every(id => window.touched.has(id))", arg=moving, timeout=20_000
        )

        assert set(page.evaluate("[...window.touched]")) == set(moving)
        same = """() => [...document.getElementById('rows').children].every(row => {
            const [before, badge] = window.before.get(row.dataset.taskId) ?? [];
            return row === before && row.querySelector('.badge') === badge;
        })"""
        assert page.evaluate(same)

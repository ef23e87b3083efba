"""The test page's chaos: its buttons do what they say, the bar stays right, planted faults turn the verdict red."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.demo import demo_server, is_fine, visit
from tests.browser.trial_page import HAS_BEGUN, LONG_MS, logged, nothing_was_wrong, open_page, start, state_in_list
from tests.helpers import ServerProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, WebSocketRoute

Payload = dict[str, Any]  # Any: the fields of a payload
FRAME = re.compile(r'(42/progress,)(\["(?:progress|log)",.*\])', re.DOTALL)
RULES = ("rev", "progress", "final", "end", "joined", "log")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("chaos")) as server:
        yield server


def a_task_under_way(page: Page, demo: ServerProcess, seconds: float = 3) -> str:
    open_page(page, demo)
    task_id = start(page, seconds=seconds, updates=min(600, int(seconds * 40)), stages="prepare, render, upload")
    state_in_list(page, task_id, HAS_BEGUN)
    return task_id


def and_all_was_well(page: Page, task_id: str, state: str = "completed") -> None:
    state_in_list(page, task_id, state)
    nothing_was_wrong(page)
    for rule in RULES:
        expect(page.locator(f"#verdict [data-rule={rule}]")).not_to_have_class(re.compile("is-idle"))


def test_cut_loses_the_line_and_the_page_comes_back(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        task_id = a_task_under_way(page, demo)
        page.locator("#log-clear").click()

        page.locator("[data-chaos=cut]").click()

        logged(page, "disconnect")
        logged(page, "connect")
        expect(page.locator("#connection-readings div").nth(2)).to_have_text("Reconnects1")
        and_all_was_well(page, task_id)


def test_a_stall_lets_nothing_through_until_it_is_over(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        # Long enough for a busy machine; it is stopped once everything has been seen.
        task_id = a_task_under_way(page, demo, seconds=120)
        page.evaluate(
            """() => {
                const rows = () => document.querySelectorAll('#log tr[data-event="progress"]').length;
                window.samples = [];
                addEventListener('headway-weather', ({detail}) => {
                    if (detail.mode !== 'stall') return samples.push(rows());
                    for (const ms of [500, 3000]) setTimeout(() => samples.push(rows()), ms);
                });
            }"""
        )

        page.locator("[data-chaos=stall]").click()

        expect(page.locator("#connection-badge")).to_have_text("Network stalled")
        page.wait_for_function("() => window.samples.length === 3")
        early, late, _ = page.evaluate("window.samples")
        assert early == late > 0
        page.wait_for_function(
            "seen => document.querySelectorAll('#log tr[data-event=\"progress\"]').length > seen", arg=late
        )
        page.locator("#cancel").click()
        and_all_was_well(page, task_id, "cancelled")


def test_the_buttons_stay_where_they_are_while_lines_come(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        a_task_under_way(page, demo, seconds=120)
        lines = page.locator("#progress-container .hw-entry")
        expect(lines.first).to_be_visible()
        expect(page.locator("#progress-container .hw-meta")).to_have_text(re.compile("/s.*left"))
        seen, before = lines.count(), page.locator("#chaos").bounding_box()

        page.wait_for_function(
            "seen => document.querySelectorAll('#progress-container .hw-entry').length >= seen + 2", arg=seen
        )

        assert page.locator("#chaos").bounding_box() == before


def test_a_delay_is_seen_in_the_latency(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        task_id = a_task_under_way(page, demo, seconds=120)
        expect(page.locator("#progress-container .hw-entry").first).to_be_visible()
        logged(page, "pong")
        latencies = """name => [...document.querySelectorAll(`#log tr[data-event="${name}"] td:nth-child(4)`)]
            .map(cell => parseFloat(cell.textContent))"""
        # The server's clock is known to half of the quickest round trip.
        trip_ms = min(page.evaluate(latencies, "pong"))
        page.locator("#log-clear").click()

        page.locator("[data-chaos=delay]").click()

        expect(page.locator("#connection-badge")).to_have_text("Network slow")
        page.wait_for_function(f"least => ({latencies})('progress').some(ms => ms >= least)", arg=300 - trip_ms / 2)
        page.locator("#cancel").click()
        and_all_was_well(page, task_id, "cancelled")


def test_a_flood_is_conflated_and_nothing_of_it_is_wrong(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        task_id = a_task_under_way(page, demo, seconds=1)
        state_in_list(page, task_id, "completed")
        before = states_seen(page)

        page.locator("[data-chaos=flood]").click()
        page.wait_for_function("before => document.getElementById('task-id').value !== before", arg=task_id)
        flood = page.locator("#task-id").input_value()

        state_in_list(page, flood, "completed")
        result = page.evaluate("id => fetch(`/api/tasks/${id}/result`).then(answer => answer.json())", flood)
        assert result["updates"] == 10_000
        assert 0 < states_seen(page) - before < 2_000
        nothing_was_wrong(page)


def states_seen(page: Page) -> int:
    return int(page.locator("#progress-readings div").nth(5).locator("dd").inner_text())


def test_the_hub_is_restarted_under_a_task_and_its_worker_is_killed(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        open_page(page, demo)
        task_id = start(page, outcome="hang", seconds=0.5, process=True)
        state_in_list(page, task_id, "running")
        session = page.locator("#connection-readings div").nth(5).inner_text()

        page.locator("[data-chaos=restart]").click()
        logged(page, "disconnect")
        expect(page.locator("#connection-badge")).to_have_text("Connected", timeout=LONG_MS)
        expect(page.locator("#connection-readings div").nth(5)).not_to_have_text(session)
        page.locator("[data-chaos=kill]").click()

        state_in_list(page, task_id, "failed")
        expect(page.locator("#progress-container")).to_contain_text("worker")
        nothing_was_wrong(page)


def test_what_can_not_be_killed_is_said(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        open_page(page, demo)
        page.locator("[data-chaos=kill]").click()
        expect(page.locator("#task-error")).to_have_text("Start or join a task first.")
        task_id = start(page, outcome="hang", seconds=0.5)
        state_in_list(page, task_id, "running")

        page.locator("[data-chaos=kill]").click()

        expect(page.locator("#task-error")).to_contain_text("no process of its own")
        page.locator("#cancel").click()
        state_in_list(page, task_id, "cancelled")


# ── planted faults: the line between server and page, tampered with ──────────────────────────────────────────────


class Fault:
    """Rewrites what the server sends; `plant` gives the payloads that the page gets in place of one."""

    def __init__(self, plant: Callable[[str, Payload, list[Payload]], list[Payload]]) -> None:
        self._plant = plant
        self._seen: list[Payload] = []

    def on(self, page: Page) -> None:
        page.route_web_socket(re.compile("socket.io"), self._between)

    def _between(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            found = FRAME.fullmatch(message) if isinstance(message, str) else None
            if found is None:
                socket.send(message)
                return
            event, payload = json.loads(found[2])
            for planted in self._plant(event, payload, self._seen):
                socket.send(found[1] + json.dumps([event, planted]))
            if event == "progress":
                self._seen.append(payload)

        server.on_message(pass_on)


def an_old_state_again(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    return [payload, payload | {"rev": seen[1]["rev"]}] if event == "progress" and len(seen) == 4 else [payload]


def progress_that_falls(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    return [payload | {"progress": 0}] if event == "progress" and len(seen) == 5 else [payload]


def life_after_the_end(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    if event == "log" or payload["state"] != "completed":
        return [payload]
    return [payload, payload | {"rev": payload["rev"] + 5, "state": "running", "status": "running"}]


def an_end_that_is_lost(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    return [] if event == "progress" and payload["state"] == "completed" else [payload]


def anothers_task(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    return [payload, payload | {"task_id": "A" * 22}] if event == "progress" and len(seen) == 3 else [payload]


def a_lost_line(event: str, payload: Payload, seen: list[Payload]) -> list[Payload]:
    if event == "progress":
        return [payload]
    return [payload | {"lines": [line for line in payload["lines"] if line["n"] != 3]}]


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        ("rev", an_old_state_again),
        ("progress", progress_that_falls),
        ("final", life_after_the_end),
        ("end", an_end_that_is_lost),
        ("joined", anothers_task),
        ("log", a_lost_line),
    ],
)
def test_a_planted_fault_turns_the_verdict_red(
    browser: Browser, demo: ServerProcess, rule: str, plant: Callable[[str, Payload, list[Payload]], list[Payload]]
) -> None:
    with visit(browser, quiet=False) as page:
        Fault(plant).on(page)
        open_page(page, demo)

        start(page, seconds=0.8, updates=40)

        broken = page.locator(f"#verdict [data-rule={rule}]")
        expect(broken).to_have_class("is-broken", timeout=LONG_MS)
        expect(broken.locator(".detail")).not_to_be_empty()
        expect(page.locator("#verdict-badge")).to_have_text(re.compile(r"^\d+ wrong$"))
        expect(page.locator("#verdict .is-broken")).to_have_count(1)
        if rule == "log":  # They differ in their words alone.
            eventually(lambda: is_fine(page), saying="it fits, and axe finds nothing")

"""Drives bars on a page: makes them, notes their events, reads what they show."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.bar.server import World
from tests.helpers import eventually

EVENTS = [
    "connect",
    "disconnect",
    "error",
    "progress",
    "complete",
    "fail",
    "cancelled",
    "cancel",
    "retry",
    "reconnect_failed",
    "reconnecting",
    "freshness",
    "log",
]

MAKE = """([name, container, options, taskId, events]) => {
    const seen = [];
    const bar = new ProgressBar(container, options);
    for (const event of events) bar.on(event, (...data) => seen.push([event, ...data]));
    Object.assign(window.bars ??= {}, { [name]: bar });
    Object.assign(window.seen ??= {}, { [name]: seen });
    if (taskId !== null) bar.start({ taskId });
}"""


class Bars:
    """The bars of one page."""

    def __init__(self, page: Page, world: World) -> None:
        self.page = page
        self.world = world
        self.violations: list[str] = []
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def open(self, path: str = "page.html") -> None:
        self.page.goto(f"{self.world.url}/bar/{path}")

    def make(
        self, task_id: str | None = None, *, name: str = "bar", container: str = "progress-container", **options: Any
    ) -> None:
        """`new ProgressBar(container, options)`, with all its events noted, and `start` where there is a task."""
        options = {"reconnectDelay": 100} | options
        self.page.evaluate(MAKE, [name, container, options, task_id, EVENTS])

    def call(self, script: str, name: str = "bar") -> Any:
        """`script` with `bar` being the bar."""
        return self.page.evaluate(f"(name) => {{ const bar = window.bars[name]; return ({script}); }}", name)

    def events(self, kind: str, name: str = "bar") -> list[list[Any]]:
        """What came with each event of this kind so far."""
        seen = self.page.evaluate("(name) => JSON.parse(JSON.stringify(window.seen[name]))", name)
        return [data for event, *data in seen if event == kind]

    def wait_for(self, kind: str, times: int = 1, name: str = "bar", timeout: float = 30) -> list[list[Any]]:
        self.page.wait_for_function(
            "([name, kind, times]) => window.seen[name].filter(([event]) => event === kind).length >= times",
            arg=[name, kind, times],
            timeout=timeout * 1000,
        )
        return self.events(kind, name)

    def wait_until(self, condition: str, name: str = "bar", timeout: float = 30) -> None:
        """Until `condition`, about `bar` and its `state`, is so."""
        self.page.wait_for_function(
            f"(name) => {{ const bar = window.bars[name], state = bar.state; return ({condition}); }}",
            arg=name,
            timeout=timeout * 1000,
        )

    def wait_joined(self, task_id: str, count: int = 1) -> None:
        eventually(lambda: self.world.joined(task_id) == count, saying=f"{count} joined {task_id}")

    def part(self, part: str, container: str = "progress-container") -> Locator:
        return self.page.locator(f"#{container} .hw-{part}")

    def button(self, wish: str, container: str = "progress-container") -> Locator:
        return self.page.locator(f"#{container} .hw-button[data-wish={wish}]")

    @property
    def track(self) -> Locator:
        return self.page.get_by_role("progressbar").first

"""Takes the pictures of the docs, docs/images/*.png, from a real demo in a real browser.

.venv/bin/python scripts/screenshots.py            all of them
.venv/bin/python scripts/screenshots.py tasks      those whose name has `tasks` in it
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOPICS = ("外婆的厨房", "雨天的咖啡馆", "第一次露营", "城市夜骑", "周末去逛旧书店")
LONG_MS = 120_000
LAPTOP = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
# As high as the test page: a window that grows for the picture would hold up the events that it shows.
TOWER = {"width": 1360, "height": 2040}


@dataclass(frozen=True)
class Shot:
    """One picture: what to do on the page before it is taken, and how the page looks."""

    name: str
    act: Callable[[Page, str], None]
    viewport: dict[str, int] = field(default_factory=lambda: LAPTOP)
    scheme: Any = "light"
    locale: str = "zh-CN"
    whole: bool = False


def main() -> int:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    IMAGES.mkdir(parents=True, exist_ok=True)
    # A busy machine takes its time.
    expect.set_options(timeout=30_000)
    with served() as url, sync_playwright() as playwright:
        flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        cookies = furnish(browser, url)
        for shot in SHOTS:
            if wanted in shot.name:
                take(browser, url, shot, cookies)
        browser.close()
    return 0


@contextmanager
def served() -> Iterator[str]:
    """A demo of its own, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, ROOT / "web_app.py"],
            cwd=folder,
            env=os.environ | {"HEADWAY_HOST": "127.0.0.1", "HEADWAY_PORT": "0", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield line.split()[-1]
        finally:
            process.terminate()
            process.wait(30)


def chromium() -> str:
    named = os.environ.get("HEADWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if named is None:
        raise SystemExit("screenshots: no Chromium found; HEADWAY_CHROMIUM names one")
    return named


def furnish(browser: Browser, url: str) -> Any:
    """A few posts, so that the pages have something to show; the cookies of who owns them."""
    with browser.new_context(locale="zh-CN", viewport=LAPTOP) as context:
        page = context.new_page()
        page.goto(url)
        styles = page.locator("[name=style]")
        for number, topic in enumerate(TOPICS):
            styles.nth(number % styles.count()).check(force=True)
            make(page, topic, 3)
            expect(page.locator("#stage")).to_have_attribute("data-state", "completed", timeout=LONG_MS)
        for body in (
            '{"seconds": 600, "updates": 900, "stages": ["read", "transform", "upload"], "outcome": "complete"}',
            '{"seconds": 4, "updates": 80, "stages": ["read", "transform"], "outcome": "fail"}',
        ):
            # The pictures of the list are for readers of English.
            page.evaluate(
                "body => fetch('/api/test_tasks', {method: 'POST', body, headers: {'Accept-Language': 'en'}})", body
            )
        return context.cookies()


def take(browser: Browser, url: str, shot: Shot, cookies: Any) -> None:
    with browser.new_context(
        locale=shot.locale,
        viewport=shot.viewport,
        color_scheme=shot.scheme,
        device_scale_factor=2 if shot.viewport is PHONE else 1.5,
        reduced_motion="reduce",
    ) as context:
        context.add_cookies(cookies)
        page = context.new_page()
        shot.act(page, url)
        # A lazy picture outside the window may never be decoded.
        page.evaluate(
            """() => Promise.all([...document.images].filter(image => image.loading !== 'lazy')
                .map(image => image.decode().catch(() => null)))"""
        )
        page.screenshot(path=IMAGES / f"{shot.name}.png", full_page=shot.whole, animations="disabled")
        print(f"docs/images/{shot.name}.png")


def make(page: Page, topic: str, cards: int) -> None:
    page.locator("#topic").fill(topic)
    page.locator("#cards").fill(str(cards))
    before = page.evaluate("location.hash")
    page.locator("#make").click()
    page.wait_for_function(
        "before => location.hash !== before && !document.getElementById('make').disabled", arg=before
    )


def making(page: Page, url: str) -> None:
    """In the middle: the words are there, the cards are being drawn."""
    page.goto(url)
    make(page, "老北京胡同", 6)
    expect(page.locator(".draft-cards .is-drawn").nth(1)).to_be_visible(timeout=LONG_MS)
    page.evaluate("() => window.scrollTo(0, 0)")


def made(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(".made[data-state=completed] .made-open").first.click()
    expect(page.locator(".post .reel img").first).to_be_visible(timeout=LONG_MS)
    page.mouse.move(0, 0)
    page.evaluate("() => window.scrollTo(0, 0)")


def made_on_a_phone(page: Page, url: str) -> None:
    made(page, url)
    page.locator("#stage").evaluate("stage => stage.scrollIntoView()")


def tasks(page: Page, url: str) -> None:
    page.goto(url + "/tasks")
    expect(page.locator("#rows tr[data-state=failed]").first).to_be_visible(timeout=LONG_MS)


def task(page: Page, url: str) -> None:
    tasks(page, url)
    page.locator("#rows tr[data-state=completed] .task-name").first.click()
    expect(page.locator("#stages li").first).to_be_visible()
    expect(page.locator("#result .reel img").first).to_be_visible()
    expect(page.locator("#progress-container [role=log]")).not_to_be_empty()
    page.wait_for_timeout(1_000)


def test_page(page: Page, url: str) -> None:
    page.goto(url + "/static/test-websocket-progress.html")
    page.locator("#seconds").fill("20")
    page.locator("#start").click()
    expect(page.locator("#verdict [data-rule=rev] .numbers")).to_contain_text("0", timeout=LONG_MS)
    page.wait_for_timeout(6_000)


SHOTS = (
    Shot("studio-making", making, viewport={"width": 1360, "height": 1240}),
    Shot("studio-light", made, whole=True),
    Shot("studio-dark", made, scheme="dark", locale="en", whole=True),
    Shot("studio-phone", made_on_a_phone, viewport=PHONE),
    Shot("tasks-light", tasks, locale="en"),
    Shot("tasks-phone-dark", tasks, viewport=PHONE, scheme="dark"),
    Shot("task", task, locale="en", whole=True),
    Shot("test-page", test_page, viewport=TOWER, locale="en"),
)

if __name__ == "__main__":
    sys.exit(main())

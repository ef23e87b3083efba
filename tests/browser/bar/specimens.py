"""Takes pictures of the bar in every state, to be looked at:   python -m tests.browser.bar.specimens FOLDER [PAGE …]"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World
from tests.browser.bar.states import PAGES, states

LOST = ["waiting", "running", "nested", "completed"]
PUT = """([name, width]) => {
    const main = document.querySelector('main');
    Object.assign(main.style, { maxWidth: 'none', gridTemplateColumns: `repeat(auto-fill, ${width}px)` });
    main.style.alignItems = 'start';
    const holder = document.createElement('div');
    holder.id = `of-${name}`;
    main.append(holder);
}"""


def main(folder: str, *names: str) -> None:
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("HEADWAY_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright, World() as world:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in names or PAGES:
            world.reset()
            take(browser, world, into / name, **PAGES[name])
        browser.close()


def take(
    browser: Browser,
    world: World,
    into: Path,
    *,
    scheme: Any,
    lang: str = "en",
    reads: str = "ltr",
    forced: Any = "none",
    width: int = 560,
) -> None:
    with browser.new_context(color_scheme=scheme, forced_colors=forced, reduced_motion="no-preference") as context:
        page = context.new_page()
        page.set_viewport_size({"width": width * (2 if width > 400 else 4) + 120, "height": 900})
        bars = Bars(page, world)
        bars.open()
        page.evaluate("([lang, dir]) => Object.assign(document.documentElement, { lang, dir })", [lang, reads])
        world.add_log("running", "Opened a.txt", "Read 3 of 7", hide=True)
        for name, state in states().items():
            world.put(name, **state)
            put(bars, page, name, name, width)
        put(bars, page, "unknown", "unknown", width)
        put(bars, page, "idle", None, width)
        put(bars, page, "local", None, width, websocketUrl=None)
        bars.call("void bar.start({ name: 'Upload' }).updateProgress(5, { message: 'holiday.mov' })", "local")
        expect(page.locator("#of-nested .hw-stage")).to_have_count(8)
        page.evaluate("document.querySelector('#of-running .hw-button[data-wish=log]').click()")
        expect(page.locator("#of-running .hw-entry")).to_have_count(2)
        shoot(page, f"{into}-live.png")

        for name in ["unknown", "idle", "local", *states()]:
            if name not in LOST:
                page.evaluate(
                    "(name) => { bars[name].destroy(); document.getElementById(`of-${name}`).remove(); }", name
                )
        world.stop()
        bars.wait_until("state.status.phase === 'waiting'", "running")
        shoot(page, f"{into}-reconnecting.png")
        page.evaluate("bars.running.socket.io.opts.timeout = 100")
        bars.wait_until("state.status.phase === 'failed'", "running", timeout=60)
        shoot(page, f"{into}-gave-up.png")
        world.start()


def put(bars: Bars, page: Page, name: str, task_id: str | None, width: int, **options: Any) -> None:
    page.evaluate(PUT, [name, width])
    bars.make(task_id, name=name, container=f"of-{name}", reconnectDelay=600, maxReconnectAttempts=2, **options)


def shoot(page: Page, path: str) -> None:
    page.wait_for_function("() => [...document.fonts].every((font) => font.status !== 'loading')")
    page.wait_for_function(
        """() => document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity)"""
    )
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

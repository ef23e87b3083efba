"""What docs/reference/PROGRESS_BAR.md shows works when it is copied into a page."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.docs.pages import Block, blocks
from tests.helpers import ROOT, eventually

PAGE = "docs/reference/PROGRESS_BAR.md"
SCRIPTS = [block for block in blocks(PAGE, "js") if not block.words]

DRIVERS = {
    "react": """
        import { createRoot } from 'react-dom/client';
        const root = createRoot(document.querySelector('#second'));
        root.render(<Percent taskId="task-123" />);
        window.end = () => root.unmount();""",
    "vue": """
        import { createApp, h } from 'vue';
        const setup = (_, { task = useTask('task-123') }) => () => h('output', `${task.value?.progress}%`);
        const app = createApp({ setup });
        app.mount('#second');
        window.end = () => app.unmount();""",
    "svelte": """
        const show = (task) => (document.querySelector('#second').textContent = `${task?.progress}%`);
        window.end = taskStore('task-123').subscribe(show);""",
}


@pytest.fixture
def ready(bars: Bars) -> Bars:
    """A page with what the examples name: two containers, a task, a token."""
    bars.page.evaluate("() => (document.querySelector('#second').id = 'upload')")
    bars.world.put("task-123", state="running", progress=42)
    return bars


@pytest.mark.parametrize("block", SCRIPTS, ids=str)
def test_a_script_runs(ready: Bars, block: Block) -> None:
    ready.world.files["/made.js"] = block.code.encode()
    ready.page.evaluate(
        """async () => {
            window.failed = null;
            addEventListener('error', (event) => (failed = event.message));
            const script = document.createElement('script');
            script.type = 'module';
            script.src = '/made.js';
            const run = new Promise((done, broken) => { script.onload = done; script.onerror = broken; });
            document.body.append(script);
            await run;
        }"""
    )

    if "task-123" in block.code and "watchTask" not in block.code:
        expect(ready.page.get_by_role("progressbar").first).to_have_attribute("aria-valuenow", "42")
    if "token" in block.code:
        eventually(lambda: ready.world.heard_of("join")[-1]["token"] == "fresh-token")
    if "upload" in block.code:
        expect(ready.part("percent", "upload")).to_have_text("100%")
    assert ready.page.evaluate("failed") is None


def test_the_element_runs(ready: Bars) -> None:
    [markup] = [block.code for block in blocks(PAGE, "html") if "headway-progress" in block.code]
    ready.page.evaluate("(markup) => document.querySelector('main').insertAdjacentHTML('beforeend', markup)", markup)

    expect(ready.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    expect(ready.page.get_by_role("button", name="取消")).to_be_visible()


def test_the_style_takes(ready: Bars) -> None:
    [style] = [block.code for block in blocks(PAGE, "css")]
    ready.make("task-123")
    ready.page.evaluate(
        """(style) => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(style);
            document.adoptedStyleSheets.push(sheet);
            document.querySelector('#progress-container').className = 'quiet';
        }""",
        style,
    )

    expect(ready.part("bar")).to_have_css("border-top-width", "0px")
    expect(ready.part("fill")).to_have_css("background-color", "rgb(102, 51, 153)")


@pytest.mark.parametrize("framework", DRIVERS)
def test_a_framework_is_told_of_each_change(bars: Bars, framework: str) -> None:
    [block] = blocks(PAGE, "jsx") if framework == "react" else [b for b in blocks(PAGE, "js") if framework in b.words]
    source = (block.code + DRIVERS[framework]).encode()
    command = ["node", ROOT / "tests" / "browser" / "bar" / "bundle.mjs"]
    bundled = subprocess.run(command, input=source, capture_output=True, check=False)
    assert bundled.returncode == 0, bundled.stderr.decode()
    bars.world.files["/made.js"] = bundled.stdout
    bars.world.put("task-123", state="running", progress=42)
    bars.page.evaluate("() => import('/made.js')")

    shown = bars.page.locator("#second")
    expect(shown).to_have_text("42%")
    bars.world.put("task-123", progress=50)
    expect(shown).to_have_text("50%")

    bars.page.evaluate("() => window.end()")
    eventually(lambda: bars.world.sockets == 0)


def test_all_options_methods_and_events_are_told_of() -> None:
    told = (ROOT / PAGE).read_text("utf-8")
    types = (ROOT / "src/headway/static/js/progress/types.d.ts").read_text("utf-8")
    wanted = []
    for name in (
        "ConnectionOptions",
        "ProgressBarOptions",
        "BarState",
        "ProgressBarEvents",
        "StartOptions",
        "TaskWatch",
    ):
        body = re.search(rf"interface {name}[^{{]*\{{(.*?)\n\}}", types, re.DOTALL)
        assert body is not None
        wanted += re.findall(r"^  (?:readonly )?(\w+)[?(]?[:(]", body[1], re.MULTILINE)
    body = re.search(r"class ProgressBar \{(.*?)\n\}", types, re.DOTALL)
    assert body is not None
    wanted += re.findall(r"^  (?:readonly )?(\w+)[(:<]", body[1], re.MULTILINE)

    assert [name for name in wanted if name != "constructor" and not re.search(rf"\b{name}\b", told)] == []


def test_the_properties_that_are_told_of_are_the_ones_that_there_are() -> None:
    css = (ROOT / "src/headway/static/css/progress.css").read_text("utf-8")
    used = set(re.findall(r"var\((--headway-[\w-]+)", css)) | set(re.findall(r"var\(\s*(--headway-[\w-]+)", css))

    assert used == set(re.findall(r"`(--headway-[\w-]+)`", (ROOT / PAGE).read_text("utf-8")))

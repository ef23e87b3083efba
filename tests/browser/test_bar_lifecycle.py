"""Nothing is left behind: destroy, the back/forward cache, reloads, hours of updates."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, CDPSession, expect

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World
from tests.helpers import eventually, find_chromium

# Counts what is alive of what a page can leave behind; to run before any other script.
COUNT = """(() => {
    const alive = (window.alive = { timers: new Set(), intervals: new Set(), sockets: new Set(), channels: 0 });
    for (const [set, clear, kept, once] of [
        ['setTimeout', 'clearTimeout', alive.timers, true],
        ['setInterval', 'clearInterval', alive.intervals, false],
    ]) {
        const [begin, end] = [window[set].bind(window), window[clear].bind(window)];
        window[set] = (callback, ...rest) => {
            const id = begin((...args) => { if (once) kept.delete(id); callback(...args); }, ...rest);
            kept.add(id);
            return id;
        };
        window[clear] = (id) => { kept.delete(id); end(id); };
    }
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
        constructor(...args) {
            super(...args);
            alive.sockets.add(this);
            this.addEventListener('close', () => alive.sockets.delete(this));
        }
    };
})()"""


def listeners(devtools: CDPSession) -> dict[str, int]:
    """How many listeners hang on what outlives a bar."""
    found = {}
    for name in ("window", "document", "document.head", "document.body", "navigator.connection ?? {}"):
        handle = devtools.send("Runtime.evaluate", {"expression": name})["result"]["objectId"]
        found[name] = len(devtools.send("DOMDebugger.getEventListeners", {"objectId": handle})["listeners"])
    return found


def alive(bars: Bars) -> Any:
    return bars.page.evaluate("() => [alive.timers.size, alive.intervals.size, alive.sockets.size]")


def test_two_hundred_bars_leave_nothing_behind(bars: Bars) -> None:
    bars.page.add_init_script(COUNT)
    bars.open()
    devtools = bars.page.context.new_cdp_session(bars.page)
    stages = [{"name": "a", "state": "running", "progress": 4}]
    bars.world.put("a", state="running", progress=5, stages=stages, worker="alive")
    bars.world.add_log("a", "line", hide=True)
    cycle = """async (n) => {
        for (let i = 0; i < n; i++) {
            const options = { reconnectDelay: 50, heartbeatInterval: 40, tabTitle: true, favicon: true };
            const bar = new ProgressBar('progress-container', options);
            // Some are destroyed at once, some live, some shared, some with an open log, some while they reconnect.
            if (i % 4) {
                const joined = new Promise((done) => bar.on('progress', done));
                bar.start({ taskId: 'a' });
                await joined;
            }
            while (i % 8 === 5 && !(await navigator.locks.query()).held.length)
                await new Promise(requestAnimationFrame);
            if (i % 4 > 1) document.querySelector('[data-wish=log]').click();
            if (i % 4 === 3) bar.socket.io.engine.close();
            bar.destroy();
            bar.destroy();
        }
    }"""
    bars.page.evaluate(cycle, 8)
    eventually(lambda: alive(bars) == [0, 0, 0], saying="all is quiet after a warm-up")
    title, before = bars.page.title(), listeners(devtools)
    devtools.send("HeapProfiler.collectGarbage")
    nodes = devtools.send("Memory.getDOMCounters")

    bars.page.evaluate(cycle, 200)

    eventually(lambda: alive(bars) == [0, 0, 0], saying="no timer, no interval, no socket")
    eventually(lambda: bars.world.sockets == 0)
    locks = "async () => Object.values(await navigator.locks.query()).flat().length"
    eventually(lambda: bars.page.evaluate(locks) == 0, saying="no lock is held or waited for")
    assert listeners(devtools) == before
    assert bars.page.locator("#progress-container > *").count() == 0
    assert bars.page.title() == title
    assert bars.page.locator("link[rel=icon]").count() == 1

    def counters_are_back() -> bool:
        devtools.send("HeapProfiler.collectGarbage")
        after = devtools.send("Memory.getDOMCounters")
        # What two hundred bars would have left is in the thousands.
        return bool(
            after["nodes"] < nodes["nodes"] + 100 and after["jsEventListeners"] < nodes["jsEventListeners"] + 20
        )

    eventually(counters_are_back)


def test_a_destroyed_bar_does_nothing_any_more(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=5)
    bars.make("a")
    bars.wait_for("progress")

    bars.call("bar.destroy()")

    for harmless in (
        "void bar.start({ taskId: 'a' })", "void bar.updateProgress(5)", "void bar.complete()", "void bar.fail()",
        "void bar.show()", "void bar.hide()", "bar.initWebSocket()", "bar.bindWebSocketEvents()",
        "bar.startHeartbeat()", "bar.stopHeartbeat()", "bar.scheduleReconnect()", "bar.disconnectWebSocket()",
        "bar.joinTaskRoom('a')",
        "bar.leaveTaskRoom('a')", "bar.destroy()", "bar.cancel()", "void bar.reset()", "bar.handleProgressUpdate({})",
    ):  # fmt: skip
        bars.call(harmless)
    assert bars.call("[bar.isConnected(), bar.getTaskId(), bar.socket, bar.state.task]") == [False, None, None, None]
    assert bars.page.locator("#progress-container > *").count() == 0
    eventually(lambda: bars.world.sockets == 0)


def test_a_bar_that_was_reset_no_longer_tells_how_the_last_task_has_ended(bars: Bars) -> None:
    bars.make()
    spoken = bars.page.locator("#progress-container [role=status]")
    bars.call("void bar.start({}).complete()")
    expect(spoken).to_have_text("Completed")

    bars.call("void bar.reset()")

    expect(spoken).to_have_text("")


def test_a_destroyed_local_bar_has_no_state_left(bars: Bars) -> None:
    bars.make()
    bars.call("void bar.start({}).updateProgress(20)")

    bars.call("bar.destroy()")

    assert bars.call("[bar.socket, bar.state.connected, bar.state.transport, bar.state.task, bar.getTaskId()]") == [
        None,
        False,
        None,
        None,
        None,
    ]


def test_destroying_from_a_listener_is_fine(bars: Bars) -> None:
    bars.world.put("a", state="completed", progress=100)
    bars.make()
    bars.call("void bar.on('progress', () => bar.destroy()).start({ taskId: 'a' })")

    eventually(lambda: bars.page.locator("#progress-container > *").count() == 0)
    eventually(lambda: bars.world.sockets == 0)
    assert bars.events("complete") == []


def test_a_page_with_a_bar_comes_back_from_the_back_forward_cache(browser: Browser, world: World) -> None:
    # Playwright switches this cache off, and does not see into pages that come out of it: so the page itself tells.
    tell = """() => {
        let persisted = false;
        addEventListener('pageshow', (event) => (persisted = event.persisted));
        bars.bar.on('progress', ({ progress }) => fetch(`/told/${persisted}/${progress}`));
    }"""
    world.put("a", state="running", progress=5)
    flags = ["--no-sandbox", "--disable-gpu"]
    chromium = browser.browser_type.launch(
        executable_path=find_chromium(), args=flags, ignore_default_args=["--disable-back-forward-cache"]
    )
    try:
        bars = Bars(chromium.new_page(), world)
        bars.open()
        bars.make("a")
        bars.page.evaluate(tell)
        bars.wait_joined("a")
        # Neither the socket nor what tabs share it by may keep the page out of the cache.
        bars.page.wait_for_function("async () => (await navigator.locks.query()).held.length === 2")

        bars.page.goto(f"{world.url}/bar/module.html")
        eventually(lambda: world.sockets == 0)
        world.put("a", progress=60)
        bars.page.evaluate("() => void history.back()")

        eventually(lambda: "/told/true/60" in [path for _, path, _ in world.requests])
        eventually(lambda: world.joined("a") == 1)
    finally:
        chromium.close()


def test_destroying_from_beforeunload_works_too(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=5)
    bars.make("a")
    bars.wait_joined("a")
    bars.page.evaluate("() => addEventListener('beforeunload', () => bars.bar.destroy())")

    bars.page.reload()

    eventually(lambda: bars.world.sockets == 0)


def test_a_reloaded_page_shows_the_present(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=55, message="half")
    bars.make("a")
    bars.wait_joined("a")

    bars.page.reload()
    bars.make("a")

    expect(bars.part("percent")).to_have_text("55%")
    expect(bars.part("message")).to_have_text("half")
    eventually(lambda: bars.world.sockets == 1)


def test_an_hour_of_updates_leaves_nothing_in_the_page(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=0)
    bars.make("a")
    bars.wait_for("progress")
    devtools = bars.page.context.new_cdp_session(bars.page)
    # One a second.
    hour = """() => {
        const task = bars.bar.state.task;
        for (let i = 1; i <= 3_600; i++) {
            const stages = [{ name: 'a', state: 'running', progress: i % 100 }, { name: 'b', state: 'pending' }];
            bars.bar.handleProgressUpdate({ ...task, rev: task.rev + i, progress: i / 40, message: `line ${i}`, stages,
                details: { completed: i, total: 3600, [`key ${i % 7}`]: i }, eta_s: 3600 - i, rate: 1 });
        }
        window.seen.bar.length = 0;
    }"""

    def nodes() -> int:
        devtools.send("HeapProfiler.collectGarbage")
        return int(devtools.send("Memory.getDOMCounters")["nodes"])

    bars.call(
        "void bar.handleProgressUpdate({ ...bar.state.task, rev: bar.state.task.rev + 1, stages: [{ name: 'a' }] })"
    )
    expect(bars.part("stages")).to_be_visible()
    before = nodes()
    bars.page.evaluate(hour)

    expect(bars.part("message")).to_have_text("line 3600")
    assert nodes() < before + 200

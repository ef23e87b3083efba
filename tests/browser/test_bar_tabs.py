"""Several tabs of one browser over one socket."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World
from tests.helpers import eventually
from tests.kept_pages import close_lent_pages


@pytest.fixture(autouse=True)
def no_other_page(browser: Browser) -> Iterator[None]:
    """Tabs are counted here: a page that is kept for the next test is one more."""
    yield
    close_lent_pages(browser)


@pytest.fixture
def tabs(browser: Browser, world: World) -> Iterator[list[Bars]]:
    """Three tabs of one browser; the first one has the socket of all."""
    with browser.new_context(reduced_motion="reduce") as context:
        tabs = [Bars(context.new_page(), world) for _ in range(3)]
        world.put("a", state="running", progress=10)
        world.put("b", state="running", progress=20)
        for i, tab in enumerate(tabs):
            tab.open()
            tab.make("b" if i == 2 else "a")
            expect(tab.part("percent")).to_have_text("20%" if i == 2 else "10%")
            if i == 0:
                holds_the_socket_of_all(tab)
        for tab in tabs[1:]:
            tab.wait_until("state.connected && !bar.socket")
        one_socket(world)
        eventually(lambda: world.joined("a") == 1 and world.joined("b") == 1)
        yield tabs


def holds_the_socket_of_all(tab: Bars) -> None:
    tab.page.wait_for_function(
        "async () => (await navigator.locks.query()).held.some(({ name }) => name.endsWith('true'))"
    )


def one_socket(world: World) -> None:
    """Each tab begins with one of its own, which it gives up."""
    eventually(lambda: world.sockets == 1, saying="one socket for all tabs")


def process_of(tab: Bars) -> int:
    """DevTools don't say which process a page is in: it is the one that works when the page is made to."""
    browser = tab.page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()

    def seconds() -> dict[int, float]:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return {process["id"]: process["cpuTime"] for process in processes if process["type"] == "renderer"}

    def busiest() -> int | None:
        before = seconds()
        tab.page.evaluate("() => { let n = 0; for (let i = 0; i < 4e8; i++) n += i % 7; return n; }")
        after = seconds()
        worked = {pid: after[pid] - before[pid] for pid in before.keys() & after.keys()}
        most, second = sorted(worked, key=worked.__getitem__, reverse=True)[:2]
        # Another page may have been at work as well.
        return most if worked[most] > 2 * worked[second] else None

    pid = eventually(busiest, saying="one process works, and no other")
    assert pid is not None
    return pid


def kill(tab: Bars) -> None:
    """The tab's process is gone at once: none of its code runs any more."""
    pid = process_of(tab)
    with tab.page.expect_event("crash"):
        os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def stopped(tab: Bars) -> Iterator[None]:
    """Nothing of it runs any more, and it was not told."""
    pid = process_of(tab)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def frozen(tab: Bars) -> Iterator[None]:
    """Told that it will be frozen, then nothing of it runs. Headless Chromium freezes no page by itself."""
    tab.page.evaluate("void document.dispatchEvent(new Event('freeze'))")
    with stopped(tab):
        yield
    tab.page.evaluate("void document.dispatchEvent(new Event('resume'))")


def test_three_tabs_have_one_socket_between_them(tabs: list[Bars]) -> None:
    world = tabs[0].world
    assert world.sockets == 1
    assert [tab.call("[bar.isConnected(), bar.state.transport]") for tab in tabs] == [[True, "websocket"]] * 3
    assert [tab.call("bar.socket !== null") for tab in tabs] == [True, False, False]

    world.put("a", progress=30)
    world.put("b", progress=40)
    for tab, percent in zip(tabs, ("30%", "30%", "40%"), strict=True):
        expect(tab.part("percent")).to_have_text(percent)
    assert {task["task_id"] for (task,) in tabs[2].events("progress")} == {"b"}

    assert tabs[1].call("bar.cancel()") is True
    expect(tabs[0].part("title")).to_have_text("Cancelled")


def test_a_killed_tab_leaves_its_tasks(tabs: list[Bars]) -> None:
    world = tabs[0].world
    assert world.joined("b") == 1
    kill(tabs[2])

    eventually(lambda: world.joined("b") == 0)
    world.put("a", progress=32)
    expect(tabs[0].part("percent")).to_have_text("32%")


def test_a_frozen_tab_does_not_stand_in_line_for_the_socket(tabs: list[Bars]) -> None:
    holder, sleeper, other = tabs
    world = other.world
    with frozen(sleeper):
        holder.page.close()
        other.wait_until("bar.socket?.connected")
        world.put("b", progress=66)
        expect(other.part("percent")).to_have_text("66%")

    world.put("a", progress=67)
    expect(sleeper.part("percent")).to_have_text("67%")
    one_socket(world)


def test_each_tab_sees_what_its_own_token_lets_it_see(browser: Browser, world: World) -> None:
    world.token = "right"
    world.put("a", state="running", progress=10)
    with browser.new_context(reduced_motion="reduce") as context:
        may, may_not = (Bars(context.new_page(), world) for _ in range(2))
        for tab, token in ((may, "right"), (may_not, "wrong")):
            tab.open()
            tab.make("a", token=token)
            expect(tab.part("percent")).to_have_text("10%" if token == "right" else "")
            if tab is may:
                holds_the_socket_of_all(tab)
        may_not.wait_until("!bar.socket")
        one_socket(world)
        world.put("a", progress=20)
        expect(may.part("percent")).to_have_text("20%")

        assert may_not.events("progress") == []
        assert may_not.events("error")[0][0]["code"] == "task_not_found"
        assert may.events("error") == []


def test_tabs_of_two_who_are_logged_in_do_not_share(browser: Browser, world: World) -> None:
    world.shareable = False
    world.put("a", state="running", progress=10)
    with browser.new_context(reduced_motion="reduce") as context:
        for who in ("anna", "anna", "ben"):
            tab = Bars(context.new_page(), world)
            tab.open()
            tab.make("a", shareTabs=who)
            expect(tab.part("percent")).to_have_text("10%")
        eventually(lambda: world.sockets == 2)


@pytest.mark.parametrize("shareable", [True, False])
def test_nothing_is_shared_where_the_server_or_the_page_does_not_let_it(
    browser: Browser, world: World, shareable: bool
) -> None:
    world.shareable = shareable
    world.put("a", state="running", progress=10)
    with browser.new_context(reduced_motion="reduce") as context:
        for count in (1, 2):
            tab = Bars(context.new_page(), world)
            tab.open()
            # The rarer parts are there, and so is whatever they might do.
            tab.make("a", shareTabs=not shareable, tabTitle=True)
            expect(tab.page).to_have_title("10% · Bar")
            assert tab.page.evaluate("async () => (await navigator.locks.query()).held") == []
            assert world.sockets == count


def test_a_join_that_is_open_when_the_socket_becomes_shared_is_answered_once(bars: Bars) -> None:
    bars.world.token = "t2"
    bars.world.refuses_late = True
    bars.world.put("a", state="running", progress=20)
    bars.page.evaluate(
        """() => {
            let n = 0;
            window.bars = { bar: new ProgressBar('progress-container', { token: () => `t${++n}` }) };
            bars.bar.start({ taskId: 'a' });
        }"""
    )
    bars.page.wait_for_function("async () => (await navigator.locks.query()).held.length === 2")

    bars.world.refuse_now()

    expect(bars.part("percent")).to_have_text("20%")
    bars.world.put("a", progress=25)
    expect(bars.part("percent")).to_have_text("25%")
    assert [join["token"] for join in bars.world.heard_of("join")] == ["t1", "t2"]


def test_a_bar_destroyed_while_the_part_that_shares_is_loading_leaves_nothing_behind(bars: Bars) -> None:
    held = []
    bars.page.route("**/progress-more.mjs", lambda route: held.append(route))
    bars.world.put("a", state="running", progress=20)
    bars.page.evaluate(
        """() => {
            window.bars = { bar: new ProgressBar('progress-container') };
            bars.bar.start({ taskId: 'a' });
        }"""
    )
    expect(bars.part("percent")).to_have_text("20%")
    eventually(lambda: bars.page.evaluate("true") and held)

    bars.page.evaluate("bars.bar.destroy()")
    held[0].continue_()

    # Whoever waits for the same module comes after what waited before.
    bars.page.evaluate("import('/static/js/progress-more.mjs').then(() => new Promise(setTimeout))")
    assert bars.page.evaluate("async () => (await navigator.locks.query()).held") == []
    eventually(lambda: bars.world.sockets == 0)


def test_the_socket_is_there_at_once_and_stays_the_same_when_it_is_shared(bars: Bars) -> None:
    bars.page.evaluate(
        """() => {
            const bar = new ProgressBar('progress-container');
            window.bars = { bar };
            window.first = bar.socket;
            bar.socket.on('pong', () => (window.ponged = true));
        }"""
    )
    bars.wait_until("state.connected")
    holds_the_socket_of_all(bars)

    assert bars.call("bar.socket === window.first && bar.socket.connected") is True
    bars.call("void bar.socket.emit('ping', {})")
    bars.page.wait_for_function("() => window.ponged")


def test_a_tab_does_not_wait_for_a_holder_that_hangs(tabs: list[Bars]) -> None:
    holder, *_ = tabs
    with stopped(holder):
        late = Bars(holder.page.context.new_page(), holder.world)
        late.open()
        late.make("b")
        expect(late.part("percent")).to_have_text("20%")
        late.world.put("b", progress=30)
        expect(late.part("percent")).to_have_text("30%")
        assert late.call("bar.socket.connected") is True

    # Once the holder answers again, its socket is the only one.
    late.wait_until("!bar.socket")
    one_socket(late.world)
    late.world.put("b", progress=40)
    expect(late.part("percent")).to_have_text("40%")


def test_a_cancel_that_the_holder_took_to_its_grave_goes_by_http(tabs: list[Bars]) -> None:
    holder, other, _ = tabs
    pid = process_of(holder)
    os.kill(pid, signal.SIGSTOP)
    other.page.evaluate("() => { window.stopped = bars.bar.cancel(); }")
    with holder.page.expect_event("crash"):
        os.kill(pid, signal.SIGKILL)

    assert other.page.evaluate("() => window.stopped") is True
    expect(other.part("title")).to_have_text("Cancelled")
    assert other.world.heard_of("cancel_task") == []


def test_all_tabs_give_up_and_all_come_back_when_one_is_told_to(tabs: list[Bars]) -> None:
    world = tabs[0].world
    world.stop()
    for tab in tabs:
        tab.wait_for("reconnect_failed", timeout=60)
        expect(tab.part("notes")).to_contain_text("Connection lost: gave up after 5 tries")
        assert len(tab.events("disconnect")) == 1
    world.put("a", progress=70, silently=True)
    world.put("b", progress=80, silently=True)
    world.start()
    tabs[2].button("reconnect").click()

    for tab, percent in zip(tabs, ("70%", "70%", "80%"), strict=True):
        expect(tab.part("percent")).to_have_text(percent)
    one_socket(world)


def test_a_task_is_left_when_the_last_tab_leaves_it(tabs: list[Bars]) -> None:
    world = tabs[0].world
    tabs[1].call("bar.destroy()")
    world.put("a", progress=31)
    expect(tabs[0].part("percent")).to_have_text("31%")
    assert world.joined("a") == 1

    tabs[0].call("void bar.reset()")
    eventually(lambda: world.joined("a") == 0)
    assert world.joined("b") == 1


@pytest.mark.parametrize("how", ["close", "navigate", "destroy", "kill"])
def test_when_the_holder_goes_another_tab_takes_over(tabs: list[Bars], how: str) -> None:
    holder, *others = tabs
    if how == "close":
        holder.page.close()
    elif how == "navigate":
        holder.page.goto("about:blank")
    elif how == "kill":
        kill(holder)
    else:
        holder.call("bar.destroy()")
    world = others[0].world
    eventually(lambda: world.joined("a") == 1 and world.joined("b") == 1)
    world.put("a", progress=50)
    world.put("b", progress=60)

    expect(others[0].part("percent")).to_have_text("50%")
    expect(others[1].part("percent")).to_have_text("60%")
    one_socket(world)
    assert all(tab.events("reconnect_failed") == [] for tab in others)


def test_a_holder_that_is_frozen_lets_another_tab_take_over(tabs: list[Bars]) -> None:
    holder, *others = tabs
    world = holder.world
    with frozen(holder):
        eventually(lambda: any(tab.call("!!bar.socket?.connected") for tab in others))
        eventually(lambda: world.joined("a") == 1 and world.joined("b") == 1)
        world.put("a", progress=50)
        world.put("b", progress=60)
        expect(others[0].part("percent")).to_have_text("50%")
        expect(others[1].part("percent")).to_have_text("60%")
        world.put("a", progress=51)
        expect(others[0].part("percent")).to_have_text("51%")

    expect(holder.part("percent")).to_have_text("51%")
    world.put("a", progress=52)
    expect(holder.part("percent")).to_have_text("52%")
    one_socket(world)


def test_a_holder_that_hangs_has_the_socket_taken_away(tabs: list[Bars]) -> None:
    holder, *others = tabs
    with stopped(holder):
        # Asked again and getting no answer, the others do not wait for it for ever.
        for event in ("pagehide", "pageshow"):
            others[0].page.evaluate(f"() => void dispatchEvent(new PageTransitionEvent('{event}'))")
        others[0].wait_until("state.connected && bar.socket?.connected", timeout=15)
        others[0].world.put("a", progress=70)
        expect(others[0].part("percent")).to_have_text("70%")

    one_socket(others[0].world)
    others[0].world.put("a", progress=71)
    expect(holder.part("percent")).to_have_text("71%")


def test_a_restarted_server_is_found_by_all_tabs(tabs: list[Bars]) -> None:
    world = tabs[0].world
    world.put("a", progress=80, silently=True)
    world.put("b", progress=90, silently=True)
    world.drop_sockets()
    for tab in tabs:
        tab.wait_for("disconnect")

    for tab, percent in zip(tabs, ("80%", "80%", "90%"), strict=True):
        expect(tab.part("percent")).to_have_text(percent)
    one_socket(world)

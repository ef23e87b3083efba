"""Several tabs of one browser over one socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.bar.driver import Bars
from tests.browser.bar.server import World
from tests.helpers import eventually


@pytest.fixture
def tabs(browser: Browser, world: World) -> Iterator[list[Bars]]:
    """Three tabs of one browser that share; the first one has the socket."""
    with browser.new_context() as context:
        tabs = [Bars(context.new_page(), world) for _ in range(3)]
        world.put("a", state="running", progress=10)
        world.put("b", state="running", progress=20)
        for i, tab in enumerate(tabs):
            tab.open()
            tab.make("b" if i == 2 else "a", shareTabs=True)
            expect(tab.part("percent")).to_have_text("20%" if i == 2 else "10%")
        yield tabs


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


def test_a_task_is_left_when_the_last_tab_leaves_it(tabs: list[Bars]) -> None:
    world = tabs[0].world
    tabs[1].call("bar.destroy()")
    world.put("a", progress=31)
    expect(tabs[0].part("percent")).to_have_text("31%")
    assert world.joined("a") == 1

    tabs[0].call("void bar.reset()")
    eventually(lambda: world.joined("a") == 0)
    assert world.joined("b") == 1


@pytest.mark.parametrize("how", ["close", "navigate", "freeze", "destroy"])
def test_when_the_holder_goes_another_tab_takes_over(tabs: list[Bars], how: str) -> None:
    holder, *others = tabs
    if how == "close":
        holder.page.close()
    elif how == "navigate":
        holder.page.goto("about:blank")
    elif how == "freeze":
        holder.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    else:
        holder.call("bar.destroy()")
    world = others[0].world
    eventually(lambda: world.joined("a") == 1 and world.joined("b") == 1)
    world.put("a", progress=50)
    world.put("b", progress=60)

    expect(others[0].part("percent")).to_have_text("50%")
    expect(others[1].part("percent")).to_have_text("60%")
    assert world.sockets == 1
    assert all(tab.events("reconnect_failed") == [] for tab in others)
    if how == "freeze":
        expect(holder.part("percent")).to_have_text("50%")


def test_a_holder_that_hangs_has_the_socket_taken_away(tabs: list[Bars]) -> None:
    holder, *others = tabs
    # Asked again and getting no answer, the others do not wait for it for ever.
    holder.page.evaluate(
        "() => void setTimeout(() => { for (const end = performance.now() + 9000; performance.now() < end; ); })"
    )
    others[0].call("bar.disconnectWebSocket()")
    others[0].call("bar.initWebSocket()")

    others[0].wait_until("state.connected && bar.socket?.connected", timeout=15)
    others[0].world.put("a", progress=70)
    expect(others[0].part("percent")).to_have_text("70%")


def test_a_restarted_server_is_found_by_all_tabs(tabs: list[Bars]) -> None:
    world = tabs[0].world
    world.put("a", progress=80, silently=True)
    world.put("b", progress=90, silently=True)
    world.drop_sockets()
    for tab in tabs:
        tab.wait_for("disconnect")

    for tab, percent in zip(tabs, ("80%", "80%", "90%"), strict=True):
        expect(tab.part("percent")).to_have_text(percent)
    assert world.sockets == 1

"""A tab that is really frozen, and a browser that is really stopped: for six minutes by their clocks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.bar.driver import EVENTS, MAKE
from tests.browser.bar.server import World
from tests.browser.own_chromium import OwnChromium, Tab
from tests.helpers import eventually

pytestmark = pytest.mark.whole_chromium

CLOCK = """
window.cycle = [];
for (const event of ['freeze', 'resume']) document.addEventListener(event, () => window.cycle.push(event));
const time = Date.now.bind(Date);
window.jumpAt = Infinity;
for (const clock of [Date, performance]) {
  const now = clock.now.bind(clock);
  clock.now = () => now() + (time() < window.jumpAt ? 0 : 360_000);
}
"""
SOON_S = 1.5
"""When the page's clocks are six minutes on, from when they are told to: whatever wakes then finds them so."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[OwnChromium]:
    with OwnChromium() as chromium:
        yield chromium


class Watched:
    """A tab with a bar, which has just asked whether the server is there, and has not been answered."""

    def __init__(self, tab: Tab, world: World) -> None:
        self.tab = tab
        self._world = world
        world.put("a", state="running", progress=20)
        world.answers_pings = False
        tab.ask("Page.addScriptToEvaluateOnNewDocument", source=CLOCK)
        tab.open(f"{world.url}/bar/page.html")
        options = {"reconnectDelay": 60_000, "heartbeatInterval": 500}
        tab.evaluate(f"({MAKE})({json.dumps(['bar', 'progress-container', options, 'a', EVENTS])})")
        eventually(lambda: world.joined("a") == 1 and world.heard_of("ping"))
        world.answers_pings = True

    def falls_asleep(self) -> Callable[[], bool]:
        """Its clocks jump soon. Whether they have, without asking it."""
        jump_at = time.time() + SOON_S
        self.tab.evaluate(f"void (window.jumpAt = {jump_at * 1000})")
        return lambda: time.time() > jump_at

    def percent(self) -> str:
        return str(self.tab.evaluate("document.querySelector('#progress-container .hw-percent').textContent"))

    def events(self, kind: str) -> list[Any]:
        return [data for event, *data in self.tab.evaluate("window.seen.bar") if event == kind]

    def shows(self, percent: str) -> None:
        """And nothing false before."""
        eventually(lambda: self.percent() == percent)
        assert ["heartbeat"] not in self.events("disconnect")
        assert self.events("reconnect_failed") == []
        eventually(lambda: self.tab.evaluate("window.bars.bar.isConnected()"))


@pytest.fixture
def watched(chromium: OwnChromium, world: World) -> Iterator[Watched]:
    tab = chromium.new_tab()
    yield Watched(tab, world)
    tab.close()


@pytest.mark.parametrize("is_kept", [True, False], ids=["its connection is there still", "its connection is gone"])
def test_a_hidden_tab_that_was_frozen_for_six_minutes_shows_the_present_and_calls_nothing_lost(
    chromium: OwnChromium, world: World, watched: Watched, is_kept: bool
) -> None:
    other = chromium.new_tab()
    eventually(lambda: watched.tab.evaluate("document.visibilityState") == "hidden")
    have_passed = watched.falls_asleep()
    watched.tab.freeze()
    eventually(lambda: watched.tab.evaluate("window.cycle.length") == 1)
    joins = len(world.heard_of("join"))
    if not is_kept:
        world.drop_sockets()
    world.put("a", progress=90, silently=not is_kept)
    eventually(have_passed)

    watched.tab.thaw()
    watched.tab.bring_to_front()

    watched.shows("90%")
    other.close()
    assert watched.tab.evaluate("window.cycle") == ["freeze", "resume"]
    # One round trip has to do; but a tab that asked, or connected anew, before it is seen asks once more when it is.
    assert len(world.heard_of("join")) <= joins + 2


@pytest.mark.parametrize("is_kept", [True, False], ids=["its connection is there still", "its connection is gone"])
def test_a_laptop_that_slept_for_six_minutes_shows_the_present_and_calls_nothing_lost(
    chromium: OwnChromium, world: World, watched: Watched, is_kept: bool
) -> None:
    joins = len(world.heard_of("join"))
    have_passed = watched.falls_asleep()
    chromium.sleep()
    if not is_kept:
        world.drop_sockets()
    world.put("a", progress=90, silently=not is_kept)
    eventually(have_passed)

    chromium.wake()

    watched.shows("90%")
    assert len(world.heard_of("join")) <= joins + 1

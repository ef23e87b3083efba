"""Steps that are parts of steps: folded under them, by click and by key, whatever comes in meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.bar.driver import Bars
from tests.browser.bar.states import states


@pytest.fixture
def nested(bars: Bars) -> Bars:
    bars.world.put("a", **states()["nested"])
    bars.make("a")
    expect(step(bars, "Upload: 10%")).to_be_visible()
    return bars


def step(bars: Bars, name: str) -> Locator:
    return bars.page.get_by_role("listitem", name=name, exact=True)


def unfold(bars: Bars, name: str) -> Locator:
    return bars.page.get_by_role("button", name=name, exact=True)


def moved(bars: Bars, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage | changes.get(stage["name"], {}) for stage in states()["nested"]["stages"]]


def test_parts_stand_below_their_step_and_are_unfolded_while_it_goes_on(nested: Bars) -> None:
    pictures = step(nested, "Pictures: 58%")
    expect(pictures.get_by_role("listitem")).to_have_count(5)
    expect(step(nested, "Card 2: 25%").get_by_role("listitem")).to_have_count(2)
    expect(unfold(nested, "Pictures")).to_have_attribute("aria-expanded", "true")
    expect(unfold(nested, "Layout")).to_have_attribute("aria-expanded", "false")
    expect(step(nested, "Crop: waiting")).to_be_hidden()
    expect(nested.page.locator("[aria-current=step]")).to_have_attribute("aria-label", "Upload: 10%")

    outer, inner = pictures.bounding_box(), step(nested, "Card 1: Completed").bounding_box()
    assert outer is not None
    assert inner is not None
    assert inner["x"] > outer["x"]


def test_a_step_that_is_over_folds_its_parts_away(nested: Bars) -> None:
    over = {"state": "completed", "progress": 100}
    stages = moved(nested, pictures=over, card_2=over, upload=over, layout={"state": "running"})
    nested.world.put("a", status="layout", stages=stages)

    expect(unfold(nested, "Pictures")).to_have_attribute("aria-expanded", "false")
    expect(step(nested, "Card 1: Completed")).to_be_hidden()
    expect(step(nested, "Crop: waiting")).to_be_visible()
    unfold(nested, "Pictures").click()
    expect(step(nested, "Card 3: skipped")).to_be_visible()


def test_what_a_person_has_folded_stays_so_and_keeps_the_focus(nested: Bars) -> None:
    unfold(nested, "Pictures").focus()
    nested.page.keyboard.press("Enter")
    expect(step(nested, "Card 2: 25%")).to_be_hidden()

    nested.world.put("a", stages=moved(nested, card_2={"progress": 50}, pictures={"progress": 75}))
    expect(step(nested, "Pictures: 75%")).to_be_visible()
    expect(step(nested, "Card 2: 50%")).to_be_hidden()
    expect(unfold(nested, "Pictures")).to_be_focused()

    nested.page.keyboard.press("Space")
    expect(step(nested, "Card 2: 50%")).to_be_visible()
    # One more than before: what is focused is not put elsewhere.
    more = {"name": "check", "label": None, "weight": 0, "state": "running", "progress": 5, "parent": "pictures"}
    nested.world.put("a", stages=[*moved(nested), more])
    expect(step(nested, "Check: 5%")).to_be_visible()
    expect(unfold(nested, "Pictures")).to_be_focused()


def test_another_task_is_folded_as_if_nobody_had_touched_it(nested: Bars) -> None:
    unfold(nested, "Pictures").click()
    nested.world.put("b", **states()["nested"])
    nested.call("void bar.start({ taskId: 'b' })")

    expect(unfold(nested, "Pictures")).to_have_attribute("aria-expanded", "true")


def test_in_a_narrow_bar_the_way_to_the_step_is_said_in_one_line(nested: Bars) -> None:
    nested.page.set_viewport_size({"width": 360, "height": 700})

    expect(nested.part("step")).to_be_visible()
    expect(nested.part("step")).to_have_text("Step 2 of 3: Pictures › Card 2 › Upload")
    expect(nested.page.locator(".hw-stage:visible")).to_have_count(0)
    assert nested.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_from_the_right_the_parts_are_indented_there(nested: Bars) -> None:
    nested.page.evaluate("document.documentElement.dir = 'rtl'")
    outer, inner = step(nested, "Pictures: 58%").bounding_box(), step(nested, "Card 1: Completed").bounding_box()
    assert outer is not None
    assert inner is not None
    assert inner["x"] + inner["width"] < outer["x"] + outer["width"]


def test_a_step_gets_its_first_part_while_it_is_shown(bars: Bars) -> None:
    flat = {"name": "read", "label": "Read", "weight": 1, "state": "running", "progress": 10}
    bars.world.put("a", state="running", progress=10, stages=[flat])
    bars.make("a")
    expect(step(bars, "Read: 10%")).to_be_visible()
    expect(bars.page.get_by_role("button", name="Read", exact=True)).to_have_count(0)

    part = {"name": "open", "label": None, "weight": 0, "state": "running", "progress": 0, "parent": "read"}
    bars.world.put("a", stages=[flat, part])
    expect(step(bars, "Open: 0%")).to_be_visible()
    expect(unfold(bars, "Read")).to_have_attribute("aria-expanded", "true")

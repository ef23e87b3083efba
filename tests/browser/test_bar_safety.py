"""Text is text, the page's policy holds, everyone can use it, and no page's styles break it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.browser.bar.states import states
from tests.browser.demo import OF_COLOR, SETTLED, axe_violations

XSS = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    '"><iframe srcdoc="<script>parent.pwned=1</script>">',
    "javascript:window.pwned=1",
    "' onmouseover='window.pwned=1",
    "{{constructor.constructor('window.pwned=1')()}}",
    "</title></textarea><script>window.pwned=1</script>",
    "\u202egnp.exe <b>\x00&lt;script&gt;",
    "<style>*{display:none}</style>",
    "<a href='javascript:window.pwned=1'>x</a>",
    "<math><mi//xlink:href='data:x,<script>window.pwned=1</script>'>",
]


@pytest.mark.parametrize("part", range(0, len(XSS), 4))
def test_text_goes_in_as_text_in_every_field(bars: Bars, part: int) -> None:
    # Four bars with open logs: a page that is just being scrolled moves from under the mouse.
    bars.page.set_viewport_size({"width": 1280, "height": 2_400})
    for i, evil in enumerate(XSS[part : part + 4]):
        stages = [{"name": evil, "label": evil, "state": evil, "progress": evil, "weight": evil}]
        details = {evil: evil, "current": evil, "completed": 1, "total": 2, "unit": evil}
        bars.world.add_log(f"x{i}", evil, level=evil, hide=True)
        bars.world.put(
            f"x{i}", name=evil, message=f"?{evil}", details=details, stages=stages, state="failed", status=evil, rate=1,
            worker=evil, error={"code": evil, "message": f"{evil}!"}, cancel_reason=evil, result=evil,
        )  # fmt: skip
        bars.make(f"x{i}", name=f"bar{i}", label=evil)
        bars.wait_for("fail", name=f"bar{i}")

        shown = bars.page.locator("#progress-container > .hw-bar").nth(i)
        expect(shown.locator(".hw-stage")).to_have_count(1)
        shown.locator(".hw-button[data-wish=log]").click()
        expect(shown.locator(".hw-words")).to_have_count(1)
        texts = shown.locator(".hw-title, .hw-message, .hw-current, .hw-label, .hw-key, .hw-value, .hw-words")
        assert [text.strip("?") for text in texts.evaluate_all("all => all.map((one) => one.textContent)")] == [
            evil
        ] * 7
        foreign = "script, img, iframe, style, a, math, [onload], [onerror], [onmouseover]"
        assert shown.locator(foreign).count() == 0
    assert bars.page.evaluate("window.pwned") is None


def test_errors_of_the_server_are_text_too(bars: Bars) -> None:
    bars.world.errors["join"] = {"code": XSS[0], "message": XSS[1]}
    bars.make("a")

    expect(bars.part("notes")).to_have_text(XSS[1])
    assert bars.page.evaluate("window.pwned") is None


def test_nonsense_from_the_server_does_no_harm(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=10)
    bars.make("a")
    bars.wait_joined("a")
    for change in (
        {"progress": "many"}, {"details": None}, {"details": [1]}, {"stages": {}}, {"stages": [None, 7]}, {"name": 5},
        {"eta_s": "soon"}, {"rate": {}}, {"message": None}, {"error": "no"}, {"status": None}, {"updated_at": "x"},
        {"state": "floating"}, {"worker": 3}, {"server_time": None}, {"unknown": True},
    ):  # fmt: skip
        bars.world.put("a", **change)
    bars.world.emit("progress", None)  # type: ignore[arg-type]
    bars.world.emit("log", {"task_id": "a"})
    bars.world.emit("error", {})
    good = {"state": "running", "progress": 77, "message": "fine", "details": {}, "stages": None, "name": "n"}
    bars.world.put("a", updated_at=time.time(), status="running", error=None, eta_s=None, rate=None, **good)

    expect(bars.part("percent")).to_have_text("77%")
    expect(bars.part("message")).to_have_text("fine")


@pytest.mark.parametrize(("scheme", "only"), [("light", ()), ("dark", OF_COLOR)])
def test_axe_finds_nothing_in_any_state(bars: Bars, scheme: Any, only: tuple[str, ...]) -> None:
    bars.page.emulate_media(color_scheme=scheme)
    bars.world.add_log("running", "one", "two", hide=True)
    for name, state in states().items():
        bars.world.put(name, **state)
        bars.make(name, name=name)
    bars.make("nobody", name="unknown")
    bars.make(name="local", websocketUrl=None)
    bars.call("void bar.start().updateProgress(5)", "local")
    bars.make(name="idle")
    bars.page.locator(".hw-button[data-wish=log]").nth(1).click()
    expect(bars.part("entry")).to_have_count(2)
    expect(bars.page.locator("#progress-container .hw-stages:visible")).to_have_count(3)
    assert axe_violations(bars.page, within="main", only=only) == []

    bars.world.stop()
    bars.wait_for("disconnect", name="running")
    assert axe_violations(bars.page, within="main", only=only) == []
    bars.wait_for("reconnect_failed", name="running")
    assert axe_violations(bars.page, within="main", only=only) == []


def test_milestones_are_read_out_and_nothing_in_between(bars: Bars) -> None:
    bars.world.put("a", name="Import", state="running", progress=1)
    bars.make("a")
    said = bars.page.get_by_role("status")
    expect(said).to_have_text("Import, Running, 1%")

    bars.world.put("a", progress=24)
    expect(bars.part("percent")).to_have_text("24%")
    expect(said).to_have_text("Import, Running, 1%")
    bars.world.put("a", progress=51)
    expect(said).to_have_text("Import, Running, 51%")
    bars.world.put("a", state="completed", progress=100)
    expect(said).to_have_text("Import, Completed")


def test_it_works_by_keyboard_alone(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=1)
    bars.world.add_log("a", "line", hide=True)
    bars.make("a")
    bars.wait_joined("a")

    bars.page.keyboard.press("Tab")
    expect(bars.button("log")).to_be_focused()
    bars.page.keyboard.press("Space")
    expect(bars.button("log")).to_have_attribute("aria-expanded", "true")
    expect(bars.part("words")).to_have_text(["line"])
    bars.page.keyboard.press("Tab")
    expect(bars.button("cancel")).to_be_focused()
    outline = bars.button("cancel").evaluate("(button) => getComputedStyle(button).outlineStyle")
    assert outline == "solid"
    bars.page.keyboard.press("Tab")
    expect(bars.page.get_by_role("searchbox")).to_be_focused()
    bars.page.keyboard.press("Shift+Tab")
    bars.page.keyboard.press("Enter")
    expect(bars.button("retry")).to_be_focused()


def test_nothing_moves_for_who_asked_for_that(bars: Bars) -> None:
    bars.page.emulate_media(reduced_motion="reduce")
    bars.world.put("a", state="running", progress=None)
    bars.make("a")
    bars.wait_until("state.task !== null")

    moving = "(bar) => bar.getAnimations({ subtree: true }).length"
    assert bars.part("bar").evaluate(moving) == 0
    bars.page.emulate_media(reduced_motion="no-preference")
    assert bars.part("bar").evaluate(moving) > 0


def test_states_differ_without_their_colours(bars: Bars) -> None:
    shapes = {}
    for name, state in states().items():
        if name in {"stages", "nested", "indeterminate", "quiet"}:
            continue
        bars.world.put(name, **state)
        bars.make(name, name=name)
        bars.wait_until("state.task !== null", name)
    marks = bars.page.locator(".hw-head path").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
    shapes = dict(zip(states(), marks, strict=False))
    assert len(set(marks)) == len(marks), shapes


def test_the_fill_is_seen_in_colours_that_the_reader_forces(bars: Bars) -> None:
    bars.page.emulate_media(forced_colors="active")
    for name in ("running", "completed", "quiet", "indeterminate", "stages"):
        bars.world.put(name, **states()[name])
        bars.make(name, name=name)
        bars.wait_until("state.task !== null", name)
    expect(bars.part("stage")).to_have_count(3)

    for fill in bars.part("fill").all():
        paint = fill.evaluate("(node) => getComputedStyle(node).background")
        track = fill.evaluate("(node) => getComputedStyle(node.parentNode).backgroundColor")
        assert not paint.startswith((track, "rgba(0, 0, 0, 0) none")), paint
        assert fill.evaluate("(node) => getComputedStyle(node.parentNode).borderTopWidth") == "1px"
    stripe = bars.part("stripe").nth(1)
    assert stripe.evaluate("(node) => getComputedStyle(node, '::after').backgroundColor") != stripe.evaluate(
        "(node) => getComputedStyle(node).backgroundColor"
    )


def test_the_theme_can_be_chosen_over_the_system(bars: Bars) -> None:
    bars.page.emulate_media(color_scheme="light")
    bars.make()
    surface = "(bar) => getComputedStyle(bar).backgroundColor"
    assert bars.part("bar").evaluate(surface) == "rgb(255, 255, 255)"

    bars.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert bars.part("bar").evaluate(surface) == "rgb(24, 27, 34)"

    bars.page.emulate_media(color_scheme="dark")
    bars.page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert bars.part("bar").evaluate(surface) == "rgb(255, 255, 255)"


def test_custom_properties_style_it(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=50)
    bars.make("a")
    bars.page.evaluate(
        """() => {
            const { style } = document.body;
            style.setProperty('--headway-accent', 'rgb(1, 2, 3)');
            style.setProperty('--headway-thickness', '20px');
        }"""
    )

    fill = bars.part("fill")
    expect(bars.part("percent")).to_have_text("50%")
    expect(fill).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(fill).to_have_css("height", "20px")


def test_it_fills_from_the_right_where_one_reads_so(bars: Bars) -> None:
    bars.page.evaluate("document.documentElement.dir = 'rtl'")
    bars.world.put("a", name="Import", state="running", progress=50)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("50%")
    bars.page.wait_for_function(SETTLED)

    track, fill = bars.part("track").bounding_box(), bars.part("fill").bounding_box()
    assert track is not None
    assert fill is not None
    assert round(fill["x"]) == round(track["x"] + track["width"] / 2)
    percent, title = bars.part("percent").bounding_box(), bars.part("title").bounding_box()
    assert percent is not None
    assert title is not None
    assert percent["x"] < title["x"]


def test_a_page_that_resets_everything_does_not_break_it(bars: Bars) -> None:
    bars.open("foreign.html")
    bars.world.put("a", name="Import", state="running", progress=50, message="Reading")
    bars.make("a")
    expect(bars.part("percent")).to_have_text("50%")
    expect(bars.part("bar")).to_be_visible()

    expect(bars.part("title")).to_have_css("text-transform", "none")
    expect(bars.part("title")).to_have_css("font-size", "16px")
    expect(bars.part("message")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(bars.part("track")).to_have_css("height", "8px")
    expect(bars.button("cancel")).to_have_css("position", "static")
    expect(bars.button("retry")).to_be_hidden()
    icon = bars.page.locator(".hw-head .hw-icon").bounding_box()
    assert icon is not None
    assert icon["width"] == 36
    assert bars.page.locator(".hw-head path").evaluate("(path) => path.getTotalLength()") > 10


@pytest.mark.parametrize("width", [320, 360, 768, 1920])
def test_nothing_sticks_out_at_any_width(bars: Bars, width: int) -> None:
    bars.page.set_viewport_size({"width": width, "height": 700})
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
    stages = [{"name": f"s{i}", "label": long, "state": "running", "progress": 3} for i in range(4)]
    details = {"current": long, long: long, "completed": 1e9, "total": 1e12, "unit": long[:30]}
    bars.world.put("a", name=long, state="running", progress=50, message=long, stages=stages, details=details)
    bars.make("a")
    expect(bars.part("stage")).to_have_count(4)

    assert bars.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_the_layout_does_not_jump_from_state_to_state(bars: Bars) -> None:
    bars.world.put("a", name="Import")
    bars.make("a")
    bars.wait_joined("a")
    heights = []
    for change in (
        {"state": "running", "message": "Reading"},
        {"progress": 50, "details": {"completed": 1, "total": 2}, "eta_s": 60},
        {"state": "cancelling", "cancel_requested_at": time.time() - 60},
        {"state": "completed", "progress": 100, "attempt": 2},
    ):
        bars.world.put("a", **change)
        bars.wait_for("progress", len(heights) + 2)
        box = bars.part("bar").bounding_box()
        assert box is not None
        heights.append(round(box["height"]))

    assert len(set(heights)) == 1

"""The log: follows, waits while one reads, is searched, copied, and says what is gone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually


def open_log(bars: Bars, lines: int = 3) -> None:
    bars.world.put("a", state="running", progress=5)
    if lines:
        bars.world.add_log("a", *[f"line {n}" for n in range(1, lines + 1)], hide=True)
    bars.make("a")
    bars.wait_joined("a")
    bars.button("log").click()


def test_it_is_asked_for_when_it_is_opened(bars: Bars) -> None:
    open_log(bars)

    expect(bars.part("words")).to_have_text(["line 1", "line 2", "line 3"])
    assert [join.get("log_from") for join in bars.world.heard_of("join")] == [None, 1]
    bars.world.add_log("a", "line 4", level="error")
    expect(bars.part("entry").last).to_contain_text("error")
    assert bars.events("log")[-1][0]["lines"][0]["text"] == "line 4"


def test_an_empty_log_says_so(bars: Bars) -> None:
    open_log(bars, 0)

    expect(bars.page.get_by_text("No log lines yet")).to_be_visible()


def test_after_a_dropped_connection_it_goes_on_without_a_gap_and_without_repeating(bars: Bars) -> None:
    open_log(bars)
    expect(bars.part("words")).to_have_count(3)

    bars.world.add_log("a", "line 4", hide=True)
    bars.world.drop_sockets()
    bars.wait_for("connect", 2)

    expect(bars.part("words")).to_have_text(["line 1", "line 2", "line 3", "line 4"])
    assert bars.world.heard_of("join")[-1]["log_from"] == 4


def test_a_gap_is_filled(bars: Bars) -> None:
    open_log(bars)
    expect(bars.part("words")).to_have_count(3)

    bars.world.add_log("a", "line 4", hide=True)
    bars.world.add_log("a", "line 5")

    expect(bars.part("words")).to_have_text([f"line {n}" for n in range(1, 6)])


def test_it_says_which_lines_are_gone(bars: Bars) -> None:
    bars.world.add_log("a", *[f"line {n}" for n in range(1, 5)], hide=True)
    for line in bars.world.logs["a"][:2]:
        line["gone"] = True
    bars.world.put("a", state="running")
    bars.make("a")
    bars.button("log").click()

    expect(bars.part("words")).to_have_text(["line 3", "line 4"])
    expect(bars.page.get_by_text("Lines before 3 are no longer kept")).to_be_visible()


def test_another_epoch_begins_another_log(bars: Bars) -> None:
    open_log(bars)
    expect(bars.part("words")).to_have_count(3)

    bars.world.epoch = "epochB2c3"
    bars.world.logs["a"] = []
    bars.world.put("a", progress=1)
    bars.world.add_log("a", "anew")

    expect(bars.part("words")).to_have_text(["anew"])


def test_it_follows_the_newest_line_until_one_scrolls_up(bars: Bars) -> None:
    open_log(bars, 100)
    expect(bars.part("words")).to_have_count(100)
    lines, follow = bars.part("lines"), bars.page.get_by_role("button", name="Newest")
    at_end = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 24"
    bars.page.wait_for_function(f"() => ({at_end})(document.querySelector('.hw-lines'))")

    lines.evaluate("(box) => (box.scrollTop = 100)")
    expect(follow).to_have_attribute("aria-pressed", "false")
    bars.world.add_log("a", "line 101")
    expect(bars.part("words")).to_have_count(101)
    assert lines.evaluate("(box) => box.scrollTop") == 100

    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    eventually(lambda: lines.evaluate(at_end))
    bars.world.add_log("a", *["more"] * 20)
    expect(bars.part("words")).to_have_count(121)
    eventually(lambda: lines.evaluate(at_end))


def test_it_follows_to_the_very_end_though_lines_are_longer_than_was_reckoned(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=1)
    bars.world.add_log("a", *("word " * (60 * (n % 3)) + f"line {n}" for n in range(200)), hide=True)
    bars.make("a")
    bars.wait_joined("a")
    bars.button("log").click()
    expect(bars.part("entry")).to_have_count(200)

    left = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"
    eventually(lambda: bars.part("lines").evaluate(left) < 2)
    bars.world.add_log("a", "word " * 200 + "the end")
    expect(bars.part("entry")).to_have_count(201)
    eventually(lambda: bars.part("lines").evaluate(left) < 2)
    expect(bars.page.get_by_role("button", name="Newest")).to_have_attribute("aria-pressed", "true")


def test_it_can_be_searched(bars: Bars) -> None:
    open_log(bars, 12)
    expect(bars.part("words")).to_have_count(12)
    visible = bars.page.locator(".hw-words:visible")

    bars.page.get_by_role("searchbox", name="Search the log").fill("LINE 1")
    expect(visible).to_have_text(["line 1", "line 10", "line 11", "line 12"])
    bars.world.add_log("a", "other", "line 14")
    expect(visible).to_have_count(5)
    bars.page.get_by_role("searchbox").fill("nowhere")
    expect(bars.page.get_by_text("Nothing found")).to_be_visible()
    bars.page.get_by_role("searchbox").fill("")
    expect(visible).to_have_count(14)


def test_it_can_be_copied(bars: Bars) -> None:
    bars.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_log(bars)
    expect(bars.part("words")).to_have_count(3)
    bars.page.get_by_role("searchbox").fill("2")

    bars.page.get_by_role("button", name="Copy").click()

    expect(bars.page.get_by_role("button", name="Copied")).to_be_visible()
    assert bars.page.evaluate("() => navigator.clipboard.readText()").endswith("info line 2")


def test_closing_and_opening_it_again_loses_nothing(bars: Bars) -> None:
    open_log(bars)
    expect(bars.part("words")).to_have_count(3)

    bars.button("log").click()
    expect(bars.part("log")).to_be_hidden()
    bars.world.add_log("a", "line 4")
    bars.button("log").click()

    expect(bars.part("words")).to_have_text(["line 1", "line 2", "line 3", "line 4"])

"""The studio, as a person uses it: real Chromium, the real server, real pictures."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.demo import AT_ONCE, OF_COLOR, demo_server, is_fine, post_json, sideways_overflow, visit
from tests.helpers import ServerProcess, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

AS_MOST_SEE_IT = {"locale": "zh-CN", "reduced_motion": "no-preference"}
LONG_MS = 60_000

# Keeps what the bar shows, over every change: the sequence is what a person could have seen.
WATCH_THE_BAR = """
() => {
  window.seen = [];
  const look = () => {
    const bar = document.querySelector('#progress-container [role="progressbar"]');
    const stage = document.getElementById('stage');
    const value = bar?.getAttribute('aria-valuenow');
    if (value == null) return;
    const now = [stage.dataset.state ?? '', Number(value)];
    const last = window.seen.at(-1);
    if (!last || last[0] !== now[0] || last[1] !== now[1]) window.seen.push(now);
  };
  const all = {subtree: true, childList: true, attributes: true};
  new MutationObserver(look).observe(document.getElementById('stage'), all);
  look();
}
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("studio"), **AT_ONCE) as server:
        yield server


@pytest.fixture(scope="module")
def unhurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Where there is time to do something while a post is being made."""
    with demo_server(tmp_path_factory.mktemp("unhurried"), HEADWAY_DEMO_PAUSE_MS="20") as server:
        yield server


def make(page: Page, topic: str, cards: int = 2) -> str:
    """Asks for a post; the task's id."""
    page.locator("#topic").fill(topic)
    page.locator("#cards").fill(str(cards))
    before = page.evaluate("location.hash")
    page.locator("#make").click()
    page.wait_for_function(
        "before => location.hash !== before && !document.getElementById('make').disabled", arg=before, timeout=LONG_MS
    )
    task_id: str = page.evaluate("location.hash.slice(2)")
    return task_id


def stage_state(page: Page, state: str) -> None:
    expect(page.locator("#stage")).to_have_attribute("data-state", state, timeout=LONG_MS)


def test_a_topic_becomes_a_post_before_ones_eyes(browser: Browser, unhurried: ServerProcess) -> None:
    with visit(browser, **AS_MOST_SEE_IT) as page:
        page.goto(unhurried.url)
        expect(page.locator("#topic")).to_have_attribute("placeholder", "老北京胡同")
        expect(page.locator("#history-empty")).to_be_visible()
        page.evaluate(WATCH_THE_BAR)

        make(page, "老北京胡同", cards=3)
        expect(page.locator(".draft .post-text")).not_to_be_empty(timeout=LONG_MS)
        stage_state(page, "completed")

        expect(page.locator(".post .post-title")).not_to_be_empty()
        expect(page.locator(".post .post-text p").first).not_to_be_empty()
        # The lines of the list are lines of one paragraph.
        expect(page.locator(".post .post-text p").filter(has_text=re.compile("\n.+\n"))).to_have_count(1)
        expect(page.locator(".post .tags li").first).to_have_text(re.compile("^#."))
        expect(page.locator(".provenance")).to_contain_text("离线")
        pictures = page.locator(".reel img")
        expect(pictures).to_have_count(3)
        page.wait_for_function(
            "() => [...document.querySelectorAll('.reel img')].slice(0, 2).every(i => i.naturalWidth === 1242)"
        )
        thumb = page.locator(".made .cover img")
        expect(thumb).to_have_count(1)
        page.wait_for_function("() => document.querySelector('.made .cover img').naturalWidth > 0")
        values = [value for _, value in page.evaluate("window.seen")]
        assert values == sorted(values)
        assert len(values) > 3


def test_a_cancelled_post_stops_and_can_be_retried(browser: Browser, unhurried: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(unhurried.url)
        make(page, "取消这一篇", cards=24)
        stage_state(page, "running")

        page.locator("#progress-container").get_by_role("button", name="Cancel").click()
        stage_state(page, "cancelled")

        expect(page.locator("#stage")).to_contain_text("Stopped, as you asked")
        expect(page.locator(".made .badge")).to_have_text("Cancelled")
        page.locator("#cards").fill("1")
        page.locator("#progress-container").get_by_role("button", name="Retry").click()
        stage_state(page, "running")
        expect(page.locator(".made .badge")).to_have_text("Running")
        page.locator("#progress-container").get_by_role("button", name="Cancel").click()
        stage_state(page, "cancelled")


def test_a_reload_in_the_middle_shows_the_same_task_no_earlier_than_before(
    browser: Browser, unhurried: ServerProcess
) -> None:
    with visit(browser) as page:
        page.goto(unhurried.url)
        task_id = make(page, "Reload me", cards=1)
        bar = page.locator("#progress-container [role=progressbar]")
        expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9]"), timeout=LONG_MS)
        before = int(bar.get_attribute("aria-valuenow") or 0)

        page.reload()

        assert page.evaluate("location.hash.slice(2)") == task_id
        page.wait_for_function(
            """before => {
                const bar = document.querySelector('#progress-container [role=progressbar]');
                return document.querySelector('.post') || Number(bar?.getAttribute('aria-valuenow')) >= before;
            }""",
            arg=before,
        )
        stage_state(page, "completed")
        expect(page.locator(".reel img")).to_have_count(1)


def test_coming_back_without_an_address_finds_what_is_being_made(browser: Browser, unhurried: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(unhurried.url)
        task_id = make(page, "回来看看", cards=1)

        page.goto("about:blank")
        page.goto(unhurried.url)

        page.wait_for_function("id => location.hash === '#/' + id", arg=task_id)
        stage_state(page, "completed")


def test_a_killed_server_comes_back_and_the_page_tells_the_truth(browser: Browser, tmp_path: Path) -> None:
    with (
        demo_server(tmp_path, HEADWAY_DEMO_PAUSE_MS="20") as server,
        visit(browser, quiet=False) as page,
    ):
        page.goto(server.url)
        make(page, "先做好一篇", cards=1)
        stage_state(page, "completed")
        task_id = make(page, "服务器会被杀掉", cards=4)
        stage_state(page, "running")
        page.evaluate(WATCH_THE_BAR)
        expect(page.locator("#progress-container [role=progressbar]")).to_have_attribute(
            "aria-valuenow", re.compile("^[1-9]"), timeout=LONG_MS
        )

        server.kill()
        expect(page.locator("#progress-container")).to_contain_text("Reconnecting", timeout=LONG_MS)
        server.start()

        # The worker process outlives its server and may finish; else the task has failed and says why.
        page.wait_for_function(
            "() => ['completed', 'failed'].includes(document.getElementById('stage').dataset.state)", timeout=LONG_MS
        )
        truth = page.evaluate("id => fetch('/api/tasks/' + id).then(r => r.json())", task_id)
        assert truth["state"] == page.locator("#stage").get_attribute("data-state")
        values = [value for state, value in page.evaluate("window.seen") if state == "running"]
        assert values == sorted(values)
        page.reload()
        expect(page.locator(".made")).to_have_count(2)
        page.locator(".made-open").nth(1).click()
        expect(page.locator(".post")).to_be_visible()


def test_a_server_that_is_away_is_said_and_the_post_is_made_when_it_is_back(browser: Browser, tmp_path: Path) -> None:
    with demo_server(tmp_path, **AT_ONCE) as server, visit(browser, quiet=False) as page:
        page.goto(server.url)
        server.terminate()

        page.locator("#topic").fill("写在断线时")
        page.locator("#cards").fill("1")
        page.locator("#make").click()
        expect(page.locator("#page-banner")).to_contain_text("can’t be reached")
        # Its icon is there though nobody can be asked for it.
        page.wait_for_function("() => document.querySelector('#page-banner .icon').getBBox().width > 0")
        eventually(lambda: is_fine(page), saying="it fits, and axe finds nothing")
        assert page.locator("#topic").input_value() == "写在断线时"
        server.start()

        stage_state(page, "completed")
        expect(page.locator("#page-banner")).to_be_empty()


def test_what_is_wrong_with_the_form_is_said_beside_the_field(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url)

        page.locator("#make").click()
        expect(page.locator("#topic-error")).to_have_text("Write a topic first.")
        expect(page.locator("#topic")).to_be_focused()
        expect(page.locator("#topic")).to_have_attribute("aria-invalid", "true")

        page.locator("#topic").fill("x")
        expect(page.locator("#topic-error")).to_be_empty()
        page.locator("#cards").fill("25")
        page.locator("#make").click()
        expect(page.locator("#cards-error")).to_contain_text("1 to 24")
        assert page.evaluate("location.hash") == ""


def test_the_stepper_stays_between_one_and_twenty_four(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url)
        page.locator("#cards").fill("23")

        for _ in range(3):
            page.get_by_role("button", name="One card more").click()
        expect(page.locator("#cards")).to_have_value("24")
        page.locator("#cards").fill("2")
        for _ in range(3):
            page.get_by_role("button", name="One card fewer").click()
        expect(page.locator("#cards")).to_have_value("1")


def test_a_post_can_be_copied_downloaded_made_again_found_and_deleted(browser: Browser, demo: ServerProcess) -> None:
    # Not quiet: what was deleted is asked for once more, to see that it is gone.
    with visit(browser, quiet=False, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(demo.url)
        first = make(page, "Everything one can do", cards=2)
        stage_state(page, "completed")
        title = page.locator(".post-title").inner_text().replace("\n", "")

        page.get_by_role("button", name="Copy the text").click()
        expect(page.locator(".toast")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(title)
        assert "#" in copied

        with page.expect_download() as started:
            page.get_by_role("link", name="All as zip").click()
        with zipfile.ZipFile(started.value.path()) as archive:
            assert archive.testzip() is None
            assert len([name for name in archive.namelist() if name.endswith(".png")]) == 2
            assert title in archive.read("post.txt").decode()
        with page.expect_download() as started:
            page.get_by_role("link", name="This card").click()
        assert started.value.suggested_filename.endswith("1.png")

        page.get_by_role("button", name="Another like it").click()
        page.wait_for_function("id => location.hash !== '#/' + id", arg=first)
        stage_state(page, "completed")
        expect(page.locator(".made")).to_have_count(2)

        page.locator("#history-search").fill("火星")
        expect(page.locator("#history-empty")).to_contain_text("火星")
        page.locator("#history-search").fill("one can do")
        expect(page.locator(".made")).to_have_count(2)
        with visit(browser) as stranger:
            stranger.goto(demo.url)
            expect(stranger.locator("#history-empty")).to_be_visible()
            expect(stranger.locator(".made")).to_have_count(0)

        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
        expect(page.locator(".made")).to_have_count(2)
        second = page.evaluate("location.hash.slice(2)")
        picture = page.locator(".reel img").first.evaluate("img => img.src")
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator(".made")).to_have_count(1)
        expect(page.locator("[data-empty]")).to_be_visible()
        assert page.evaluate("id => fetch('/api/tasks/' + id).then(r => r.status)", second) == 404
        assert page.evaluate("url => fetch(url, {cache: 'no-store'}).then(r => r.status)", picture) == 404


def test_a_hostile_topic_is_only_text(browser: Browser, demo: ServerProcess) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>${7*7}{{7*7}}\"'"
    with visit(browser) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        page.goto(demo.url)
        make(page, hostile, cards=1)
        stage_state(page, "completed")

        assert page.locator("#stage img[src=x], #stage script, .history script").count() == 0
        page.goto(demo.url + "/tasks")
        expect(page.locator("#rows .task-name").first).to_have_text(hostile)


def test_an_address_that_names_nothing_says_so(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, quiet=False) as page:
        page.goto(demo.url + "/#/AAAAAAAAAAAAAAAAAAAAAA")

        expect(page.locator("#stage")).to_contain_text("This post is not there")


def test_the_language_switch_stays_on_the_page_and_is_remembered(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser) as page:
        page.goto(demo.url + "/tasks")
        page.locator("[data-switch=language]").click()

        expect(page).to_have_url(demo.url + "/tasks")
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        page.goto(demo.url)
        expect(page.locator("#make")).to_have_text("开始制作")


def test_the_theme_switch_is_remembered(browser: Browser, demo: ServerProcess) -> None:
    with visit(browser, color_scheme="light") as page:
        page.goto(demo.url)
        background = "getComputedStyle(document.documentElement).backgroundColor"
        light = page.evaluate(background)

        page.get_by_role("button", name="Light or dark").click()
        dark = page.evaluate(background)
        assert dark != light
        page.reload()

        assert page.evaluate(background) == dark


def looks_right(page: Page, locale: str) -> None:
    if locale == "en":
        page.set_viewport_size({"width": 360, "height": 800})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        eventually(lambda: is_fine(page), saying="it fits, and axe finds nothing")
        page.set_viewport_size({"width": 1920, "height": 800})
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        eventually(lambda: is_fine(page, only=OF_COLOR), saying="it fits, and can be read in the dark")
    else:
        # The same page in words of other lengths: axe has nothing new to find.
        page.set_viewport_size({"width": 768, "height": 800})
        eventually(lambda: sideways_overflow(page) == 0, saying="it fits")


# Twelve looks with axe, and 26 cards: a busy machine takes its time.
@pytest.mark.timeout(400)
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_state_fits_and_axe_finds_nothing(browser: Browser, unhurried: ServerProcess, locale: str) -> None:
    # Where it is cancelled, its pictures go, also one that the page is just about to ask for.
    with visit(browser, locale=locale, but=r"^404 .*/thumb-\d+\.webp$") as page:
        page.goto(unhurried.url)
        expect(page.locator("#history-empty")).to_be_visible()
        looks_right(page, locale)

        page.locator("#make").click()
        expect(page.locator("#topic-error")).not_to_be_empty()
        looks_right(page, locale)

        make(page, "看得清，放得下", cards=24)
        stage_state(page, "running")
        looks_right(page, locale)
        page.locator("#progress-container").get_by_role("button", name=re.compile("^(Cancel|取消)$")).click()
        stage_state(page, "cancelled")
        looks_right(page, locale)

        make(page, "看得清，放得下", cards=2)
        stage_state(page, "completed")
        expect(page.locator(".post")).to_be_visible()
        looks_right(page, locale)
        page.locator(".post-actions .danger-quiet").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        looks_right(page, locale)


def test_a_visitor_without_the_cookie_is_given_one_that_scripts_cannot_read(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser) as page:
        page.goto(demo.url)

        (cookie,) = [one for one in page.context.cookies() if one["name"] == "headway_session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"


def test_a_post_asked_for_by_a_program_can_be_watched_by_its_address(browser: Browser, demo: ServerProcess) -> None:
    wish = {"input_text": "春节", "language": "en", "cards": 1, "seed": 18}
    made = post_json(demo.url + "/api/generate_content", wish)
    with visit(browser) as page:
        page.goto(f"{demo.url}/#/{made['task_id']}")

        stage_state(page, "completed")
        eventually(lambda: page.locator(".reel img").first.evaluate("img => img.naturalWidth") == 1242)
        # Phrases that are kept together are still parted by a space.
        assert " ".join(page.locator(".post-title").inner_text().split()) == "Okay, I give in: 春节 🏮"

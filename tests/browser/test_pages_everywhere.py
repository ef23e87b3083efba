"""Every page in every width, direction, scheme and contrast: nothing sticks out or is cut off, axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.demo import AT_ONCE, OF_COLOR, axe_violations, demo_server, post_json, sideways_overflow, visit
from tests.helpers import ServerProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG_MS = 60_000
WIDTHS = (360, 768, 1024, 1920)

# What can be read or pressed and reaches over an edge of the window, or has words that its own box cuts off.
CUT_OFF = """
() => {
  const words = 'h1, h2, h3, p, a, button, input, select, textarea, label, dt, dd, th, td';
  // The reel is turned, the log is scrolled, and what only screen readers read is nowhere.
  const elsewhere = '.visually-hidden, .skip-link, .reel, .log-scroll, thead';
  const edge = document.documentElement.clientWidth + 1;
  const found = [];
  for (const element of document.querySelectorAll(words)) {
    if (!element.checkVisibility() || element.closest(elsewhere)) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const told = `${element.tagName}#${element.id}.${element.className}: ${element.textContent.trim().slice(0, 40)}`;
    if (box.left < -1 || box.right > edge) found.push(`over the edge: ${told}`);
    const style = getComputedStyle(element);
    const isCut = ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis';
    if (isCut && element.scrollWidth > element.clientWidth + 1) found.push(`cut off: ${told}`);
  }
  return found;
}
"""
AS_EVER: dict[str, Any] = {
    "color_scheme": "light", "contrast": "no-preference", "forced_colors": "none", "reduced_motion": "reduce"
}  # fmt: skip
# Where the person chooses the colours, forced, they are not the page's, and axe would read those that it asked for.
# In light, it looks for everything where the pages are Chinese.
LOOKS: tuple[dict[str, Any], ...] = ({"color_scheme": "dark"}, {"color_scheme": "dark", "contrast": "more"})
LONG_TOPIC = "老北京胡同：一个名字很长很长的话题，长到一行放不下，还有 AnEnglishWordThatIsFarTooLongForAnyPhone"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("everywhere"), **AT_ONCE) as server:
        yield server


@pytest.fixture(scope="module")
def tasks(demo: ServerProcess, browser: Browser) -> Iterator[dict[str, str]]:
    """A post, and a test task that runs, with the cookie of who made them."""
    with visit(browser, locale="zh-CN") as page:
        page.goto(demo.url)
        page.locator("#topic").fill(LONG_TOPIC)
        page.locator("#cards").fill("2")
        page.locator("#make").click()
        expect(page.locator("#stage")).to_have_attribute("data-state", "completed", timeout=LONG_MS)
        post = page.evaluate("location.hash.slice(2)")
        (cookie,) = [one for one in page.context.cookies() if one["name"] == "headway_session"]
    given = {"seconds": 2, "updates": 20, "outcome": "hang", "stages": ["prepare", "render"]}
    hanging = post_json(demo.url + "/api/test_tasks", given)["task_id"]
    failed = post_json(demo.url + "/api/test_tasks", given | {"outcome": "fail", "seconds": 0.1})["task_id"]
    yield {"post": post, "hanging": hanging, "failed": failed, "cookie": str(cookie.get("value"))}
    post_json(f"{demo.url}/api/tasks/{hanging}/cancel", {})


def studio(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(f"{url}/#/{tasks['post']}")
    expect(page.locator(".post .reel img").first).to_be_visible()
    expect(page.locator(".made")).to_have_count(1)


def no_hit(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(url)
    page.locator("#history-search").fill("火星")
    expect(page.locator("#history-empty")).to_contain_text("火星")


def missing_post(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(f"{url}/#/{'A' * 22}")
    expect(page.locator("#stage")).to_have_attribute("data-state", "missing")


def failed_post(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(f"{url}/#/{tasks['failed']}")
    expect(page.locator("#stage")).to_have_attribute("data-state", "failed")


def list_of_tasks(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(url + "/tasks")
    expect(page.locator("#rows tr")).to_have_count(3)


def page_of(name: str) -> Callable[[Page, str, dict[str, str]], None]:
    def act(page: Page, url: str, tasks: dict[str, str]) -> None:
        page.goto(f"{url}/tasks/{tasks[name]}")
        expect(page.locator("#attempts li")).to_have_count(1)
        expect(page.locator("#progress-container [role=log]")).to_be_visible()

    act.__name__ = f"page_of_{name}"
    return act


def test_page(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(f"{url}/static/test-websocket-progress.html#task={tasks['hanging']}")
    expect(page.locator("#joined li")).to_have_attribute("data-state", "running")


def missing_task(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(f"{url}/tasks/{'A' * 22}")
    expect(page.get_by_role("alert")).to_be_visible()


def nowhere(page: Page, url: str, tasks: dict[str, str]) -> None:
    page.goto(url + "/nothing/here")
    expect(page.locator("h1")).not_to_be_empty()


PAGES = (
    studio, no_hit, missing_post, failed_post, list_of_tasks,
    page_of("post"), page_of("hanging"), page_of("failed"), missing_task, test_page, nowhere,
)  # fmt: skip
test_page.__test__ = False  # type: ignore[attr-defined]  # it is a page


@pytest.fixture(scope="module", params=PAGES, ids=lambda act: act.__name__)
def english(
    request: pytest.FixtureRequest, browser: Browser, demo: ServerProcess, tasks: dict[str, str]
) -> Iterator[Page]:
    """A page, for all the tests that look at it."""
    with visit(browser, quiet=False, locale="en") as page:
        become_the_owner(page, demo, tasks)
        request.param(page, demo.url, tasks)
        yield page


def test_motion_stops_for_who_asked_for_less(english: Page) -> None:
    assert (
        english.evaluate(
            """() => document.getAnimations().filter(one => one.playState === 'running'
                && one.effect.getComputedTiming().duration > 50)
                .map(one => one.animationName ?? one.transitionProperty)"""
        )
        == []
    )


def test_axe_can_read_every_page_in_any_look(english: Page) -> None:
    english.set_viewport_size({"width": 390, "height": 800})
    for look in LOOKS:
        english.emulate_media(**AS_EVER | look)
        eventually(lambda: is_clean(english, only=OF_COLOR), saying=f"axe finds nothing: {look}")
    english.emulate_media(**AS_EVER)


def test_nothing_sticks_out_or_is_cut_off_in_any_width_and_direction(english: Page) -> None:
    stays_whole(english, "ltr", "rtl")


@pytest.mark.parametrize("act", PAGES, ids=lambda act: act.__name__)
def test_nothing_sticks_out_or_is_cut_off_in_chinese_and_axe_finds_nothing(
    browser: Browser, demo: ServerProcess, tasks: dict[str, str], act: Callable[..., None]
) -> None:
    with visit(browser, quiet=False, locale="zh-CN") as page:
        become_the_owner(page, demo, tasks)
        act(page, demo.url, tasks)
        # How words of other lengths fit does not hang on the direction as well.
        stays_whole(page, "ltr")
        eventually(lambda: is_clean(page), saying="axe finds nothing")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_cards_are_turned_along_the_line_of_reading(
    browser: Browser, demo: ServerProcess, tasks: dict[str, str], direction: str
) -> None:
    with visit(browser) as page:
        become_the_owner(page, demo, tasks)
        studio(page, demo.url, tasks)
        page.evaluate("direction => { document.documentElement.dir = direction; }", direction)

        page.locator(".reel").focus()
        page.keyboard.press("ArrowRight" if direction == "ltr" else "ArrowLeft")
        expect(page.locator(".reel-at")).to_have_text("2 of 2")
        page.get_by_role("button", name="Previous card").click()
        expect(page.locator(".reel-at")).to_have_text("1 of 2")
        page.get_by_role("button", name="Next card").click()
        expect(page.locator(".reel-at")).to_have_text("2 of 2")


def become_the_owner(page: Page, demo: ServerProcess, tasks: dict[str, str]) -> None:
    page.context.add_cookies([{"name": "headway_session", "value": tasks["cookie"], "url": demo.url}])


def stays_whole(page: Page, *directions: str) -> None:
    for direction in directions:
        page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            eventually(lambda: is_whole(page), saying=f"nothing is cut off, {width} {direction}")


def is_whole(page: Page) -> bool:
    found = page.evaluate(CUT_OFF)
    assert (found, sideways_overflow(page)) == ([], 0)
    return True


def is_clean(page: Page, *, only: tuple[str, ...] = ()) -> bool:
    assert axe_violations(page, only=only) == []
    return True

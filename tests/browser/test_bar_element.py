"""The bar in other shapes: the element, the headless watcher, the module; and its signs outside itself."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually

ELEMENT = "document.querySelector('headway-progress')"


def put_element(bars: Bars, attributes: str) -> None:
    bars.page.evaluate(
        """(attributes) => {
            window.heard = [];
            for (const name of ['connect', 'progress', 'complete', 'error', 'freshness']) {
                document.addEventListener(`headway-${name}`, (event) => heard.push([name, event.target.localName]));
            }
            const template = document.createElement('template');
            template.innerHTML = `<headway-progress ${attributes}></headway-progress>`;
            document.querySelector('main').append(template.content);
        }""",
        attributes,
    )


def test_the_element_shows_a_task_in_a_tree_of_its_own(bars: Bars) -> None:
    bars.open("foreign.html")
    bars.world.token = "secret"
    bars.world.put("a", state="running", progress=42, name="Import")
    put_element(bars, 'task-id="a" token="secret" locale="zh-CN" show-log="false"')

    host = bars.page.locator("headway-progress")
    expect(host.get_by_role("progressbar", name="Import")).to_have_attribute("aria-valuenow", "42")
    expect(host.get_by_role("button")).to_have_text(["取消"])
    expect(host.locator(".hw-bar")).to_be_visible()
    expect(host.locator(".hw-title")).to_have_css("font-size", "16px")
    assert bars.page.evaluate(f"{ELEMENT}.bar.getTaskId()") == "a"


def test_its_events_bubble_out_of_the_tree(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42)
    put_element(bars, 'task-id="a"')
    bars.world.put("a", state="completed", progress=100)

    bars.page.wait_for_function("() => heard.some(([name]) => name === 'complete')")
    assert set(map(tuple, bars.page.evaluate("heard"))) >= {
        ("connect", "headway-progress"),
        ("progress", "headway-progress"),
        ("complete", "headway-progress"),
    }


def test_its_attributes_are_observed(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42)
    bars.world.put("b", state="running", progress=7)
    put_element(bars, 'task-id="a"')
    percent = bars.page.locator("headway-progress .hw-percent")
    expect(percent).to_have_text("42%")

    bars.page.evaluate(
        f"() => {{ {ELEMENT}.setAttribute('task-id', 'b'); {ELEMENT}.setAttribute('allow-cancel', 'false') }}"
    )
    expect(percent).to_have_text("7%")
    expect(bars.page.get_by_role("button", name="Cancel")).to_have_count(0)
    eventually(lambda: bars.world.joined("a") == 0)


def test_a_new_token_is_used_without_losing_the_bar(bars: Bars) -> None:
    bars.world.token = "one"
    bars.world.put("a", state="running", progress=42)
    put_element(bars, 'task-id="a" token="one"')
    percent = bars.page.locator("headway-progress .hw-percent")
    expect(percent).to_have_text("42%")
    bars.page.evaluate(f"() => (window.before = {ELEMENT}.bar)")

    bars.world.token = "two"
    bars.page.evaluate(f"() => {ELEMENT}.setAttribute('token', 'two')")
    bars.world.drop_sockets()
    bars.page.evaluate("() => dispatchEvent(new Event('online'))")
    bars.world.put("a", progress=50)

    expect(percent).to_have_text("50%")
    assert bars.page.evaluate(f"() => before === {ELEMENT}.bar") is True


def test_its_parts_and_properties_can_be_styled_from_outside(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42)
    bars.page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                headway-progress { --headway-accent: rgb(9, 8, 7); }
                headway-progress::part(percent) { color: rgb(1, 2, 3) !important; }`);
            document.adoptedStyleSheets.push(sheet);
        }"""
    )
    put_element(bars, 'task-id="a"')

    expect(bars.page.locator("headway-progress .hw-fill")).to_have_css("background-color", "rgb(9, 8, 7)")
    expect(bars.page.locator("headway-progress .hw-percent")).to_have_css("color", "rgb(1, 2, 3)")


def test_an_element_that_is_taken_away_frees_everything_and_one_that_is_moved_lives_on(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42)
    put_element(bars, 'task-id="a"')
    percent = bars.page.locator("headway-progress .hw-percent")
    expect(percent).to_have_text("42%")

    bars.page.evaluate(f"() => document.querySelector('#second').append({ELEMENT})")
    expect(percent).to_have_text("42%")
    bars.page.evaluate(f"() => {ELEMENT}.remove()")
    eventually(lambda: bars.world.sockets == 0)


def test_a_bar_brings_its_stylesheet_along(bars: Bars) -> None:
    bars.open("foreign.html")
    bars.make()
    expect(bars.part("track")).to_have_css("height", "8px")

    links = "document.querySelectorAll('link[href$=\"progress.css\"]').length"
    bars.make(name="two", container="second")
    assert bars.page.evaluate(links) == 1


def test_the_module_offers_the_same_and_a_watcher_that_draws_nothing(bars: Bars) -> None:
    bars.open("module.html")
    bars.page.wait_for_function("() => window.ready")
    bars.world.put("a", state="running", progress=42)
    bars.world.add_log("a", "one", "two", hide=True)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("42%")
    bars.page.evaluate(
        """() => {
            window.changes = [];
            window.lines = [];
            window.stop = new AbortController();
            window.watched = watchTask('a', {
                signal: stop.signal,
                logFrom: 2,
                onLog: ({ lines: some }) => lines.push(...some.map(({ text }) => text)),
                onChange: (task, status) => changes.push([task?.progress ?? null, status.phase]),
            });
        }"""
    )
    bars.page.wait_for_function("() => watched.task?.progress === 42")
    bars.world.put("a", progress=50, worker="alive")
    bars.page.wait_for_function("() => watched.task.progress === 50")

    assert bars.world.sockets == 1, "shared with the bar"
    assert bars.page.evaluate("changes.at(-1)") == [50, "live"]
    assert bars.page.evaluate("lines") == ["two"]
    assert bars.page.evaluate("[watched.freshness.advancing, watched.status.transport]") == [True, "websocket"]
    assert bars.page.evaluate("() => watched.cancel('enough')") is True
    assert bars.world.heard_of("cancel_task")[0]["reason"] == "enough"
    bars.page.wait_for_function("() => watched.task.state === 'cancelled'")
    assert bars.page.evaluate("() => watched.retry()") is True

    bars.page.evaluate("stop.abort(), watched.stop(), bars.bar.destroy()")
    eventually(lambda: bars.world.sockets == 0)


def test_title_and_icon_of_the_tab_show_the_progress_if_asked(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42)
    bars.make("a", tabTitle=True, favicon=True)
    expect(bars.page).to_have_title("42% · Bar")
    icon = "document.querySelector('link[rel=icon]').href"
    first = bars.page.evaluate("() => [...document.querySelectorAll('link[rel=icon]')].at(-1).href")
    assert first.startswith("data:image/png")

    bars.page.evaluate("document.title = 'Other'")
    bars.world.put("a", progress=60)
    expect(bars.page).to_have_title("60% · Other")
    assert bars.page.evaluate("() => [...document.querySelectorAll('link[rel=icon]')].at(-1).href") != first
    bars.world.put("a", state="completed", progress=100)
    expect(bars.page).to_have_title("Completed · Other")

    bars.call("bar.destroy()")
    expect(bars.page).to_have_title("Other")
    assert bars.page.evaluate(icon) == "data:,"


def test_a_notification_is_asked_for_on_a_click_only(bars: Bars) -> None:
    bars.page.add_init_script(
        """window.asked = 0;
        window.told = [];
        window.Notification = class {
            static permission = 'default';
            static async requestPermission() { asked++; return (this.permission = 'granted'); }
            constructor(title, { body }) { told.push([title, body]); }
        };
        document.hasFocus = () => false;"""
    )
    bars.open()
    bars.world.put("a", state="running", progress=42, name="Import")
    bars.make("a", notify=True)
    button = bars.page.get_by_role("button", name="Notify me")
    expect(button).to_be_visible()
    assert bars.page.evaluate("asked") == 0

    button.click()
    expect(bars.page.get_by_role("button", name="You will be notified")).to_have_attribute("aria-disabled", "true")
    bars.world.put("a", state="completed", progress=100, message="5,000 rows")

    bars.wait_for("complete")
    assert bars.page.evaluate("[asked, told]") == [1, [["Import", "Completed · 5,000 rows"]]]

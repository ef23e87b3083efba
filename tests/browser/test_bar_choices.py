"""What the page chooses and hands over, rightly and wrongly: options, events, numbers, errors."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually

RECORD = """() => {
    const begin = setTimeout;
    window.delays = [];
    window.setTimeout = (callback, ms, ...rest) => { delays.push(ms); return begin(callback, ms, ...rest); };
    const random = [0, 0.5, 1 - Number.EPSILON];
    Math.random = () => random[delays.filter((ms) => ms >= 70 && ms <= 130).length % 3];
}"""


def refusal(bars: Bars, options: str, event: str = "connect") -> str:
    """What the constructor raises, or ''."""
    made = f"new ProgressBar('second', {options}).on('{event}', () => {{}})"
    return bars.page.evaluate(f"() => {{ try {{ {made} }} catch (error) {{ return String(error) }} }}") or ""


@pytest.mark.parametrize("name", ["reconnectDelay", "maxReconnectAttempts", "heartbeatInterval", "autoHideDelay"])
@pytest.mark.parametrize("value", ["NaN", "-1", "'soon'", "{}"])
def test_a_number_that_is_none_is_an_error_that_names_the_option(bars: Bars, name: str, value: str) -> None:
    said = refusal(bars, f"{{ {name}: {value} }}")

    assert said.startswith(f"TypeError: Headway: {name} must be a number from 0 on, not")
    assert bars.page.locator("#second > *").count() == 0


def test_what_is_misspelt_is_told_of_in_the_console(bars: Bars) -> None:
    said: list[str] = []
    bars.page.on("console", lambda message: said.append(message.text))

    assert refusal(bars, "{ reconectDelay: 5, onFinished: () => {} }", event="completed") == ""

    eventually(lambda: len(said) == 3)
    assert said == [
        "Headway: there is no option 'reconectDelay'",
        "Headway: there is no event 'finished'",
        "Headway: there is no event 'completed'",
    ]


def test_null_and_undefined_are_what_nobody_chose_and_digits_are_a_number(bars: Bars) -> None:
    said: list[str] = []
    bars.page.on("console", lambda message: said.append(message.text))
    bars.world.put("a", state="running", progress=20)
    options = {"reconnectDelay": None, "autoReconnect": None, "allowCancel": None, "token": None, "locale": None}
    bars.make("a", **options, label=None, words=None, maxReconnectAttempts="7")
    expect(bars.part("percent")).to_have_text("20%")

    expect(bars.button("cancel")).to_be_visible()
    assert bars.call("bar.state.status.max") == 7
    assert said == []


def test_tries_are_as_far_apart_as_was_chosen_give_or_take_thirty_percent(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.world.stop()
    bars.page.evaluate(RECORD)
    bars.make("a", reconnectDelay=100, maxReconnectAttempts=3)

    bars.wait_for("reconnect_failed")

    delays = [round(ms) for ms in bars.page.evaluate("delays") if 60 < ms < 200]
    assert delays == [70, 100, 130]


def test_without_a_heartbeat_nothing_is_sent(bars: Bars) -> None:
    bars.page.clock.install()
    bars.open()
    bars.world.put("a", state="running", progress=20)
    bars.make("a", heartbeatInterval=0)
    bars.wait_joined("a")

    bars.page.clock.run_for(40_000)

    assert bars.world.heard_of("ping") == []
    assert bars.call("bar.isConnected()") is True


def test_a_local_bar_without_a_number_shows_none(bars: Bars) -> None:
    bars.make(websocketUrl=None)
    bars.call("void bar.start().updateProgress(null, { message: 'Asking' })")
    expect(bars.part("message")).to_have_text("Asking")
    expect(bars.part("percent")).to_have_text("")
    assert bars.track.get_attribute("aria-valuenow") is None

    bars.call("void bar.updateProgress('40')")
    expect(bars.part("percent")).to_have_text("40%")
    bars.call("void bar.updateProgress(null)")
    expect(bars.part("percent")).to_have_text("40%")


def test_a_percentage_that_was_divided_first_is_not_one_too_low(bars: Bars) -> None:
    bars.make(websocketUrl=None)
    bars.call("void bar.start().updateProgress((29 / 100) * 100)")
    expect(bars.part("percent")).to_have_text("29%")

    bars.call("void bar.updateProgress(99.9)")
    expect(bars.part("percent")).to_have_text("99%")


def test_an_error_can_be_handed_to_fail(bars: Bars) -> None:
    bars.make(websocketUrl=None)
    bars.call("void bar.start().fail(new TypeError('No such file'))")

    expect(bars.part("message")).to_have_text("No such file")
    assert bars.events("fail")[0][0]["error"]["message"] == "No such file"


def test_an_empty_id_is_no_task_and_what_is_not_there_cannot_be_cancelled(bars: Bars) -> None:
    bars.make()
    assert bars.call("bar.cancel()") is False
    bars.call("void bar.start({ taskId: '' })")

    assert bars.call("[bar.getTaskId(), bar.state.transport === null]") == [None, False]
    assert bars.events("cancel") == []
    assert bars.world.heard_of("join") == []


def test_an_id_alone_starts_its_task(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make()
    bars.call("void bar.start('a')")

    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("[bar.getTaskId(), bar.state.transport]") == ["a", "websocket"]


def test_a_local_bar_is_called_so_beside_a_live_connection(bars: Bars) -> None:
    bars.make()
    bars.wait_for("connect")
    assert bars.call("bar.state.transport") == "websocket"

    bars.call("void bar.start().updateProgress(10)")

    assert bars.call("bar.state.transport") == "local"


@pytest.mark.parametrize(
    ("error", "english", "chinese"),
    [
        (
            {"code": "worker_lost", "message": "the worker process was killed by SIGKILL"},
            "the worker process was killed by SIGKILL",
            "执行进程在任务完成前已终止",
        ),
        ({"code": "too_large", "message": "The photo has 90 MB"}, "The photo has 90 MB", "The photo has 90 MB"),
        ({"code": "out_of_ink", "message": ""}, "Out of ink", "Out of ink"),
    ],
    ids=["one of ours", "one of the application's", "without words"],
)
def test_how_a_task_has_failed_is_said_in_the_pages_language(
    bars: Bars, error: dict[str, Any], english: str, chinese: str
) -> None:
    bars.world.put("a", state="failed", error=error)
    bars.make("a", name="en", locale="en")
    bars.make("a", name="zh", locale="zh-CN", container="second")

    expect(bars.part("error")).to_have_text(english)
    expect(bars.part("error", "second")).to_have_text(chinese)


def test_where_there_is_no_task_there_is_no_log(bars: Bars) -> None:
    bars.make("nobody")

    expect(bars.part("title")).to_have_text("Not found")
    expect(bars.button("log")).to_be_hidden()


def test_a_rate_is_shown_only_while_there_is_news(bars: Bars) -> None:
    details = {"completed": 1, "total": 5, "unit": "files"}
    bars.world.put("a", state="running", progress=20, details=details, rate=2, worker="alive")
    bars.make("a")
    expect(bars.part("meta")).to_have_text("1 of 5 files · 2 files/s")

    bars.world.put("a", worker="silent")

    expect(bars.part("meta")).to_have_text("1 of 5 files")

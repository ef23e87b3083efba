"""What the bar shows: states, numbers, stages, words, and what people can do."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually

STAGES = [
    {"name": "read", "label": "Read the file", "weight": 1, "state": "completed", "progress": 100},
    {"name": "store", "label": None, "weight": 3, "state": "running", "progress": 40},
    {"name": "tidy_up", "label": None, "weight": 1, "state": "pending", "progress": 0},
]
LAST_UPDATE = re.compile(r"^Last update \d\d s ago$")


def test_the_example_of_the_contract_works_as_written(bars: Bars) -> None:
    bars.world.put("task-123")
    bars.page.evaluate(
        """() => {
            const options = { websocketUrl: '/progress', autoReconnect: true };
            const progressBar = new ProgressBar('progress-container', options);
            progressBar.on('connect', () => (window.connected = true));
            progressBar.start({ taskId: 'task-123', details: { current: '准备生成', completed: 0, total: 5 } });
        }"""
    )

    expect(bars.part("current")).to_have_text("准备生成")
    expect(bars.part("meta")).to_have_text("0 of 5")
    assert bars.page.evaluate("window.connected") is True

    bars.world.put(
        "task-123", state="running", progress=20, details={"current": "生成标题", "completed": 1, "total": 5}
    )
    expect(bars.part("current")).to_have_text("生成标题")
    expect(bars.part("percent")).to_have_text("20%")


def test_an_update_is_shown_with_amounts_rate_and_time_left(bars: Bars) -> None:
    bars.world.put("a", name="Import", state="running", progress=0)
    bars.make("a")
    bars.wait_joined("a")

    details = {"completed": 2135, "total": 5000, "unit": "rows", "current": "row 2135", "file": "c.csv"}
    bars.world.put("a", progress=42.97, message="Reading", details=details, eta_s=67, rate=42.7, worker="alive")

    expect(bars.part("percent")).to_have_text("42%")
    expect(bars.part("title")).to_have_text("Import")
    expect(bars.part("message")).to_have_text("Reading")
    expect(bars.part("current")).to_have_text("row 2135")
    expect(bars.part("meta")).to_have_text("2,135 of 5,000 rows · 43 rows/s · About a minute left")
    expect(bars.part("detail")).to_have_text(["filec.csv"])
    expect(bars.part("notes")).to_have_text("Live")
    expect(bars.track).to_have_attribute("aria-valuenow", "42")
    expect(bars.track).to_have_attribute("aria-label", "Import")
    expect(bars.track).to_have_attribute("aria-valuetext", "42% · Running")


def test_one_hundred_is_shown_for_completed_work_only(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=99.999)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("99%")

    bars.world.put("a", state="running", progress=100)
    bars.wait_for("progress", 2)
    expect(bars.part("percent")).to_have_text("99%")

    bars.world.put("a", state="completed", progress=100, message="All there")
    expect(bars.part("percent")).to_have_text("100%")
    expect(bars.part("doing")).to_have_count(1)
    assert bars.wait_for("complete")[0][0]["message"] == "All there"


def test_what_is_old_is_dropped(bars: Bars) -> None:
    old = bars.world.put("a", state="running", progress=10)
    bars.world.put("a", state="running", progress=60)
    bars.make("a")
    bars.wait_for("progress")

    bars.world.emit("progress", old)
    bars.world.put("b", silently=True)
    bars.world.put("a", message="after")

    expect(bars.part("message")).to_have_text("after")
    assert [task["progress"] for (task,) in bars.events("progress")] == [60, 60]
    expect(bars.part("percent")).to_have_text("60%")


def test_a_new_epoch_is_taken_and_a_new_attempt_starts_again(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=60)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("60%")

    bars.world.put("a", progress=5, attempt=2)
    expect(bars.part("percent")).to_have_text("5%")
    expect(bars.part("doing")).to_contain_text("Attempt 2")

    bars.world.epoch = "epochB2c3"
    bars.world.emit("progress", bars.world.put("a", silently=True) | {"rev": 1, "progress": 1, "attempt": 1})
    expect(bars.part("percent")).to_have_text("1%")


def test_nothing_of_another_task_is_shown(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=10)
    bars.make("a")
    bars.wait_for("progress")

    bars.world.emit("progress", bars.world.put("b", silently=True, state="running", progress=90))
    bars.world.put("a", progress=11)

    expect(bars.part("percent")).to_have_text("11%")
    assert {task["task_id"] for (task,) in bars.events("progress")} == {"a"}


def test_without_a_number_there_is_no_value(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=None, message="Asking")
    bars.make("a")

    expect(bars.part("message")).to_have_text("Asking")
    assert bars.track.get_attribute("aria-valuenow") is None
    expect(bars.part("percent")).to_have_text("")
    expect(bars.track).to_have_attribute("aria-valuetext", "Running")


def test_stages_are_steps_with_their_own_progress(bars: Bars) -> None:
    bars.world.put("a", state="running", status="store", progress=52, stages=STAGES)
    bars.make("a")

    steps = bars.page.get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_have_attribute("aria-label", "Read the file: Completed")
    expect(steps.nth(1)).to_have_attribute("aria-label", "Store: 40%")
    expect(steps.nth(1)).to_have_attribute("aria-current", "step")
    expect(steps.nth(2)).to_have_attribute("aria-label", "Tidy up: waiting")
    expect(bars.part("title")).to_have_text("Store")


def test_many_stages_fold_what_is_finished(bars: Bars) -> None:
    stages = [{"name": f"s{i}", "state": "completed" if i < 9 else "running", "progress": 50} for i in range(10)]
    bars.world.put("a", state="running", progress=90, stages=stages)
    bars.make("a")

    expect(bars.page.locator(".hw-stage:visible")).to_have_count(1)
    bars.page.get_by_role("button", name="9 steps finished").click()
    expect(bars.page.locator(".hw-stage:visible")).to_have_count(10)


def test_parts_can_be_left_out(bars: Bars) -> None:
    details = {"completed": 1, "total": 2, "current": "now", "more": 1}
    bars.world.put("a", state="running", progress=50, stages=STAGES, details=details, eta_s=40, message="m")
    options = {"showStages": False, "showTime": False, "showDetails": False, "showLog": False, "allowCancel": False}
    bars.make("a", **options)

    expect(bars.part("message")).to_have_text("m")
    expect(bars.part("meta")).to_have_text("")
    expect(bars.part("current")).to_have_text("")
    expect(bars.part("details")).to_be_hidden()
    expect(bars.part("stage")).to_have_count(0)
    expect(bars.page.get_by_role("button")).to_have_count(0)


def test_how_fresh_it_is_is_said(bars: Bars) -> None:
    now = time.time()
    bars.world.put("a", state="running", progress=50, worker="alive", updated_at=now - 9)
    bars.make("a")
    expect(bars.part("bar")).to_have_attribute("data-moving", "")

    # Each second is shown for a second only, which who looks now and then may miss.
    expect(bars.part("notes")).to_have_text(LAST_UPDATE)
    expect(bars.part("bar")).not_to_have_attribute("data-moving", "")
    expect(bars.part("notes")).not_to_have_text(bars.part("notes").inner_text())
    expect(bars.part("notes")).to_have_text(LAST_UPDATE)
    assert bars.call("bar.state.freshness.advancing") is False
    assert bars.events("freshness")[-1][0]["advancing"] is False

    bars.world.put("a", worker="silent", updated_at=now - 40)
    expect(bars.part("notes")).to_contain_text("The worker has not been heard of for")
    assert bars.events("freshness")[-1][0]["worker"] == "silent"

    bars.world.put("a", worker="alive", progress=51)
    expect(bars.part("notes")).to_have_text("Live")


def test_cancel_says_cancelling_until_it_has_really_stopped(bars: Bars) -> None:
    bars.world.confirms_cancel = False
    bars.world.put("a", state="running", progress=50, worker="alive")
    bars.make("a")
    expect(bars.part("percent")).to_have_text("50%")

    bars.button("cancel").click()

    expect(bars.button("cancel")).to_have_text("Cancelling…")
    expect(bars.part("notes")).to_contain_text(re.compile(r"Asked to stop \d+ s ago, still running"))
    assert bars.events("cancelled") == []
    assert len(bars.events("cancel")) == 1
    expect(bars.button("cancel")).to_be_focused()

    bars.page.keyboard.press("Enter")
    bars.world.put("a", state="cancelled", finished_at=time.time())
    expect(bars.part("title")).to_have_text("Cancelled")
    assert len(bars.world.heard_of("cancel_task")) == 1
    assert len(bars.wait_for("cancelled")) == 1
    expect(bars.button("cancel")).to_be_hidden()
    expect(bars.button("retry")).to_be_focused()


def test_a_refused_cancel_is_said_and_taken_back(bars: Bars) -> None:
    bars.world.errors["cancel_task"] = {"code": "not_cancellable", "message": "too late"}
    bars.world.put("a", state="running", progress=50)
    bars.make("a")
    bars.wait_joined("a")

    assert bars.call("bar.cancel()") is False

    expect(bars.part("notes")).to_contain_text("This task can no longer be cancelled")
    expect(bars.button("cancel")).to_have_text("Cancel")
    assert bars.events("error")[0][0]["code"] == "not_cancellable"


def test_retry_begins_a_new_attempt(bars: Bars) -> None:
    failed = {"code": "ValueError", "message": "no number"}
    bars.world.put("a", state="failed", progress=70, error=failed, message="Row 7 is broken")
    bars.make("a")
    expect(bars.part("error")).to_have_text("no number")
    assert len(bars.wait_for("fail")) == 1

    bars.button("retry").click()

    expect(bars.part("title")).to_have_text("Waiting to start")
    expect(bars.part("percent")).to_have_text("0%")
    expect(bars.part("error")).to_be_hidden()
    assert len(bars.events("retry")) == 1


def test_buttons_are_shown_to_those_who_may(bars: Bars) -> None:
    bars.world.actions = []
    bars.world.put("a", state="running", progress=70)
    bars.make("a")
    bars.wait_until("state.actions !== null")

    expect(bars.button("cancel")).to_be_hidden()
    bars.world.put("a", state="failed")
    expect(bars.part("title")).to_have_text("Failed")
    expect(bars.button("retry")).to_be_hidden()


def test_an_unknown_task_is_said_in_words(bars: Bars) -> None:
    bars.make("nobody")

    expect(bars.part("title")).to_have_text("Not found")
    expect(bars.part("notes")).to_have_text("This task does not exist, or you may not see it")
    expect(bars.part("percent")).to_have_text("")
    assert bars.wait_for("error")[0][0]["code"] == "task_not_found"
    assert bars.call("bar.isConnected()") is True


def test_an_unavailable_store_is_said_and_waited_for(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=30)
    bars.world.errors["join"] = {"code": "unavailable", "message": "the store is away"}
    bars.make("a")
    expect(bars.part("notes")).to_contain_text("Live updates are delayed")

    del bars.world.errors["join"]

    expect(bars.part("percent")).to_have_text("30%")
    expect(bars.part("notes")).to_have_text("Live")


def test_it_hides_by_itself_once_done_if_asked(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=30)
    bars.make("a", autoHide=True, autoHideDelay=50)
    expect(bars.part("bar")).to_be_visible()

    bars.world.put("a", state="completed", progress=100)
    expect(bars.part("bar")).to_be_hidden()
    assert bars.call("bar.state.visible") is False

    bars.call("bar.show()")
    expect(bars.part("bar")).to_be_visible()
    bars.call("bar.hide()")
    expect(bars.part("bar")).to_be_hidden()


def test_another_task_can_be_started_and_reset_empties_the_bar(bars: Bars) -> None:
    bars.world.put("a", state="completed", progress=100)
    bars.world.put("b", state="running", progress=20)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("100%")

    bars.call("bar.start({ taskId: 'b' })")
    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("bar.getTaskId()") == "b"
    eventually(lambda: bars.world.joined("a") == 0)

    bars.call("bar.reset()")
    expect(bars.part("percent")).to_have_text("0%")
    expect(bars.part("title")).to_have_text("Ready")
    assert bars.call("bar.getTaskId()") is None
    eventually(lambda: bars.world.joined("b") == 0)


def test_a_listener_can_be_taken_off_and_one_that_throws_harms_nobody(bars: Bars) -> None:
    bars.page.evaluate("window.reportError = (error) => (window.reported = String(error))")
    bars.world.put("a", state="running", progress=20)
    bars.make()
    bars.page.evaluate(
        """() => {
            const { bar } = bars;
            window.calls = [];
            const one = () => calls.push('one');
            bar.on('progress', one).on('progress', () => { throw new Error('mine'); });
            bar.on('progress', () => calls.push('two')).off('progress', one).start({ taskId: 'a' });
        }"""
    )
    bars.wait_until("state.task !== null")

    assert bars.page.evaluate("calls") == ["two"]
    assert bars.page.evaluate("reported") == "Error: mine"


def test_options_can_be_listeners(bars: Bars) -> None:
    bars.world.put("a", state="completed", progress=100)
    bars.page.evaluate(
        """() => {
            window.calls = [];
            const note = (name) => () => calls.push(name);
            const names = ['onConnect', 'onProgress', 'onComplete', 'onDisconnect', 'onReconnectFailed'];
            const options = Object.fromEntries(names.map((name) => [name, note(name)]));
            window.bars = { bar: new ProgressBar('progress-container', { ...options, maxReconnectAttempts: 0 }) };
            bars.bar.start({ taskId: 'a' });
        }"""
    )
    bars.page.wait_for_function("() => calls.includes('onComplete')")
    bars.world.stop()

    bars.page.wait_for_function("() => calls.includes('onReconnectFailed')")
    assert bars.page.evaluate("calls") == [
        "onConnect",
        "onProgress",
        "onComplete",
        "onDisconnect",
        "onReconnectFailed",
    ]


def test_the_words_follow_the_page_or_the_option(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=42, details={"completed": 3, "total": 5, "unit": "张"})
    bars.page.evaluate("document.documentElement.lang = 'zh-CN'")
    bars.make("a")
    expect(bars.button("cancel")).to_have_text("取消")
    expect(bars.part("meta")).to_have_text("3 / 5 张")
    assert bars.part("bar").get_attribute("lang") == "zh-CN"

    bars.make("a", name="en", container="second", locale="en", words={"cancel": "Stop it"})
    expect(bars.button("cancel", "second")).to_have_text("Stop it")


def test_a_container_that_is_not_there_is_named(bars: Bars) -> None:
    said = bars.page.evaluate("() => { try { new ProgressBar('nowhere') } catch (error) { return error.message } }")

    assert "nowhere" in said

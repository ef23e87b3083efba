"""The connection: shared, reconnecting, given up, asleep and awake, left and resumed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually


def test_it_is_connected_by_websocket_and_says_so(bars: Bars) -> None:
    bars.make()
    bars.wait_for("connect")

    assert bars.call("bar.isConnected()") is True
    assert bars.call("[bar.state.connected, bar.state.transport, bar.state.task]") == [True, "websocket", None]
    assert bars.call("bar.socket.connected") is True


def test_without_websockets_it_polls(bars: Bars) -> None:
    bars.world.allows_websockets = False
    bars.world.put("a", state="running", progress=20)
    bars.make("a")

    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("bar.state.transport") == "polling"


@pytest.mark.parametrize(
    "without",
    ["delete window.WebSocket", "window.WebSocket = class { constructor() { throw new Error('blocked') } }"],
    ids=["it has none", "it makes none"],
)
def test_in_a_browser_without_websockets_it_polls(bars: Bars, without: str) -> None:
    bars.page.add_init_script(without)
    bars.open()
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=100)

    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("bar.state.transport") == "polling"


def test_a_bar_that_comes_later_hears_that_it_is_connected(bars: Bars) -> None:
    bars.make(name="one")
    bars.wait_for("connect", name="one")

    bars.make(name="two", container="second")
    bars.wait_for("connect", name="two")

    assert bars.world.count["connect"] == 1
    assert bars.call("bar.isConnected()", "two") is True


def test_bars_share_one_connection_and_the_last_one_closes_it(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.world.put("b", state="running", progress=30)
    bars.make("a", name="one")
    bars.make("b", name="two", container="second")
    bars.make("a", name="three", container="second")
    expect(bars.part("percent", "second")).to_have_text(["30%", "20%"])

    assert bars.world.sockets == 1
    assert bars.world.count["connect"] == 1

    bars.call("bar.destroy()", "one")
    bars.world.put("a", progress=21)
    expect(bars.part("percent", "second")).to_have_text(["30%", "21%"])
    bars.call("bar.destroy()", "two")
    eventually(lambda: bars.world.joined("b") == 0)
    bars.call("bar.destroy()", "three")
    eventually(lambda: bars.world.sockets == 0)


def test_after_a_dropped_connection_it_joins_again_and_shows_the_present(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a")
    bars.wait_joined("a")

    bars.world.put("a", progress=70, silently=True)
    bars.world.drop_sockets()

    expect(bars.part("percent")).to_have_text("70%")
    assert len(bars.events("disconnect")) == 1
    assert len(bars.events("connect")) == 2


def test_a_restarted_server_is_found_again(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=200, maxReconnectAttempts=500)
    bars.wait_joined("a")

    bars.world.stop()
    expect(bars.part("notes")).to_contain_text(re.compile(r"Reconnecting \(\d+ of 500\)"))
    expect(bars.part("bar")).not_to_have_attribute("data-moving", "")
    assert bars.call("bar.isConnected()") is False
    bars.world.put("a", state="completed", progress=100, silently=True)
    bars.world.start()

    expect(bars.part("percent")).to_have_text("100%")


def test_after_five_tries_it_gives_up_says_so_and_offers_to_reconnect(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=20)
    bars.wait_joined("a")

    bars.world.stop()
    bars.wait_for("reconnect_failed")

    assert bars.events("reconnecting") == [[n, 5] for n in range(1, 6)]
    expect(bars.part("notes")).to_contain_text("Connection lost: gave up after 5 tries")
    expect(bars.page.get_by_role("status")).to_have_text("Connection lost: gave up after 5 tries, 20%")
    assert bars.call("bar.state.transport") is None

    bars.world.start()
    bars.button("reconnect").click()
    expect(bars.part("notes")).to_have_text("Live")
    expect(bars.button("reconnect")).to_be_hidden()
    assert len(bars.events("reconnect_failed")) == 1


def test_a_server_that_was_never_there_is_given_up_too(bars: Bars) -> None:
    bars.world.stop()

    bars.make("a", reconnectDelay=20, maxReconnectAttempts=2)

    bars.wait_for("reconnect_failed")
    assert bars.events("connect") == []
    assert bars.events("error")[0][0]["code"] == "unreachable"


def test_without_auto_reconnect_it_waits_for_the_person(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", autoReconnect=False)
    bars.wait_joined("a")

    bars.world.drop_sockets()
    expect(bars.part("notes")).to_contain_text("Not connected")
    assert bars.events("reconnecting") == []

    bars.button("reconnect").click()
    expect(bars.part("notes")).to_have_text("Live")


def test_being_online_again_begins_a_new_round(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=60_000)
    bars.wait_joined("a")

    bars.page.context.set_offline(True)
    bars.wait_for("disconnect")
    expect(bars.part("notes")).to_contain_text("Reconnecting (1 of 5)")
    bars.world.put("a", progress=80, silently=True)
    bars.page.context.set_offline(False)

    expect(bars.part("percent")).to_have_text("80%")


def test_a_page_that_becomes_visible_begins_a_new_round(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=20, maxReconnectAttempts=1)
    bars.wait_joined("a")
    bars.world.stop()
    bars.wait_for("reconnect_failed")
    bars.world.start()

    bars.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(bars.part("notes")).to_have_text("Live")


def test_a_heartbeat_is_sent_and_one_that_is_not_answered_is_a_lost_connection(bars: Bars) -> None:
    bars.page.clock.install()
    bars.open()
    bars.world.put("a", state="running", progress=20)
    bars.make("a", heartbeatInterval=15_000)
    bars.wait_joined("a")
    bars.call("bar.socket.on('pong', () => { window.ponged = true; })")

    bars.page.clock.run_for(15_100)
    eventually(lambda: bars.page.evaluate("window.ponged"))
    assert len(bars.world.heard_of("ping")) == 1
    bars.page.clock.run_for(10_100)
    assert bars.call("bar.isConnected()") is True

    bars.world.answers_pings = False
    bars.page.clock.run_for(5_100)
    eventually(lambda: len(bars.world.heard_of("ping")) == 2)
    bars.page.clock.run_for(10_100)
    assert bars.wait_for("disconnect") == [["heartbeat"]]


def test_the_heartbeat_can_be_stopped_and_started(bars: Bars) -> None:
    bars.make(heartbeatInterval=30)
    eventually(lambda: len(bars.world.heard_of("ping")) >= 2)

    bars.call("bar.stopHeartbeat()")
    bars.call("new Promise((done) => bar.socket.emit('ping', {t: 'last'}) && bar.socket.once('pong', done))")
    count = len(bars.world.heard_of("ping"))
    bars.call("new Promise((done) => setTimeout(done, 150))")
    assert len(bars.world.heard_of("ping")) == count

    bars.call("bar.startHeartbeat()")
    eventually(lambda: len(bars.world.heard_of("ping")) > count)


def test_a_tab_that_slept_for_six_minutes_is_not_called_lost(bars: Bars) -> None:
    bars.page.clock.install()
    bars.open()
    bars.world.put("a", state="running", progress=20)
    bars.make("a", heartbeatInterval=15_000)
    bars.wait_joined("a")
    bars.world.answers_pings = False
    bars.page.clock.run_for(15_100)
    bars.world.answers_pings = True

    # Timers fire late and once, as they do after sleep.
    bars.page.clock.fast_forward(360_000)
    bars.world.put("a", progress=90, silently=True)
    bars.page.evaluate("document.dispatchEvent(new Event('resume'))")

    expect(bars.part("percent")).to_have_text("90%")
    assert ["heartbeat"] not in bars.events("disconnect")
    assert bars.events("reconnect_failed") == []


def test_a_tab_that_has_slept_and_is_seen_again_asks_for_the_present_once(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", heartbeatInterval=200)
    bars.wait_joined("a")
    bars.wait_for("progress")

    bars.page.evaluate("""() => {
        const now = Date.now;
        Date.now = () => now() + 20_000; // Not so long that the socket itself gives up.
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    pings = len(bars.world.heard_of("ping"))
    eventually(lambda: len(bars.world.heard_of("ping")) >= pings + 3)

    assert len(bars.world.heard_of("join")) == 2


def test_a_tab_whose_connection_died_while_it_was_frozen_shows_the_present_when_it_wakes(bars: Bars) -> None:
    # A long task stands for the freeze here (a real one: test_bar_asleep.py), so that `resume` is certain to come
    # before the news that the connection has gone.
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=60_000)
    bars.wait_joined("a")

    bars.page.evaluate(
        """() => void setTimeout(() => {
            for (const end = performance.now() + 500; performance.now() < end; );
            document.dispatchEvent(new Event('resume'));
        })"""
    )
    bars.world.drop_sockets()
    bars.world.put("a", progress=90, silently=True)

    expect(bars.part("percent")).to_have_text("90%")
    assert bars.events("reconnect_failed") == []


def test_it_can_be_disconnected_and_connected_again_by_hand(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a")
    bars.wait_joined("a")

    bars.call("bar.disconnectWebSocket()")
    eventually(lambda: bars.world.sockets == 0)
    assert bars.call("[bar.socket, bar.isConnected()]") == [None, False]
    expect(bars.part("notes")).to_contain_text("Not connected")

    bars.call("bar.initWebSocket()")
    bars.call("bar.bindWebSocketEvents()")
    bars.world.put("a", progress=40)
    expect(bars.part("percent")).to_have_text("40%")
    assert len([1 for (task,) in bars.events("progress") if task["progress"] == 40]) == 1


def test_rooms_can_be_joined_and_left_by_hand(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make()
    bars.wait_for("connect")

    bars.call("bar.joinTaskRoom('a')")
    bars.wait_joined("a")
    bars.call("bar.leaveTaskRoom('a')")
    bars.wait_joined("a", 0)


def test_a_state_can_be_handed_over_by_hand(bars: Bars) -> None:
    bars.make()
    bars.call("bar.handleProgressUpdate({ task_id: 'x', status: 'running', progress: 33, message: 'by hand' })")
    bars.call("bar.handleProgressUpdate({ task_id: 'x', status: 'completed', progress: 100, message: 'done' })")

    expect(bars.part("percent")).to_have_text("100%")
    assert len(bars.events("complete")) == 1


def test_the_token_is_asked_for_with_each_join(bars: Bars) -> None:
    bars.world.token = "t2"
    bars.world.put("a", state="running", progress=20)
    bars.page.evaluate(
        """() => {
            let n = 0;
            const options = { reconnectDelay: 50, token: async () => `t${++n}` };
            window.bars = { bar: new ProgressBar('progress-container', options) };
            bars.bar.start({ taskId: 'a' });
        }"""
    )

    # The first one is refused, and a fresh one is asked for before anyone is told of it.
    expect(bars.part("percent")).to_have_text("20%")
    assert [join["token"] for join in bars.world.heard_of("join")] == ["t1", "t2"]

    bars.world.token = "t3"
    bars.world.drop_sockets()
    bars.world.put("a", progress=25)
    expect(bars.part("percent")).to_have_text("25%")


def test_a_token_given_to_start_is_used(bars: Bars) -> None:
    bars.world.token = "secret"
    bars.world.put("a", state="running", progress=20)
    bars.make()
    bars.call("void bar.start({ taskId: 'a', token: 'secret' })")

    expect(bars.part("percent")).to_have_text("20%")
    assert all("secret" not in path for _, path, _ in bars.world.requests)


def test_a_cancel_without_a_live_connection_goes_by_http(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a", autoReconnect=False)
    bars.wait_joined("a")
    bars.world.drop_sockets()
    bars.wait_for("disconnect")

    assert bars.call("bar.cancel()") is True

    assert ("POST", "/api/tasks/a/cancel") in [(method, path) for method, path, _ in bars.world.requests]
    expect(bars.part("title")).to_have_text("Cancelled")


def test_a_cancel_over_which_the_connection_broke_goes_by_http_too(bars: Bars) -> None:
    bars.world.hangs_up_on_cancel = True
    bars.world.confirms_cancel = False
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=60_000)
    bars.wait_joined("a")

    assert bars.call("bar.cancel()") is True

    assert [path for method, path, _ in bars.world.requests if method == "POST"] == ["/api/tasks/a/cancel"]
    assert bars.events("error") == []


def test_a_cancel_that_does_not_reach_the_server_is_not_shown_as_one_and_can_be_asked_for_again(bars: Bars) -> None:
    # The part of the script that would ask over HTTP can't be had either.
    bars.page.route("**/progress-more.mjs*", lambda route: route.abort())
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=60_000)
    bars.wait_joined("a")
    bars.world.stop()
    bars.wait_for("disconnect")

    assert bars.call("bar.cancel()") is False

    ((error,),) = bars.events("error")
    assert (error["code"], error["task_id"]) == ("unreachable", "a")
    expect(bars.button("cancel")).to_have_text("Cancel")
    bars.world.start()
    bars.page.unroute_all()
    assert bars.call("bar.cancel()") is True
    assert bars.world.tasks["a"]["state"] == "cancelled"


def test_the_namespace_can_be_another(bars: Bars) -> None:
    bars.make(websocketUrl="/elsewhere", maxReconnectAttempts=0)

    bars.wait_for("reconnect_failed")
    assert bars.world.sockets == 0

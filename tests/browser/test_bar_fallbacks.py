"""Without the Socket.IO client: event streams, then HTTP; without a server: a local bar."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.bar.driver import Bars
from tests.helpers import eventually


def test_without_the_client_it_reads_event_streams(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.world.token = "secret"
    bars.world.put("a", state="running", progress=20)
    bars.make("a", token="secret")
    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("[bar.isConnected(), bar.state.transport, bar.socket]") == [True, "sse", None]

    bars.world.put("a", progress=30, message="正在生成文案")
    expect(bars.part("message")).to_have_text("正在生成文案")
    assert bars.call("bar.state.actions") == ["cancel", "retry"]
    assert all("secret" not in path for _, path, _ in bars.world.requests)
    assert len(bars.events("connect")) == 1

    assert bars.call("bar.cancel()") is True
    expect(bars.part("title")).to_have_text("Cancelled")
    assert bars.events("disconnect") == []

    bars.button("retry").click()
    expect(bars.part("title")).to_have_text("Waiting to start")
    bars.world.put("a", state="running", progress=10)
    expect(bars.part("percent")).to_have_text("10%")


def test_a_broken_stream_is_taken_up_again(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.world.put("a", state="running", progress=20)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("20%")

    bars.world.put("a", progress=50, silently=True)
    bars.world.drop_sockets()

    expect(bars.part("percent")).to_have_text("50%")
    assert bars.events("disconnect") == [["stream ended"]]
    assert len(bars.events("connect")) == 2


def test_where_streams_fail_it_asks_every_second(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.world.has_streams = False
    bars.world.put("a", state="running", progress=20)
    bars.world.add_log("a", "first", hide=True)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("20%")
    assert bars.call("[bar.isConnected(), bar.state.transport]") == [True, "http"]

    bars.button("log").click()
    expect(bars.part("words")).to_have_text(["first"])
    bars.world.add_log("a", "second", hide=True)
    bars.world.put("a", progress=30, silently=True)
    expect(bars.part("percent")).to_have_text("30%")
    expect(bars.part("words")).to_have_text(["first", "second"])

    bars.world.stop()
    bars.wait_for("disconnect")
    bars.world.start()
    bars.world.put("a", state="completed", progress=100, silently=True)
    expect(bars.part("percent")).to_have_text("100%")
    bars.button("log").click()
    requests = len(bars.world.requests)
    bars.call("new Promise((done) => setTimeout(done, 1200))")
    assert len(bars.world.requests) == requests, "a task that has ended is not asked for"


def test_a_server_that_is_gone_is_given_up_without_the_client_too(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.world.put("a", state="running", progress=20)
    bars.make("a", reconnectDelay=20, maxReconnectAttempts=2)
    expect(bars.part("percent")).to_have_text("20%")

    bars.world.stop()
    bars.wait_for("reconnect_failed")
    bars.world.start()
    bars.button("reconnect").click()

    expect(bars.part("notes")).to_have_text("Live")


def test_an_unknown_task_is_said_without_the_client_too(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.make("nobody")

    expect(bars.part("notes")).to_have_text("This task does not exist, or you may not see it")
    assert bars.events("reconnecting") == []


def test_many_bars_leave_connections_for_the_page(bars: Bars) -> None:
    bars.open("no-client.html")
    for i in range(8):
        bars.world.put(f"t{i}", state="running", progress=i)
        bars.make(f"t{i}", name=f"bar{i}")

    expect(bars.part("percent")).to_have_text([f"{i}%" for i in range(8)])
    assert bars.world.count["stream"] <= 3
    bars.world.put("t7", progress=70)
    expect(bars.part("percent").nth(7)).to_have_text("70%")


def test_on_a_page_whose_server_knows_nothing_of_headway_it_is_a_local_bar(bars: Bars) -> None:
    bars.open("no-client.html")
    bars.world.has_api = False
    bars.make("a")
    bars.wait_until("state.transport === 'local'")

    bars.call("void bar.updateProgress(42.9, { message: 'Uploading', details: { completed: 3, total: 7 } })")
    expect(bars.part("percent")).to_have_text("42%")
    expect(bars.part("meta")).to_have_text("3 of 7")
    expect(bars.part("notes")).to_have_text("")
    assert bars.events("error") == []


def test_a_bar_without_a_task_is_driven_by_the_page(bars: Bars) -> None:
    bars.make(websocketUrl=None, label="Upload")
    bars.call("void bar.start()")
    assert bars.call("[bar.state.transport, bar.isConnected(), bar.getTaskId()]") == ["local", False, None]

    bars.call("void bar.updateProgress(30, { message: 'half' }).updateProgress(20).updateProgress(NaN)")
    expect(bars.part("percent")).to_have_text("30%")
    expect(bars.part("title")).to_have_text("Upload")
    bars.call("void bar.updateProgress(130)")
    expect(bars.part("percent")).to_have_text("99%")
    bars.call("void bar.complete('All there').updateProgress(5)")
    expect(bars.part("percent")).to_have_text("100%")
    expect(bars.part("message")).to_have_text("All there")
    assert [task["state"] for (task,) in bars.events("complete")] == ["completed"]
    expect(bars.button("retry")).to_be_hidden()

    bars.call("void bar.start().fail('No luck')")
    expect(bars.part("message")).to_have_text("No luck")
    assert len(bars.events("fail")) == 1

    bars.call("void bar.start().updateProgress(10)")
    bars.button("cancel").click()
    expect(bars.part("doing")).to_have_text("Cancelled")
    assert [len(bars.events(kind)) for kind in ("cancel", "cancelled")] == [1, 1]


def test_a_local_bar_beside_a_live_connection_stays_local_until_it_has_a_task(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=60)
    bars.make()
    bars.wait_for("connect")
    bars.call("void bar.updateProgress(10)")
    expect(bars.part("percent")).to_have_text("10%")

    bars.call("void bar.start({ taskId: 'a' })")
    expect(bars.part("percent")).to_have_text("60%")
    eventually(lambda: bars.world.joined("a") == 1)


def test_what_the_page_says_of_a_servers_task_stands_until_the_server_speaks(bars: Bars) -> None:
    bars.world.put("a", state="running", progress=20)
    bars.make("a")
    expect(bars.part("percent")).to_have_text("20%")

    bars.call("void bar.complete('as the page believes')")
    expect(bars.part("percent")).to_have_text("100%")
    bars.world.put("a", progress=30, message="as it is")

    expect(bars.part("percent")).to_have_text("30%")
    expect(bars.part("message")).to_have_text("as it is")

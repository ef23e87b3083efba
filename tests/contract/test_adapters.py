"""One body for all adapters of the protocol: `Gateway`, and Flask-SocketIO in threading and in gevent mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio.exceptions

from headway import ProgressManager
from tests.contract.viewers import NAMESPACE, NodeViewer, Viewer, read_stream
from tests.helpers import ROOT, ServerProcess, eventually
from tests.integration.raw_sockets import RawClients, is_closed_by_server
from tests.invariants import History

ADAPTERS = ["gateway", "gateway-ordinary", "threading", "gevent", "gevent-patched"]
TRANSPORTS = ["websocket", "polling"]


@pytest.fixture(scope="module", params=ADAPTERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('adapter') / 'tasks.db'}"
    script = ROOT / "tests/contract/adapter_server.py"
    with ServerProcess.python("-W", "error", script, request.param, "{port}", store, ready="/") as running:
        running.store = store  # type: ignore[attr-defined]
        yield running
        # gevent's own server complains of clients that leave abruptly; our files have no part in that.
        assert "headway/web" not in running.log, running.log[-5000:]


@pytest.fixture
def manager(server: ServerProcess) -> Iterator[ProgressManager]:
    """The test's own manager on the same file: another process to the server."""
    with ProgressManager(store=server.store) as opened:  # type: ignore[attr-defined]
        yield opened


def start_work(server: ServerProcess, **asked: object) -> str:
    answer = requests.post(f"{server.url}/work", json={"updates": 10, "pause_s": 0.03, **asked}, timeout=10)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("transport", [*TRANSPORTS, "upgrade"])
def test_updates_of_a_plain_thread_reach_the_viewer_and_end_with_the_result(
    server: ServerProcess, transport: str
) -> None:
    with Viewer(server.url, transport=transport) as viewer:
        task_id = start_work(server, log=True)
        assert viewer.join(task_id, log_from=1) == {"ok": True, "actions": ["cancel"]}

        end = viewer.end()

        assert (end["state"], end["progress"], end["result"]) == ("completed", 100, {"content": "..."})
        assert "正在生成文案..." in {state["message"] for state in viewer.states()}
        assert {"generating_content", "completed"} <= {state["status"] for state in viewer.states()}
        assert viewer.lines() == list(range(1, 11))
        viewer.history.check()


def test_a_client_by_node_sees_the_same(server: ServerProcess) -> None:
    with NodeViewer(server.url, "upgrade") as viewer:
        task_id = start_work(server)
        assert viewer.ask("join", {"task_id": task_id})["ok"]
        eventually(lambda: [state for state in viewer.of("progress") if state["state"] == "completed"])
        assert viewer.ask("ping", {"t": 5}) == {"ok": True}

        assert viewer.of("connected")[0]["protocol"] == 1
        assert viewer.of("pong")[0]["t"] == 5
        revs = [state["rev"] for state in viewer.of("progress")]
        assert revs == sorted(set(revs))


def test_updates_of_another_process_reach_the_viewer(server: ServerProcess, manager: ProgressManager) -> None:
    with Viewer(server.url) as viewer:
        task_id = manager.create_task("elsewhere", total=3)
        viewer.join(task_id)
        manager.update_progress(task_id, completed=1)
        eventually(lambda: [state for state in viewer.states() if state["details"].get("completed") == 1])
        manager.complete_task(task_id)

        assert viewer.end()["state"] == "completed"
        viewer.history.check()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_late_joiner_has_the_final_state_in_one_round_trip(
    server: ServerProcess, manager: ProgressManager, transport: str
) -> None:
    task_id = manager.create_task()
    manager.fail_task(task_id, "no luck")
    with Viewer(server.url, transport=transport) as viewer:
        viewer.join(task_id)

        assert viewer.end()["error"] == {"code": "failed", "message": "no luck"}
        assert len(viewer.states()) == 1


def test_a_viewer_is_greeted_before_anything_else(server: ServerProcess) -> None:
    with Viewer(server.url) as viewer:
        eventually(lambda: viewer.events)

        name, greeting = viewer.events[0]
        assert name == "connected"
        assert greeting["protocol"] == 1
        assert greeting["heartbeat_s"] > 0


def test_a_viewer_can_cancel_and_sees_the_outcome(server: ServerProcess, manager: ProgressManager) -> None:
    with Viewer(server.url) as viewer:
        task_id = manager.create_task()
        viewer.join(task_id)

        assert viewer.ask("cancel_task", {"task_id": task_id, "reason": "enough"}) == {"ok": True}
        assert viewer.end()["cancel_reason"] == "enough"
        again = viewer.ask("cancel_task", {"task_id": task_id})
        assert again["error"]["code"] == "not_cancellable"
        assert viewer.ask("retry_task", {"task_id": task_id})["error"]["code"] == "not_retryable"


def test_a_left_task_says_nothing_more_and_others_never_did(server: ServerProcess, manager: ProgressManager) -> None:
    history = History()
    with Viewer(server.url, history=history) as viewer:
        left, kept, foreign = (manager.create_task() for _ in range(3))
        viewer.join(left)
        viewer.join(kept)
        eventually(lambda: viewer.states(left) and viewer.states(kept))
        viewer.leave(left)
        for task_id in (left, foreign, kept):
            manager.complete_task(task_id)
        viewer.end(kept)

        assert viewer.states(foreign) == []
        assert [state["state"] for state in viewer.states(left)] == ["pending"]
        history.check(unfinished=[left])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_errors_are_acknowledged_or_sent_and_the_connection_lives_on(server: ServerProcess, transport: str) -> None:
    with Viewer(server.url, transport=transport) as viewer:
        assert viewer.ask("join", {"task_id": "unknown"})["error"]["code"] == "task_not_found"
        assert viewer.ask("join", {"task_id": 5})["error"]["code"] == "invalid_request"
        assert viewer.ask("nonsense")["error"]["code"] == "invalid_request"
        assert viewer.of("error") == []

        viewer.emit("join", {"task_id": "unknown"})
        viewer.emit("join", {"task_id": 5})
        viewer.emit("join", b"\x00binary")
        eventually(lambda: len(viewer.of("error")) == 3)

        assert [error["code"] for error in viewer.of("error")] == [
            "task_not_found",
            "invalid_request",
            "invalid_request",
        ]
        assert viewer.ask("ping") == {"ok": True}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1.evil.example"])
def test_a_page_of_another_site_can_not_connect(server: ServerProcess, transport: str, origin: str) -> None:
    viewer = Viewer(server.url, transport=transport, headers={"Origin": origin})

    with pytest.raises(socketio.exceptions.ConnectionError), viewer:
        pytest.fail("was let in")
    viewer.client.shutdown()


def test_a_page_of_the_own_host_can(server: ServerProcess) -> None:
    with Viewer(server.url, headers={"Origin": server.url}) as viewer:
        assert viewer.ask("ping") == {"ok": True}


@pytest.mark.parametrize("text", ["x" * 70_000, "正" * 25_000, b"x" * 70_000], ids=["text", "UTF-8", "binary"])
def test_a_message_over_the_limit_ends_its_connection(server: ServerProcess, text: str | bytes) -> None:
    with RawClients(server) as clients:
        opened = clients.socket()
        if isinstance(text, str):
            opened.send(f'42{NAMESPACE},["ping",{{"t":"{text}"}}]')
        else:
            opened.send_binary(text)

        assert is_closed_by_server(opened)


def test_two_bursts_of_events_are_limited(server: ServerProcess) -> None:
    with Viewer(server.url) as flooding, Viewer(server.url) as other:
        for _ in range(300):
            flooding.emit("ping")
        eventually(lambda: len(flooding.of("pong")) + len(flooding.of("error")) == 300)

        assert {error["code"] for error in flooding.of("error")} == {"rate_limited"}
        assert other.ask("ping") == {"ok": True}


def test_an_event_stream_has_it_all(server: ServerProcess) -> None:
    task_id = start_work(server, log=True)
    history = History()
    history.join("stream", task_id, 1)

    events = read_stream(f"{server.url}/api/tasks/{task_id}/events?log_from=1", history)

    assert (events[-1][0], events[-1][2]["state"]) == ("progress", "completed")
    assert [line["n"] for event, _, data in events if event == "log" for line in data["lines"]] == list(range(1, 11))
    history.check()
    last_id = events[-1][1]
    resumed = requests.get(
        f"{server.url}/api/tasks/{task_id}/events?log_from=1", headers={"Last-Event-ID": last_id}, timeout=10
    )
    assert resumed.status_code == 204


def test_http_and_static_files_are_served_beside_the_apps_own(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task("over HTTP")

    def get(path: str) -> requests.Response:
        return requests.get(server.url + path, timeout=10)

    assert get("/").text == "the app's own page"
    assert get(f"/api/tasks/{task_id}").json()["name"] == "over HTTP"
    assert get("/api/tasks/unknown").json()["error"]["code"] == "task_not_found"
    assert get("/api/tasks").status_code == 403
    assert "ProgressBar" in get("/static/js/progress.js").text
    assert get("/static/js/socket.io.min.js").status_code == 200
    assert get("/static/nope.js").status_code == 404
    posted = requests.post(f"{server.url}/api/tasks/{task_id}/cancel", timeout=10)
    assert (posted.status_code, posted.json()["state"]) == (202, "cancelled")
    refused = requests.post(
        f"{server.url}/api/tasks/{task_id}/cancel", headers={"Origin": "http://evil.example"}, timeout=10
    )
    assert refused.json()["error"]["code"] == "cross_origin"


def test_a_viewer_that_leaves_ends_nothing(server: ServerProcess, tmp_path: Path) -> None:
    with Viewer(server.url) as viewer:
        task_id = start_work(server, updates=20)
        viewer.join(task_id)
    with Viewer(server.url) as later:
        later.join(task_id)

        assert later.end()["state"] == "completed"

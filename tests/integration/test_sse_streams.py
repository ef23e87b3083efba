"""Event streams of a real gateway: resumed, abandoned, not read, ended with the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from headway import ProgressManager
from tests.contract.viewers import read_stream
from tests.helpers import ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients, resident_mib
from tests.invariants import History


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sse") / "tasks.db"


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[ServerProcess]:
    with gateway_server(store, bounds={"body_within_s": 2}) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-5000:]


@pytest.fixture
def manager(store: Path) -> Iterator[ProgressManager]:
    with ProgressManager(store=f"sqlite:///{store}") as opened:
        yield opened


def metric(server: ServerProcess, name: str) -> int:
    text = requests.get(f"{server.url}/metrics", timeout=10).text
    return int(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def test_a_stream_that_breaks_in_the_middle_is_resumed_without_loss(
    server: ServerProcess, manager: ProgressManager
) -> None:
    task_id = manager.create_task()
    history = History()
    history.join("stream", task_id, 1)
    url = f"{server.url}/api/tasks/{task_id}/events?log_from=1"
    last_id = ""
    seen_lines: list[int] = []
    for n in range(5):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with requests.get(url, stream=True, timeout=20, headers=headers) as response:
            manager.add_log(task_id, f"line {n + 1}")
            manager.update_progress(task_id, progress=n * 10)
            manager.get_task(task_id)
            for line in response.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("id: "):
                    last_id = line.removeprefix("id: ")
                if line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    (history.log if "lines" in data else history.progress)("stream", data)
                    seen_lines += [one["n"] for one in data.get("lines", [])]
                if n + 1 in seen_lines:
                    break
    manager.complete_task(task_id)
    with requests.get(url, stream=True, timeout=20, headers={"Last-Event-ID": last_id}) as response:
        for line in response.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                (history.log if "lines" in data else history.progress)("stream", data)

    assert seen_lines == [1, 2, 3, 4, 5]
    history.check()


def test_a_hundred_streams_take_no_thread_each_and_all_end(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    url = f"{server.url}/api/tasks/{task_id}/events"
    with ThreadPoolExecutor(100) as pool:
        streams = [pool.submit(read_stream, url) for _ in range(100)]
        eventually(lambda: metric(server, "headway_viewers") == 100)
        threads = len(list(Path(f"/proc/{server.pid}/task").iterdir()))
        manager.complete_task(task_id)

        assert {stream.result()[-1][2]["state"] for stream in streams} == {"completed"}
    assert threads < 80
    eventually(lambda: metric(server, "headway_viewers") == 0)


def test_abandoned_streams_are_noticed(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    with RawClients(server) as clients:
        for _ in range(20):
            clients.tcp(f"GET /api/tasks/{task_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()).recv(100)
        eventually(lambda: metric(server, "headway_viewers") == 20)

    eventually(lambda: metric(server, "headway_viewers") == 0)
    assert metric(server, "headway_connections") == 0


def test_a_stream_that_is_not_read_costs_little_and_is_ended(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    before = resident_mib(server)
    padding = "x" * 8_000
    with RawClients(server) as clients:
        request = f"GET /api/tasks/{task_id}/events?log_from=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        for _ in range(3):
            clients.tcp(request)
        eventually(lambda: metric(server, "headway_viewers") == 3)
        # More than what fits into the kernel's buffers of a connection.
        for n in range(300):
            manager.update_progress(task_id, progress=n / 10, details={"padding": padding[:4_000]})
            for _ in range(10):
                manager.add_log(task_id, padding[:4_000])
            manager.get_task(task_id)

        eventually(lambda: metric(server, "headway_viewers") == 0, 30)
        assert resident_mib(server) - before < 20


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/tasks/unknown/events", {}, 404, "task_not_found"),
        ("/api/tasks/a%20b/events", {}, 400, "invalid_request"),
        ("/api/tasks/ID/events?log_from=x", {}, 400, "invalid_request"),
        ("/api/tasks/ID/events", {"Last-Event-ID": "garbage"}, 400, "invalid_request"),
        ("/api/tasks/ID/events", {"Origin": "http://evil.example"}, 403, "cross_origin"),
        ("/api/tasks/ID/events", {"Origin": "null"}, 403, "cross_origin"),
    ],
)
def test_what_can_not_be_streamed_is_told_as_json(
    server: ServerProcess, manager: ProgressManager, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    path = path.replace("ID", manager.create_task())

    response = requests.get(server.url + path, headers=headers, timeout=10)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_stream_may_be_read_through_a_proxy(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    with requests.get(f"{server.url}/api/tasks/{task_id}/events", stream=True, timeout=10) as response:
        headers = response.headers

    assert headers["X-Accel-Buffering"] == "no"
    assert "no-transform" in headers["Cache-Control"]
    assert headers["Headway-Actions"] == "cancel"


def test_a_server_that_stops_does_not_wait_for_its_streams(store: Path, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    with gateway_server(store) as stopping, ThreadPoolExecutor(1) as pool:
        stream = pool.submit(read_stream, f"{stopping.url}/api/tasks/{task_id}/events")
        eventually(lambda: metric(stopping, "headway_viewers") == 1)

        assert stopping.terminate(timeout=8) in (0, -15)
        assert stream.result()[0][2]["state"] == "pending"

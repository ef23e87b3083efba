"""The WSGI app beside the gateway stays responsive, whatever its clients leave undone."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest
import requests

from tests.contract.viewers import Viewer
from tests.helpers import ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients, was_ended


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = tmp_path_factory.mktemp("wsgi") / "tasks.db"
    options = {"wsgi_workers": 4, "wsgi_body_limit": 100_000}
    with gateway_server(store, bounds={"body_within_s": 4}, gateway=options) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-5000:]


@pytest.fixture
def clients(server: ServerProcess) -> Iterator[RawClients]:
    with RawClients(server) as opened:
        yield opened


def home_answers(server: ServerProcess) -> bool:
    return requests.get(server.url, timeout=10).text == "the app's own page"


def test_the_app_answers_beside_twenty_abandoned_streams(server: ServerProcess, clients: RawClients) -> None:
    for _ in range(20):
        abandoned = clients.tcp(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert abandoned.recv(100)
        abandoned.close()

    assert home_answers(server)
    eventually(lambda: requests.get(f"{server.url}/streams", timeout=10).text == "0")


def test_a_stream_that_is_not_read_is_ended(server: ServerProcess, clients: RawClients) -> None:
    for _ in range(8):
        clients.tcp(b"GET /endless?bytes=1000000 HTTP/1.1\r\nHost: x\r\n\r\n")

    eventually(lambda: requests.get(f"{server.url}/streams", timeout=20).text == "0", 60)
    assert home_answers(server)


def test_the_app_answers_beside_twenty_half_sent_bodies(server: ServerProcess, clients: RawClients) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    halves = [clients.tcp(head + b"x" * 100) for _ in range(20)]

    assert home_answers(server)
    assert requests.post(f"{server.url}/echo", data=b"whole", timeout=10).content == b"whole"
    ended, _, _ = select.select(halves, (), (), 0)
    assert ended == [], "the half-sent ones were waited for"
    assert was_ended(halves[0], 20)


def test_viewers_are_served_while_all_threads_of_the_app_are_taken(server: ServerProcess, clients: RawClients) -> None:
    for _ in range(4):
        clients.tcp(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").recv(100)
    with Viewer(server.url) as viewer:
        assert viewer.ask("ping") == {"ok": True}
        assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200


def test_bodies_over_the_limit_are_refused_before_a_thread_is_taken(server: ServerProcess) -> None:
    assert requests.post(f"{server.url}/echo", data=b"x" * 100_000, timeout=10).status_code == 200
    declared = requests.post(f"{server.url}/echo", data=b"x" * 100_001, timeout=10)
    chunked = requests.post(f"{server.url}/echo", data=iter([b"x" * 60_000] * 2), timeout=10)

    assert (declared.status_code, declared.json()["error"]["code"]) == (413, "too_large")
    assert chunked.status_code == 413
    assert home_answers(server)

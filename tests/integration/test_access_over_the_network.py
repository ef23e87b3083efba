"""Access as a stranger meets it: on every road, with real servers; and what a mounted gateway serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import websocket

from headway import ProgressManager
from headway.web.access import SignedAccess
from tests.contract.viewers import Viewer, read_stream
from tests.helpers import ServerProcess
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients

SECRET = "a secret of enough characters"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access") / "tasks.db"


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[ServerProcess]:
    env = {"HEADWAY_ACCESS": "signed", "HEADWAY_SECRET": SECRET}
    options = {"origins": ["https://partner.example"]}
    with gateway_server(store, env=env, gateway=options) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-5000:]


@pytest.fixture
def manager(store: Path) -> Iterator[ProgressManager]:
    with ProgressManager(store=f"sqlite:///{store}", access="signed") as opened:
        yield opened


def test_a_token_opens_every_road_and_is_never_logged(server: ServerProcess, manager: ProgressManager) -> None:
    task_id = manager.create_task(task_id="short")
    token = SignedAccess(SECRET).issue_token(task_id)
    bearer = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/api/tasks/{task_id}"

    with Viewer(server.url) as viewer:
        assert viewer.join(task_id)["error"]["code"] == "task_not_found"
        assert viewer.join(task_id, token=token)["ok"]
        assert requests.get(url, timeout=10).status_code == 404
        assert requests.get(url, headers=bearer, timeout=10).headers["Headway-Actions"] == "cancel"
        assert requests.get(f"{url}/events", timeout=10).status_code == 404
        assert requests.post(f"{url}/cancel", timeout=10).status_code == 404
        assert requests.get(f"{url}?token={token}", timeout=10).status_code == 404, "never from a URL"
        assert viewer.ask("cancel_task", {"task_id": task_id, "token": token}) == {"ok": True}

        assert viewer.end()["state"] == "cancelled"
    assert read_stream(f"{url}/events", headers=bearer)[-1][2]["state"] == "cancelled"
    assert token not in server.log


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("OWN", True),
        ("https://partner.example", True),
        ("null", False),
        ("https://partner.example.evil.net", False),
        ("http://partner.example", False),
        ("https://evilpartner.example", False),
        ("OWN.evil.net", False),
    ],
)
def test_origins_are_checked_on_every_road(
    server: ServerProcess, manager: ProgressManager, origin: str, may: bool
) -> None:
    origin = origin.replace("OWN", server.url)
    task_id = manager.create_task()
    token = SignedAccess(SECRET).issue_token(task_id)
    headers = {"Origin": origin, "Authorization": f"Bearer {token}"}
    url = f"{server.url}/api/tasks/{task_id}"
    polling = f"{server.url}/socket.io/?EIO=4&transport=polling"

    polled = requests.get(polling, headers=headers, timeout=10)
    cancelled = requests.post(f"{url}/cancel", headers=headers, timeout=10)
    streamed = requests.get(f"{url}/events", headers=headers, timeout=10)
    with RawClients(server) as clients:
        try:
            clients.socket(origin=origin)
            connected = True
        except websocket.WebSocketException:
            connected = False

    statuses = (polled.status_code, cancelled.status_code, streamed.status_code)
    assert (connected, statuses) == (may, (200, 202, 200) if may else (403, 403, 403))
    assert (streamed.headers.get("Access-Control-Allow-Origin") == origin) == (may and origin != server.url)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/socket.io/?EIO=4&transport=polling"),
        ("GET", "/socket.io/?EIO=4&transport=polling"),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=unknown"),
        ("OPTIONS", "/api/tasks/unknown/cancel"),
        ("GET", "/api/tasks/unknown"),
        ("PUT", "/api/tasks/unknown"),
        ("HEAD", "/api/tasks/unknown/events"),
    ],
)
def test_a_listed_page_is_told_once_that_it_may(server: ServerProcess, method: str, path: str) -> None:
    # Browsers take no answer that says it twice.
    origin = "https://partner.example"

    answer = requests.request(method, server.url + path, headers={"Origin": origin}, timeout=10)

    assert answer.raw.headers.getlist("Access-Control-Allow-Origin") == [origin]


def test_a_gateway_with_signed_access_needs_a_secret(tmp_path: Path) -> None:
    server = gateway_server(tmp_path / "t.db", env={"HEADWAY_ACCESS": "signed", "HEADWAY_SECRET": ""})

    with pytest.raises(RuntimeError, match="HEADWAY_SECRET"):
        server.start()
    server.close()


def test_pages_and_answers_carry_security_headers(server: ServerProcess) -> None:
    poll = "/socket.io/?EIO=4&transport=polling"
    for path in ("/healthz", "/api/tasks", "/api/tasks/unknown", "/static/js/progress.js", poll, "/nowhere/x"):
        headers = requests.get(server.url + path, timeout=10).headers
        if path == "/nowhere/x":
            assert "Content-Security-Policy" not in headers, "the app's own answers are the app's affair"
        else:
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
        assert "uvicorn" not in headers.get("Server", "")


@pytest.mark.parametrize(
    "path",
    ["/static/../gateway.py", "/static/%2e%2e/__init__.py", "/static//etc/passwd", "/static/js/progress/index.js"],
)
def test_static_serves_the_shipped_files_alone(server: ServerProcess, path: str) -> None:
    request = requests.Request("GET", server.url).prepare()
    request.url = server.url + path
    with requests.Session() as session:
        assert session.send(request, timeout=10).status_code == 404

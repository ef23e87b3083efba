"""A gateway behind uvicorn's own TLS: every road works by https and wss, on the fast road too."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio.exceptions

from headway import ProgressManager
from tests.contract.viewers import Viewer, read_stream
from tests.helpers import ServerProcess, eventually
from tests.invariants import History

APP = """
from headway import ProgressManager
from headway.web.gateway import Gateway
from headway.web.transport import transport_of

gateway = Gateway(ProgressManager(store={store!r}))


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        print("by the fast road" if transport_of(send) else "by the ordinary road", flush=True)
    await gateway(scope, receive, send)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def store(folder: Path) -> str:
    return f"sqlite:///{folder / 'tasks.db'}"


@pytest.fixture(scope="module")
def certificate(folder: Path) -> str:
    """Signed by itself, for 127.0.0.1; its key beside it. Clients are told to trust it, and check it."""
    path = folder / "cert.pem"
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", path]
    subprocess.run(["openssl", "req", *made, *names, *files], check=True, capture_output=True)
    return str(path)


@pytest.fixture(scope="module")
def server(folder: Path, store: str, certificate: str) -> Iterator[ServerProcess]:
    (folder / "served.py").write_text(APP.format(store=store), "utf-8")
    tls = ["--ssl-keyfile", folder / "key.pem", "--ssl-certfile", certificate]
    options = ["--app-dir", folder, "--host", "127.0.0.1", "--port", "{port}", *tls]
    with ServerProcess.python("-m", "uvicorn", "served:app", *options, ready=None) as running:
        running.url = running.url.replace("http:", "https:")
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def manager(store: str) -> Iterator[ProgressManager]:
    with ProgressManager(store=store) as opened:
        yield opened


@pytest.fixture
def trusting(certificate: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify = certificate
        session.trust_env = False  # Else REQUESTS_CA_BUNDLE would win.
        yield session


@pytest.mark.parametrize("transport", ["websocket", "polling", "upgrade"])
def test_a_viewer_over_tls_is_shown_the_work_to_its_end(
    server: ServerProcess, manager: ProgressManager, trusting: requests.Session, transport: str
) -> None:
    headers = {"Origin": server.url}
    options = {"http_session": trusting}
    with Viewer(server.url, transport=transport, client=options, headers=headers) as viewer:
        task_id = manager.create_task(total=50)
        assert viewer.join(task_id, log_from=1)["ok"]
        for number in range(1, 51):
            manager.update_progress(task_id, completed=number)
            manager.add_log(task_id, f"line {number}")
        manager.complete_task(task_id, result={"content": "x" * 10_000})

        assert viewer.end()["result"] == {"content": "x" * 10_000}
        eventually(lambda: viewer.lines() == list(range(1, 51)))
        viewer.history.check()
    if transport == "websocket":
        assert "by the fast road" in server.log
        assert "by the ordinary road" not in server.log


def test_streams_and_http_work_over_tls(
    server: ServerProcess, manager: ProgressManager, trusting: requests.Session, certificate: str
) -> None:
    task_id = manager.create_task()
    url = f"{server.url}/api/tasks/{task_id}"
    cancelled = trusting.post(f"{url}/cancel", headers={"Origin": server.url}, timeout=10)
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    history = History()
    history.join("stream", task_id)

    events = read_stream(f"{url}/events", history, verify=certificate)

    assert events[-1][2]["state"] == "cancelled"
    history.check()
    assert "ProgressBar" in trusting.get(f"{server.url}/static/js/progress.js", timeout=10).text


def test_a_plain_page_of_the_same_host_is_another_origin(
    server: ServerProcess, manager: ProgressManager, trusting: requests.Session
) -> None:
    plain = {"Origin": server.url.replace("https:", "http:")}
    task_id = manager.create_task()

    refused = trusting.post(f"{server.url}/api/tasks/{task_id}/cancel", headers=plain, timeout=10)
    viewer = Viewer(server.url, client={"http_session": trusting}, headers=plain)

    assert refused.json()["error"]["code"] == "cross_origin"
    with pytest.raises(socketio.exceptions.ConnectionError), viewer:
        pytest.fail("was let in")
    with contextlib.suppress(AttributeError):
        viewer.client.shutdown()
    assert manager.get_task(task_id).state == "pending"

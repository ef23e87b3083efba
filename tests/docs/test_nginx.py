"""docs/howto/nginx.md: its configuration, in a real nginx before a real gateway."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.docs.pages import blocks
from tests.helpers import ServerProcess, free_port
from tests.integration.cli_process import Cli
from tests.nginx import nginx_command


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def site(cli: Cli, tmp_path: Path) -> Iterator[ServerProcess]:
    """nginx as the page says, but for the ports."""
    (block,) = blocks("docs/howto/nginx.md", "nginx")
    port = free_port()
    with ExitStack() as running:
        gateway = running.enter_context(
            ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=tmp_path)
        )
        server = block.code.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
        server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
        yield running.enter_context(ServerProcess(*nginx_command(tmp_path, server), port=port))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_viewer_behind_nginx_sees_the_end(cli: Cli, site: ServerProcess, transport: str) -> None:
    with cli.manager() as manager:
        task_id = manager.create_task(total=10)
        with socketio.SimpleClient() as viewer:
            viewer.connect(site.url, namespace="/progress", transports=[transport])
            assert viewer.call("join", {"task_id": task_id}, timeout=10)["ok"]
            manager.update_progress(task_id, completed=5)
            manager.complete_task(task_id)

            seen = []
            while not seen or seen[-1]["state"] != "completed":
                event, payload = viewer.receive(timeout=10)
                if event == "progress":
                    seen.append(payload)

            assert viewer.transport == transport


def test_an_event_stream_comes_through_unbuffered(cli: Cli, site: ServerProcess) -> None:
    with cli.manager() as manager:
        task_id = manager.create_task(total=10)
        with urllib.request.urlopen(f"{site.url}/api/tasks/{task_id}/events", timeout=10) as stream:
            states = (json.loads(line[6:]) for line in stream if line.startswith(b"data: "))
            assert next(states)["progress"] == 0
            manager.update_progress(task_id, completed=5)
            assert next(states)["progress"] == 50
            manager.complete_task(task_id)
            assert list(states)[-1]["state"] == "completed"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_page_of_the_site_may_connect_and_one_of_another_may_not(site: ServerProcess, transport: str) -> None:
    own, foreign = f"http://127.0.0.1:{site.port}", "http://127.0.0.1.evil.example"

    with client(own, transport) as viewer:
        viewer.connect(site.url, namespace="/progress", **asking(own, transport))
        assert viewer.connected
    with client(foreign, transport) as viewer, pytest.raises(socketio.exceptions.ConnectionError):
        viewer.connect(site.url, namespace="/progress", **asking(foreign, transport))


def client(origin: str, transport: str) -> socketio.SimpleClient:
    """The WebSocket client sends an `Origin` of its own unless it is told one in its own way."""
    return socketio.SimpleClient(websocket_extra_options={"origin": origin} if transport == "websocket" else {})


def asking(origin: str, transport: str) -> dict[str, Any]:
    return {"transports": [transport], "headers": {"Origin": origin} if transport == "polling" else {}}


def test_who_comes_through_nginx_is_not_taken_for_this_machine(cli: Cli, site: ServerProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site.url}/metrics", timeout=10)

    with refused.value as answer:
        assert answer.code == 403


def test_a_body_that_is_too_large_is_refused(cli: Cli, site: ServerProcess) -> None:
    body = b'{"reason": "' + b"x" * 70_000 + b'"}'
    request = urllib.request.Request(f"{site.url}/api/tasks/unknown/cancel", data=body, method="POST")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)

    with refused.value as answer:
        assert answer.code == 413

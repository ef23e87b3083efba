"""nginx's time-outs waited out: docs/howto/nginx.md with 2 s for 75 s, before a gateway that says something sooner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from headway import ProgressManager
from tests.docs.pages import blocks
from tests.helpers import ServerProcess, free_port
from tests.integration.gateway_server import gateway_server
from tests.nginx import nginx_command

TIMEOUT_S = 2

OpenSite = Callable[..., ServerProcess]


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[OpenSite]:
    (block,) = blocks("docs/howto/nginx.md", "nginx")
    assert "proxy_read_timeout 75s;" in block.code
    with ExitStack() as running:

        def opening(**options: object) -> ServerProcess:
            gateway = running.enter_context(gateway_server(tmp_path / "tasks.db", **options))
            port = free_port()
            server = block.code.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
            server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
            server = server.replace("proxy_read_timeout 75s;", f"proxy_read_timeout {TIMEOUT_S}s;")
            return running.enter_context(ServerProcess(*nginx_command(tmp_path, server), port=port))

        yield opening


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ProgressManager]:
    with ProgressManager(store=f"sqlite:///{tmp_path / 'tasks.db'}") as opened:
        yield opened


@contextmanager
def viewer(site: ServerProcess, task_id: str) -> Iterator[ClientConnection]:
    """Engine.IO by hand: what is idle must be seen."""
    url = f"ws://127.0.0.1:{site.port}/socket.io/?EIO=4&transport=websocket"
    with connect(url, ping_interval=None, close_timeout=1) as socket:
        said(socket, "0")
        socket.send("40/progress,")
        socket.send(f'42/progress,["join",{{"task_id":"{task_id}"}}]')
        said(socket, '42/progress,["progress"')
        yield socket


def said(socket: ClientConnection, beginning: str) -> str:
    """The next frame that begins so; pings in between are answered."""
    while True:
        frame = str(socket.recv(timeout=20))
        if frame == "2":
            socket.send("3")
        if frame.startswith(beginning):
            return frame


def test_an_idle_websocket_outlives_the_time_out_by_its_pings(open_site: OpenSite, manager: ProgressManager) -> None:
    site = open_site(gateway={"heartbeat_s": 1})
    task_id = manager.create_task()
    with viewer(site, task_id) as socket:
        begun = time.monotonic()
        while time.monotonic() - begun < 2 * TIMEOUT_S:
            assert said(socket, "2") == "2"

        manager.complete_task(task_id)
        assert '"state":"completed"' in said(socket, '42/progress,["progress"')


def test_a_websocket_that_is_pinged_too_seldom_is_cut(open_site: OpenSite, manager: ProgressManager) -> None:
    """So the time-out of the other tests is one."""
    site = open_site(gateway={"heartbeat_s": 25})

    with viewer(site, manager.create_task()) as socket, pytest.raises(ConnectionClosed):
        said(socket, "2")


def test_an_idle_event_stream_outlives_the_time_out_by_its_comments(
    open_site: OpenSite, manager: ProgressManager
) -> None:
    site = open_site(sse_heartbeat_s=0.7)
    task_id = manager.create_task()
    with requests.get(f"{site.url}/api/tasks/{task_id}/events", stream=True, timeout=20) as stream:
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        begun = time.monotonic()
        for line in lines:
            if line == ": still here" and time.monotonic() - begun > 2 * TIMEOUT_S:
                break

        manager.complete_task(task_id)
        assert '"state":"completed"' in [line for line in lines if line.startswith("data: ")][-1]

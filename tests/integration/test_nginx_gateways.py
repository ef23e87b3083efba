"""docs/howto/many-gateways.md: its configuration, in a real nginx before two real gateways on a real Redis."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import socketio

from headway import ProgressManager
from tests.docs.pages import blocks
from tests.helpers import ServerProcess, eventually, free_port
from tests.integration.audience import Audience
from tests.integration.cli_process import Cli
from tests.invariants import History
from tests.nginx import nginx_command
from tests.ordered_client import OrderedClient
from tests.redis_server import RedisServer

PAGE = "docs/howto/many-gateways.md"
# python-engineio's client forgets sockets whose server died.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Site:
    url: str
    port: int
    gateways: list[ServerProcess]
    manager: ProgressManager


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """As the page says, but for the ports."""
    (block,) = blocks(PAGE, "nginx")
    cli = Cli(tmp_path)
    redis = RedisServer(tmp_path).start()
    with ExitStack() as running:
        running.callback(redis.kill)
        command = cli.command("gateway", "--store", redis.url, "--port", "{port}", "--mount", "/live")
        gateways = [running.enter_context(ServerProcess(*command, env=cli.env, cwd=tmp_path)) for _ in range(2)]
        port = free_port()
        server = block.code.replace("listen 80;", f"listen 127.0.0.1:{port};")
        for written, gateway in zip(("8081", "8082"), gateways, strict=True):
            server = server.replace(f"127.0.0.1:{written}", f"127.0.0.1:{gateway.port}")
        proxy = running.enter_context(ServerProcess(*nginx_command(tmp_path, server), port=port, ready="/live/healthz"))
        manager = running.enter_context(ProgressManager(store=redis.url))
        yield Site(f"{proxy.url}/live", port, gateways, manager)


def test_both_gateways_are_restarted_under_load_and_no_viewer_misses_an_end(site: Site) -> None:
    tasks = [site.manager.create_task() for _ in range(20)]
    first, second = site.gateways
    with (
        Audience([site.port], tasks, 60, path="/live/socket.io/") as audience,
        Pollers(site, tasks[:4]) as pollers,
    ):
        eventually(lambda: audience.joined() == 60, 30)

        for step, gateway in enumerate((first, second)):
            for n in range(10):
                for task_id in tasks:
                    site.manager.update_progress(task_id, progress=step * 30 + n)
            for task_id in tasks[step * 5 : step * 5 + 5]:
                site.manager.complete_task(task_id)
            gateway.restart()
        eventually(lambda: audience.joined() == 60, 30)
        for task_id in tasks[10:]:
            site.manager.complete_task(task_id)

        eventually(lambda: audience.have_ended() == 60, 30)
        eventually(pollers.have_ended, 30)
    audience.history.check()


def test_polling_stays_with_one_gateway_and_is_spread_over_both(site: Site) -> None:
    """Where a request reached the other gateway, that would know nothing of the client and refuse it."""
    task_id = site.manager.create_task()
    with ExitStack() as running:
        clients = [running.enter_context(socketio.SimpleClient()) for _ in range(12)]
        for client in clients:
            client.connect(
                f"http://127.0.0.1:{site.port}",
                namespace="/progress",
                transports=["polling"],
                socketio_path="live/socket.io",
            )
            for _ in range(5):
                assert client.call("join", {"task_id": task_id}, timeout=10)["ok"]

        # While one gateway stands still, the clients of the other are answered.
        os.kill(site.gateways[0].pid, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(len(clients)) as asking:
                answered = list(asking.map(is_answered, clients))
        finally:
            os.kill(site.gateways[0].pid, signal.SIGCONT)
    assert 0 < sum(answered) < len(clients)


def test_a_large_result_is_where_its_address_below_the_mount_says(site: Site) -> None:
    task_id = site.manager.create_task()
    site.manager.complete_task(task_id, result="x" * 20_000)

    with urllib.request.urlopen(f"{site.url}/api/tasks/{task_id}", timeout=10) as answer:
        task = json.load(answer)

    assert task["result_url"] == f"/live/api/tasks/{task_id}/result"
    with urllib.request.urlopen(f"http://127.0.0.1:{site.port}{task['result_url']}", timeout=10) as answer:
        assert json.load(answer) == "x" * 20_000


def is_answered(client: socketio.SimpleClient) -> bool:
    try:
        client.call("ping", {}, timeout=2)
    except socketio.exceptions.TimeoutError:
        return False
    return True


class Pollers:
    """Real Socket.IO clients on long polling, one a task, that connect again by themselves."""

    def __init__(self, site: Site, task_ids: list[str]) -> None:
        self._site = site
        self._history = History()
        self._last: dict[str, str] = {}
        self._clients = [self._client(task_id) for task_id in task_ids]

    def __enter__(self) -> Pollers:
        for client in self._clients:
            client.connect(
                f"http://127.0.0.1:{self._site.port}",
                namespaces=["/progress"],
                transports=["polling"],
                socketio_path="live/socket.io",
            )
        return self

    def __exit__(self, *exc: object) -> None:
        for client in self._clients:
            client.disconnect()
            client.shutdown()
        self._history.check()

    def have_ended(self) -> bool:
        return list(self._last.values()) == ["completed"] * len(self._clients)

    def _client(self, task_id: str) -> socketio.Client:
        client = OrderedClient(reconnection_delay=0.3, reconnection_delay_max=0.6)

        def joins() -> None:
            self._history.join(task_id, task_id)
            client.emit("join", {"task_id": task_id}, namespace="/progress")

        def sees(task: dict[str, str]) -> None:
            self._history.progress(task_id, task)
            self._last[task_id] = task["state"]

        client.on("connect", joins, namespace="/progress")
        client.on("disconnect", lambda *_: self._history.disconnect(task_id), namespace="/progress")
        client.on("progress", sees, namespace="/progress")
        return client

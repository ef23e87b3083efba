"""The fast road and the ordinary one say the same: the same packets in, the same packets out."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from websockets.sync.client import connect

from headway import ProgressManager
from tests.helpers import ServerProcess
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import NAMESPACE, RawClients, event, is_closed_by_server

SEED = 20261123


def script(task_id: str) -> list[str]:
    """What a client might say, and what it should not."""
    chance = random.Random(SEED)
    known = [
        event("join", {"task_id": task_id}),
        event("join", {"task_id": task_id, "log_from": 1}),
        event("leave", {"task_id": task_id}),
        event("ping", {"t": 17}),
        event("ping"),
        event("retry_task", {"task_id": task_id}),
        event("nonsense", [1, 2]),
        event("join", {"task_id": "unknown"}),
        event("join", {"task_id": 5}, ack=3),
        event("cancel_task", {"task_id": task_id, "reason": 5}, ack=4),
        f"42{NAMESPACE},",
        f"42{NAMESPACE},[",
        f'42{NAMESPACE},5["ping"]',
        '42["ping"]',
        '42/other,["ping"]',
        f'451-{NAMESPACE},["join",{{"_placeholder":true,"num":0}}]',
        f"43{NAMESPACE},1[]",
        "3",
    ]
    return [chance.choice(known) for _ in range(60)]


def conversation(clients: RawClients, packets: list[str]) -> list[str]:
    """What the server says to each packet, without what must differ: times and ids."""
    opened = clients.socket()
    said = []
    for n, packet in enumerate(packets):
        opened.send(packet)
        opened.send(event("ping", None, ack=100 + n))
        while not (answer := opened.recv()).startswith(f"43{NAMESPACE},{100 + n}["):
            said.append(re.sub(r'"(server_time|t)":[0-9.]+', r'"\1":0', answer))
    return sorted(said)


def test_the_same_packets_are_answered_by_the_same_packets(tmp_path: Path) -> None:
    store = tmp_path / "tasks.db"
    with ProgressManager(store=f"sqlite:///{store}") as manager:
        task_id = manager.create_task("the same")
        for n in range(5):
            manager.add_log(task_id, f"line {n}")
        manager.get_task(task_id)
        heard = []
        for fast in (True, False):
            with (
                gateway_server(store, fast=fast, bounds={"events_per_s": 1_000}) as server,
                RawClients(server) as clients,
            ):
                heard.append(conversation(clients, script(task_id)))

    assert replies(heard[0]) == replies(heard[1])
    assert len(replies(heard[0])) > 30
    # How often the news fell between a join and the leave after it is a matter of time.
    assert set(heard[0]) - set(replies(heard[0])) == set(heard[1]) - set(replies(heard[1]))


def replies(said: list[str]) -> list[str]:
    """What answers a packet, as opposed to news of a task."""
    return [packet for packet in said if not packet.startswith((f'42{NAMESPACE},["progress"', f'42{NAMESPACE},["log"'))]


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "ordinary"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with gateway_server(tmp_path_factory.mktemp("road") / "tasks.db", fast=request.param) as running:
        yield running


@pytest.mark.parametrize("packets", [["x"], ["9"], [""], ["0"], ["40/progress,"], ["40/other,"] * 12, ["6"]])
def test_the_same_packets_end_a_connection(server: ServerProcess, packets: list[str]) -> None:
    with RawClients(server) as clients:
        opened = clients.socket()
        with contextlib.suppress(websocket.WebSocketException, OSError):
            for packet in packets:
                opened.send(packet)

        assert is_closed_by_server(opened)


def test_compression_may_be_agreed_on(tmp_path: Path) -> None:
    """Frames go out as they are; what the client compresses is read."""
    store = tmp_path / "tasks.db"
    script_path = tmp_path / "compressing.py"
    script_path.write_text(
        "import sys\n"
        "import uvicorn\n"
        "from headway import ProgressManager\n"
        "from headway.web.gateway import Gateway\n"
        "from headway.web.serve import config_for\n"
        f"gateway = Gateway(ProgressManager(store={f'sqlite:///{store}'!r}))\n"
        "uvicorn.Server(config_for(gateway, port=int(sys.argv[1]), ws_per_message_deflate=True)).run()\n"
    )
    with (
        ProgressManager(store=f"sqlite:///{store}") as manager,
        ServerProcess.python(script_path, "{port}") as server,
        connect(f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket", compression="deflate") as opened,
    ):
        assert any(extension.name == "permessage-deflate" for extension in opened.protocol.extensions)
        task_id = manager.create_task("压缩" * 50)
        opened.send(f"40{NAMESPACE},")
        opened.send(event("join", {"task_id": task_id, "padding": "x" * 5_000}))
        heard = ""
        while '"progress"' not in heard[:30]:
            heard = str(opened.recv(timeout=10))

        assert json.loads(heard.partition(",")[2])[1]["name"] == "压缩" * 50

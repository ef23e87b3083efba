"""A gateway under clients that mean no good: what they send is refused or ends them, and a good client is served."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from headway import ProgressManager
from tests.contract.viewers import Viewer
from tests.helpers import ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import (
    NAMESPACE,
    RawClients,
    ask,
    ends_by_sending,
    event,
    is_closed_by_server,
    resident_mib,
    was_ended,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bounds") / "tasks.db"


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "ordinary"])
def server(request: pytest.FixtureRequest, store: Path) -> Iterator[ServerProcess]:
    bounds = {"enter_within_s": 1.5, "rooms": 50, "connections": 200, "body_within_s": 1.5}
    with gateway_server(store, fast=request.param, bounds=bounds) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-5000:]


@pytest.fixture
def manager(store: Path) -> Iterator[ProgressManager]:
    with ProgressManager(store=f"sqlite:///{store}") as opened:
        yield opened


@pytest.fixture
def clients(server: ServerProcess) -> Iterator[RawClients]:
    with RawClients(server) as opened:
        yield opened


@pytest.fixture
def good(server: ServerProcess) -> Iterator[Viewer]:
    """A well-behaved client that is there all the while, and is served at the end."""
    with Viewer(server.url) as viewer:
        yield viewer
        assert viewer.ask("ping") == {"ok": True}


def test_a_message_over_the_limit_ends_its_connection(clients: RawClients, server: ServerProcess, good: Viewer) -> None:
    opened = clients.socket()

    opened.send(event("ping", {"t": "x" * 70_000}))

    assert is_closed_by_server(opened)


@pytest.mark.parametrize("char", ["x", "字"])
def test_the_limit_of_a_message_is_counted_in_bytes(
    clients: RawClients, server: ServerProcess, good: Viewer, char: str
) -> None:
    around = len('42/progress,1["ping",{"t":""}]')
    within, beyond = ((64 * 1024 - around) // len(char.encode()), 64 * 1024 // len(char.encode()) + 1)
    opened = clients.socket()

    opened.send(f'42/progress,1["ping",{{"t":"{char * within}"}}]')
    assert "43/progress,1" in opened.recv()
    opened.send(f'42/progress,1["ping",{{"t":"{char * beyond}"}}]')
    assert is_closed_by_server(opened)


def test_json_that_nests_too_deep_is_refused_with_the_limit(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    opened = clients.socket()
    deep: Any = 1
    for _ in range(32):
        deep = [deep]

    error = ask(opened, "cancel_task", {"task_id": "unknown", "reason": deep})["error"]

    assert error == {"code": "invalid_request", "message": "event: must nest at most 32 deep"}
    answer = requests.post(f"{server.url}/api/tasks/unknown/cancel", json={"reason": deep}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "body: must nest at most 32 deep")


def test_a_message_of_two_hundred_megabytes_costs_no_memory(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    opened = clients.socket(enter=False)
    before = resident_mib(server)
    chunk = b"x" * 2**20

    # One frame that announces 200 MB, sent piece by piece.
    opened.sock.sendall(b"\x81\xff" + (200 * 2**20).to_bytes(8, "big") + b"\0\0\0\0")
    assert ends_by_sending(opened, lambda: opened.sock.sendall(chunk), 200)

    assert resident_mib(server) - before < 10


def test_a_socket_that_does_not_enter_the_namespace_is_closed(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    silent = clients.socket(enter=False)
    elsewhere = clients.socket(enter=False)
    elsewhere.send("40/other,")
    dripping = clients.socket(enter=False)
    dripping.sock.sendall(b"\x81\xff" + (60_000).to_bytes(8, "big") + b"\0\0\0\0xxx")

    assert is_closed_by_server(silent)
    assert is_closed_by_server(elsewhere)
    assert is_closed_by_server(dripping)


def test_a_poller_that_does_not_enter_the_namespace_is_forgotten(clients: RawClients, server: ServerProcess) -> None:
    session, url = clients.polling()

    eventually(lambda: session.get(url, timeout=10).status_code == 400)


def test_speaking_outside_the_namespace_ends_the_connection(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    opened = clients.socket(enter=False)

    opened.send(event("ping"))

    assert is_closed_by_server(opened)


@pytest.mark.parametrize(
    "packets",
    [
        ["9"],
        ["x"],
        ["0"],
        [""],
        ["4"],
        ["40" + "/progress," * 3],
        ["4" + "9" * 20],
        ["42" + NAMESPACE],
        ["44/progress,{}"],
        ["45999-/progress,[]"],
        ["46/progress,[]"],
        ["43/progress,1[]"],
        ["41/other,"],
        ["40/other,"] * 30,
        ["40/progress,"],
        ["40/progress,[[["],
        ["4" + "[" * 60_000],
        ['42/progress,["join",' + "[" * 30_000],
        ["2probe", "5", "6", "1"],
        ["3"] * 50,
    ],
)
def test_packets_that_make_no_sense_do_no_harm(
    clients: RawClients, server: ServerProcess, good: Viewer, packets: list[str]
) -> None:
    opened = clients.socket()
    with contextlib.suppress(websocket.WebSocketException, OSError):
        for packet in packets:
            opened.send(packet)

    assert good.ask("ping") == {"ok": True}
    opened.close(timeout=0)


def test_binary_messages_do_no_harm(clients: RawClients, server: ServerProcess, good: Viewer) -> None:
    opened = clients.socket()
    for _ in range(20):
        opened.send_binary(b"\x00\xff" * 100)

    assert ask(opened, "ping") == {"ok": True}
    opened.close()


def test_a_flood_is_limited_and_then_closed(clients: RawClients, server: ServerProcess, good: Viewer) -> None:
    opened = clients.socket()
    assert ends_by_sending(opened, lambda: opened.send(event("ping")), 20_000)

    assert good.ask("ping") == {"ok": True}


def test_a_client_that_asks_and_does_not_read_is_closed(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    before = resident_mib(server)
    opened = clients.socket()
    opened.sock.settimeout(2)
    assert ends_by_sending(opened, lambda: opened.send(event("join", {"task_id": "unknown" * 10})), 5_000)
    assert resident_mib(server) - before < 10


def test_rooms_of_a_connection_are_bounded(
    clients: RawClients, server: ServerProcess, manager: ProgressManager
) -> None:
    opened = clients.socket()
    tasks = [manager.create_task() for _ in range(51)]

    answers = [ask(opened, "join", {"task_id": task_id}) for task_id in tasks]

    assert [answer["ok"] for answer in answers] == [True] * 50 + [False]
    assert answers[-1]["error"]["code"] == "too_many_rooms"
    opened.close()


def test_connections_are_bounded_and_places_come_back(store: Path) -> None:
    with gateway_server(store, bounds={"connections": 5}) as small, RawClients(small) as clients:
        opened = [clients.socket() for _ in range(5)]
        with pytest.raises((websocket.WebSocketException, AssertionError)):
            clients.socket()
        assert requests.get(f"{small.url}/socket.io/?EIO=4&transport=polling", timeout=10).status_code >= 400
        for one in opened:
            one.close()

        eventually(lambda: places(small) == 0)
        clients.socket()


def places(server: ServerProcess) -> int:
    metrics = requests.get(f"{server.url}/metrics", timeout=10).text
    return int(next(line for line in metrics.splitlines() if line.startswith("headway_connections ")).split()[1])


def test_coming_and_going_leaves_nothing_behind(
    clients: RawClients, server: ServerProcess, manager: ProgressManager
) -> None:
    task_id = manager.create_task()

    def come_and_go(times: int) -> None:
        for _ in range(times):
            opened = clients.socket()
            assert ask(opened, "join", {"task_id": task_id})["ok"]
            opened.close(timeout=0)

    come_and_go(100)
    eventually(lambda: places(server) == 0)
    before = resident_mib(server)
    come_and_go(400)
    eventually(lambda: places(server) == 0)

    assert resident_mib(server) - before < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"\xff\xfe",
        b"4" * 70_000,
        b"\x1e" * 100,
        b"0",
        b"42/progress,[",
        b"4" + b"[" * 60_000,
        b"2probe",
    ],
)
def test_bad_polling_bodies_do_no_harm(clients: RawClients, server: ServerProcess, good: Viewer, body: bytes) -> None:
    session, url = clients.polling()

    assert session.post(url, data=body, timeout=10).status_code < 500
    assert session.post(url + "x", data=body, timeout=10).status_code in (400, 413)
    assert good.ask("ping") == {"ok": True}


@pytest.mark.parametrize("body", [b"4" * 70_000, b"garbage"], ids=["too large", "no packet"])
def test_a_body_that_is_refused_ends_its_polling_session(clients: RawClients, body: bytes) -> None:
    session, url = clients.polling()

    assert session.post(url, data=body, timeout=10).status_code in (400, 413)

    eventually(lambda: session.post(url, data=b"3", timeout=10).status_code == 400, saying="the session is unknown")


@pytest.mark.parametrize(
    "query", ["", "?EIO=3&transport=polling", "?EIO=4&transport=x", "?EIO=4&transport=websocket", "?EIO=4&sid=x"]
)
def test_bad_handshakes_are_refused(server: ServerProcess, query: str) -> None:
    assert requests.get(f"{server.url}/socket.io/{query}", timeout=10).status_code == 400
    assert requests.put(f"{server.url}/socket.io/{query}", timeout=10).status_code in (400, 405)


def test_half_a_polling_body_holds_up_nobody_and_is_given_up(
    clients: RawClients, server: ServerProcess, good: Viewer
) -> None:
    _, url = clients.polling()
    path = url.removeprefix(server.url)
    half = clients.tcp(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4".encode())

    assert good.ask("ping") == {"ok": True}
    assert was_ended(half, 10)


def test_what_a_slow_reader_finds_waiting_is_little_and_then_it_has_the_present(
    clients: RawClients, manager: ProgressManager, good: Viewer
) -> None:
    task_id = manager.create_task()
    good.join(task_id)
    slow = clients.socket(sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    assert ask(slow, "join", {"task_id": task_id})["ok"]
    for n in range(1, 46):
        manager.update_progress(task_id, message=f"{n}", details={"padding": "x" * 6_000})
        eventually(lambda said=f"{n}": good.states(task_id)[-1]["message"] == said)
    manager.complete_task(task_id, message="done")
    good.end(task_id)

    read = []
    while "done" not in read:
        packet = slow.recv()
        if packet.startswith(f'42{NAMESPACE},["progress"'):
            read.append(json.loads(packet.removeprefix(f"42{NAMESPACE},"))[1]["message"])

    # The kernel alone would have taken all of them, for however long nobody reads them.
    assert len(read) < 25, read


def test_a_slow_reader_costs_a_bounded_amount_of_memory_and_delays_nobody(
    clients: RawClients, server: ServerProcess, manager: ProgressManager, good: Viewer
) -> None:
    task_id = manager.create_task()
    good.join(task_id, log_from=1)
    slow = [clients.socket() for _ in range(5)]
    for opened in slow:
        assert ask(opened, "join", {"task_id": task_id, "log_from": 1})["ok"]
    before = resident_mib(server)
    padding = "x" * 6_000
    for n in range(400):
        manager.update_progress(task_id, progress=n / 5, message=f"{n}", details={"padding": padding})
        manager.add_log(task_id, padding[:4_000])
        manager.get_task(task_id)
    manager.complete_task(task_id)

    assert good.end(task_id)["state"] == "completed"
    eventually(lambda: good.lines() == list(range(1, 401)))
    assert resident_mib(server) - before < 20
    for opened in slow:
        opened.close(timeout=0)

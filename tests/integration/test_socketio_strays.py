"""Connections that never say what they want are closed, by every adapter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websocket

from headway import ProgressManager
from tests.contract.viewers import Viewer
from tests.helpers import ROOT, ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients, ends_by_sending, is_closed_by_server, resident_mib, was_ended

ADAPTERS = ["threading", "gevent"]


def adapter_server(adapter: str, folder: Path, **bounds: float) -> ServerProcess:
    script = ROOT / "tests/contract/adapter_server.py"
    options = json.dumps({"bounds": {"enter_within_s": 0.5, **bounds}})
    return ServerProcess.python(script, adapter, "{port}", store_in(folder), options, ready="/")


def store_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'tasks.db'}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strays")


@pytest.fixture(scope="module", params=ADAPTERS)
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[ServerProcess]:
    with adapter_server(request.param, folder) as running:
        yield running


def test_flask_socketio_closes_sockets_that_enter_no_namespace(server: ServerProcess) -> None:
    with RawClients(server) as clients, Viewer(server.url) as good:
        silent = clients.socket(enter=False)
        elsewhere = clients.socket(enter=False)
        elsewhere.send("40/other,")

        assert is_closed_by_server(silent, 15)
        assert is_closed_by_server(elsewhere, 15)
        assert good.ask("ping") == {"ok": True}


def test_flask_socketio_closes_sockets_that_have_left_the_namespace_and_say_nothing_more(
    server: ServerProcess,
) -> None:
    with RawClients(server) as clients:
        leaving = clients.socket()
        leaving.send("41/progress,")
        session, url = clients.polling()
        session.post(url, data="40/progress,", timeout=10)
        assert session.get(url, timeout=10).status_code == 200
        session.post(url, data="41/progress,", timeout=10)

        assert is_closed_by_server(leaving, 15)
        # What waits for news has them: that it is over.
        while session.get(url, timeout=15).status_code == 200:
            pass


def test_a_stray_that_does_not_read_holds_up_no_viewer(server: ServerProcess, folder: Path) -> None:
    with RawClients(server) as clients, ProgressManager(store=store_in(folder)) as manager:
        clients.polling()  # And it never asks what there is.
        assert is_closed_by_server(clients.socket(enter=False), 15), "all that came before it were ended, too"

        with Viewer(server.url) as viewer:
            viewer.join(manager.create_task())
            eventually(viewer.states)


def test_what_a_stray_says_costs_flask_socketio_no_memory_however_long_it_is(server: ServerProcess) -> None:
    with RawClients(server) as clients:
        opened = clients.socket(enter=False)
        opened.settimeout(2)
        before = resident_mib(server)
        chunk = b"x" * 2**20
        opened.send_frame(websocket.ABNF(0, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, chunk))

        assert ends_by_sending(opened, lambda: opened.send_frame(websocket.ABNF(0, 0, 0, 0, 0, 1, chunk)), 200)
        assert resident_mib(server) - before < 50


def test_no_packet_of_ours_or_of_a_stranger_may_be_over_the_limit(server: ServerProcess) -> None:
    long = json.dumps({"x": "y" * 70_000})
    with RawClients(server) as clients, Viewer(server.url) as good:
        strangers = [clients.socket(enter=False) for _ in range(3)]
        strangers[0].send(f"40/progress,{long}")
        strangers[1].send(f"40/other,{long}")
        strangers[2].send_binary(b"x")
        inside = [clients.socket() for _ in range(4)]
        inside[0].send(f"40/progress,{long}")
        inside[1].send(f"43/progress,1[{long}]")
        inside[2].send('42/progress,["ping",{"t":"' + "字" * 30_000 + '"}]')
        inside[3].send(f'420-/progress,["ping",{long}]')
        for opened in strangers + inside:
            assert is_closed_by_server(opened)
        assert good.ask("ping") == {"ok": True}
    assert "Traceback" not in server.log


def test_an_event_that_says_it_has_no_attachments_is_counted_too(server: ServerProcess) -> None:
    with RawClients(server) as clients:
        opened = clients.socket()
        assert ends_by_sending(opened, lambda: opened.send('420-/progress,["ping",{"t":1}]'), 5_000)


def test_packets_that_make_no_sense_end_their_connection_and_leave_no_traceback(server: ServerProcess) -> None:
    with RawClients(server) as clients, Viewer(server.url) as good:
        for packet in ("x", "9", "6", "4", "4x", "4" * 100, "40/progress,{", "43/progress,x"):
            strange = clients.socket()
            strange.send(packet)
            strange.send("1")
            assert is_closed_by_server(strange), packet
        assert good.ask("ping") == {"ok": True}
    assert "Traceback" not in server.log


def test_who_is_ended_is_hung_up_on_and_what_it_said_meanwhile_is_ignored(server: ServerProcess) -> None:
    with RawClients(server) as clients, Viewer(server.url) as good:
        line = clients.socket(enter=False).sock
        line.settimeout(20)
        eventually(lambda: b"\x88" in line.recv(100), saying="a stray is ended")
        with suppress(OSError):
            # On its way when it was ended, as far as it can know.
            line.sendall(b"\x81\x8c" + bytes(4) + b"40/progress,")
            line.sendall(b"not a request\r\n\r\n")
            assert line.recv(100) == b"", "it waits for no farewell, and answers nothing"

        assert good.ask("ping") == {"ok": True}
    assert "Traceback" not in server.log
    assert not re.search("Expected GET method|Invalid HTTP method", server.log), "gevent took it for a request"


def test_bodies_that_make_no_sense_are_answered_and_leave_no_traceback(server: ServerProcess) -> None:
    with RawClients(server) as clients:
        for body in (b"", b"\xff", b"6", b"garbage", b'42["x"]\x1e' * 20, b"4" * 2_000_000):
            session, url = clients.polling()
            session.post(url, data="40/progress,", timeout=10)
            assert session.get(url, timeout=10).status_code == 200

            assert session.post(url, data=body, timeout=10).status_code == 400, body[:9]
            assert session.get(url, timeout=10).status_code == 400, "the session has ended"
    assert "Traceback" not in server.log


def test_a_body_whose_client_goes_in_its_middle_ends_the_session_and_leaves_no_traceback(server: ServerProcess) -> None:
    with RawClients(server) as clients:
        session, url = clients.polling()
        session.post(url, data="40/progress,", timeout=10)
        assert session.get(url, timeout=10).status_code == 200
        head = f"POST {urlsplit(url).path}?{urlsplit(url).query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40"
        going = clients.tcp(f"{head}\r\n\r\n42/progress,".encode())

        going.close()

        eventually(lambda: session.get(url, timeout=10).status_code == 400)
    assert "Traceback" not in server.log


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_flask_socketio_bounds_its_viewers_and_gives_places_back(adapter: str, tmp_path: Path) -> None:
    with adapter_server(adapter, tmp_path, connections=3) as server:
        with Viewer(server.url), Viewer(server.url), Viewer(server.url), RawClients(server) as clients:
            refused = clients.socket(enter=False)
            refused.send("40/progress,")
            assert refused.recv().startswith("44/progress,")
        with Viewer(server.url) as viewer:
            assert viewer.ask("ping") == {"ok": True}


def test_a_tcp_connection_that_asks_for_nothing_is_closed(tmp_path: Path) -> None:
    with (
        gateway_server(tmp_path / "tasks.db", bounds={"enter_within_s": 1}) as server,
        RawClients(server) as clients,
        Viewer(server.url) as good,
    ):
        silent = clients.tcp(b"")
        half = clients.tcp(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nX-Drip: a")

        assert was_ended(silent, 10)
        assert was_ended(half, 10)
        assert good.ask("ping") == {"ok": True}

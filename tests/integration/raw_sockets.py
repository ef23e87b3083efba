"""Clients that behave badly: raw Engine.IO over WebSocket and HTTP, raw TCP."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import requests
import websocket

from tests.helpers import ServerProcess

NAMESPACE = "/progress"


class RawClients:
    """Opens connections to one server, and closes them at the end. A context manager."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def socket(self, *, enter: bool = True, **options: Any) -> websocket.WebSocket:
        """A WebSocket that has had its OPEN packet, and is in the namespace where `enter`."""
        url = f"ws://127.0.0.1:{self._server.port}/socket.io/?EIO=4&transport=websocket"
        opened = websocket.create_connection(url, timeout=20, suppress_origin="origin" not in options, **options)
        self._open.callback(opened.shutdown)
        assert opened.recv().startswith("0{")
        if enter:
            opened.send(f"40{NAMESPACE},")
            assert opened.recv().startswith(f"40{NAMESPACE},")
            assert opened.recv().startswith(f'42{NAMESPACE},["connected"')
        return opened

    def polling(self) -> tuple[requests.Session, str]:
        """A polling session and its URL."""
        session = self._open.enter_context(requests.Session())
        url = f"{self._server.url}/socket.io/?EIO=4&transport=polling"
        sid = json.loads(session.get(url, timeout=10).text[1:])["sid"]
        return session, f"{url}&sid={sid}"

    def tcp(self, data: bytes) -> socket.socket:
        """A TCP connection on which `data` has been sent."""
        opened = self._open.enter_context(socket.create_connection(("127.0.0.1", self._server.port), timeout=20))
        opened.sendall(data)
        return opened


def event(name: str, data: Any = None, ack: int | None = None) -> str:
    return f"42{NAMESPACE},{'' if ack is None else ack}{json.dumps([name, data])}"


def ask(opened: websocket.WebSocket, name: str, data: Any = None) -> Any:
    """The acknowledgement; what comes before it is passed over."""
    opened.send(event(name, data, ack=1))
    while True:
        said = opened.recv()
        assert said, "closed"
        if said.startswith(f"43{NAMESPACE},1"):
            return json.loads(said.removeprefix(f"43{NAMESPACE},1"))[0]


def ends_by_sending(opened: websocket.WebSocket, send: Callable[[], object], times: int) -> bool:
    """
    Whether the server ends the connection over what is sent; a pipe that stays full counts as well.

    All of it may have been sent before a busy server has read enough to end it: the kernel holds megabytes.
    """
    try:
        for _ in range(times):
            send()
    except (websocket.WebSocketException, OSError):
        return True
    return is_closed_by_server(opened)


def is_closed_by_server(opened: websocket.WebSocket, timeout: float = 10) -> bool:
    """Reads until the server closes; False when it does not in time."""
    opened.settimeout(timeout)
    try:
        while opened.recv() != "":
            pass
    except (websocket.WebSocketTimeoutException, TimeoutError):
        return False
    except (websocket.WebSocketException, OSError):
        pass
    return True


def was_ended(opened: socket.socket, timeout: float) -> bool:
    """Whether the server ends a TCP connection in that time."""
    opened.settimeout(timeout)
    with contextlib.suppress(ConnectionError):
        try:
            while opened.recv(65536):
                pass
        except TimeoutError:
            return False
    return True


def resident_mib(server: ServerProcess) -> float:
    """The server process's RSS."""
    with open(f"/proc/{server.pid}/statm") as statm:  # noqa: PTH123 - procfs
        return int(statm.read().split()[1]) * 4096 / 2**20

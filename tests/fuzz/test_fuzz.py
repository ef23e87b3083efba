"""10,000 messages and bodies at least, of which few make sense: the server answers or closes, logs no traceback, and
serves a good client all the while.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from headway import ProgressManager
from tests.chaos.wire import text_frame
from tests.contract.viewers import Viewer
from tests.fuzz.messages import NAMESPACE, frames, polls, requests
from tests.helpers import ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients

AT_LEAST = 10_000
# What Hypothesis draws for an example, and the variants of each: 100 examples alone are enough.
DRAWN, EACH = 10, 9
# HEADWAY_FUZZ=10 tries ten times as much.
SCALE = int(os.environ.get("HEADWAY_FUZZ", "1"))
# Hypothesis must choose ids before there are any.
TASK_IDS = ("fuzzed-task-number-one", "fuzzed-task-number-two")

fuzzing = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
    database=None,
)


class Target:
    """The server, two tasks of it, and the good client beside whatever is sent."""

    def __init__(self, server: ServerProcess, manager: ProgressManager, good: Viewer) -> None:
        self.server = server
        self.good = good
        self.sent = 0
        """Messages, bodies and requests so far."""
        self._manager = manager
        self._updates = 0
        self._logged = 0
        self.watched = manager.create_task(total=1_000_000)
        assert good.join(self.watched)["ok"]

    def is_well(self) -> None:
        """It answers the good client and shows it what is new, and has logged nothing that surprised it."""
        self._updates += 1
        self._manager.update_progress(self.watched, completed=self._updates)
        self._manager.get_task(self.watched)
        assert self.good.ask("ping") == {"ok": True}
        # What has been complained of once is no reason to call the next example bad as well.
        logged, self._logged = self.server.log[self._logged :], len(self.server.log)
        assert "Traceback" not in logged, logged[-5000:]
        assert self.server.is_running()

    def has_shown_all(self) -> bool:
        newest = self.good.states(self.watched)[-1]["details"]
        return bool(newest["completed"] == self._updates)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    store = tmp_path_factory.mktemp("fuzz") / "tasks.db"
    bounds = {"events_per_s": 1_000_000, "body_within_s": 5}
    with (
        gateway_server(store, bounds=bounds) as server,
        ProgressManager(store=f"sqlite:///{store}") as manager,
        Viewer(server.url) as good,
    ):
        for task_id in TASK_IDS:
            manager.create_task(task_id=task_id)
        yield Target(server, manager, good)


class RawSocket:
    """A WebSocket spoken to in bytes; opened anew whenever the server has closed it."""

    def __init__(self, server: ServerProcess, *, enters: bool) -> None:
        self._server = server
        self._enters = enters
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> None:
        if self._socket is None:
            self._socket = self._open()
        try:
            self._socket.sendall(data)
            self._drain()
        except OSError:
            self.close()

    def finish(self) -> None:
        """Say no more, and go when the server has: by then it has read all."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # where it has gone first
                self._socket.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while self._socket.recv(65_536):
                    pass
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._server.port), timeout=20)
        opened.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        self._hear(opened, b'"sid"')
        if self._enters:
            opened.sendall(text_frame(f"40{NAMESPACE},"))
            self._hear(opened, b"connected")
        return opened

    @staticmethod
    def _hear(opened: socket.socket, awaited: bytes) -> None:
        came = b""
        while awaited not in came:
            more = opened.recv(65_536)
            assert more, f"closed before {awaited!r} was said: {came!r}"
            came += more

    def _drain(self) -> None:
        """Read what is there, so that nothing but what is sent can be the reason for a close."""
        assert self._socket is not None
        self._socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                if not self._socket.recv(65_536):
                    raise OSError("closed")
        self._socket.settimeout(20)


@settings(fuzzing, max_examples=100 * SCALE)
@given(sent=frames(TASK_IDS, DRAWN, EACH), enters=st.sampled_from([True, True, True, False]))
def test_whatever_comes_on_a_websocket_harms_nobody(target: Target, sent: list[bytes], enters: bool) -> None:
    raw = RawSocket(target.server, enters=enters)
    for count, data in enumerate(sent, 1):
        raw.send(data)
        target.sent += 1
        if count % 20 == 0:  # What comes after a message that ends its connection is lost: not for long.
            raw.finish()
    raw.finish()

    target.is_well()


@settings(fuzzing, max_examples=25 * SCALE)
@given(bodies=polls(TASK_IDS))
def test_whatever_is_posted_to_a_polling_session_harms_nobody(target: Target, bodies: list[bytes]) -> None:
    with RawClients(target.server) as clients:
        session, url = clients.polling()
        session.post(url, data=f"40{NAMESPACE},", timeout=20)
        for body in bodies:
            target.sent += 1
            answer = session.post(url, data=body, timeout=20)
            assert answer.status_code < 500, answer.text
            if answer.status_code != 200:
                break  # The session is over.

    target.is_well()


@settings(fuzzing, max_examples=30 * SCALE)
@given(calls=st.lists(requests(TASK_IDS), min_size=10, max_size=20))
def test_whatever_is_asked_over_http_is_answered(
    target: Target, calls: list[tuple[str, str, dict[str, str], bytes]]
) -> None:
    target.sent += len(calls)
    for method, path, headers, body in calls:
        assert 100 < answer_to(target.server, method, path, headers, body) < 500, (method, path, headers, body)

    target.is_well()


@settings(fuzzing, max_examples=30 * SCALE)
@given(garbage=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5))
def test_whatever_comes_instead_of_http_harms_nobody(target: Target, garbage: list[bytes]) -> None:
    target.sent += len(garbage)
    for data in garbage:
        with socket.create_connection(("127.0.0.1", target.server.port), timeout=20) as opened:
            opened.sendall(data + b"\r\n\r\n")

    target.is_well()


def test_all_that_was_sent_and_the_good_client_was_shown_everything_meanwhile(target: Target) -> None:
    # After the others, which pytest runs in order.
    assert target.sent >= AT_LEAST * SCALE
    eventually(target.has_shown_all)
    target.good.history.check(unfinished={target.watched})


def answer_to(server: ServerProcess, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()

"""Sees to the polls of Flask-SocketIO's clients, so that nothing gets lost (engineio_polls.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from headway.web.engineio_polls import PollTurns
from headway.web.wire import WireError

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Polling(Protocol):
    """A client in our namespace."""

    turns: PollTurns

    def give_up(self) -> None:
        """End its session; it comes back by another."""


class PollGuard:
    """Stands in for the `handle_request` of an engineio server. Other apps' clients are none of its business."""

    def __init__(self, eio: Any, clients: Mapping[str, Polling], pong_within_s: float) -> None:
        self._eio = eio
        self._clients = clients
        self._pong_within_s = pong_within_s
        self._handle: Callable[[Environ, StartResponse], Iterable[bytes]] = eio.handle_request
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_UPGRADE" in environ:
            return self._handle(environ, start_response)
        query = parse_qs(environ.get("QUERY_STRING", ""))
        client = self._clients.get(query.get("sid", [""])[0])
        if client is None:
            return self._handle(environ, start_response)
        try:
            self._take_turn(client.turns, query.get("t", [""])[0])
        except WireError as error:
            client.give_up()
            refusal = self._eio._bad_request(str(error))
            start_response(refusal["status"], refusal["headers"])
            return [refusal["response"]]
        try:
            return self._handle(environ, start_response)
        finally:
            client.turns.end()

    def _take_turn(self, turns: PollTurns, mark: str) -> None:
        with self._lock:
            may_go = turns.begin(mark)
        if not may_go:
            turns.confirmed.wait(turns.patience_s(self._pong_within_s))
            turns.check()

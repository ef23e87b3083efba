"""Sees to the polls of Flask-SocketIO's clients, so that nothing gets lost (engineio_polls.py), and to what they post.

engineio logs a traceback on what is no packet, and then waits for the client to read that it is closed, be it for ever.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from headway.web.engineio_polls import PollTurns
from headway.web.wire import WireError

PACKET = re.compile(r"4[0-6]|1\Z|2probe\Z|3(probe)?\Z|5\Z")
"""What a client may say in Engine.IO."""
POST_PACKETS = 16

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
        if "HTTP_UPGRADE" in environ:
            try:
                return self._handle(environ, start_response)
            finally:
                _read_no_more(environ)
        query = parse_qs(environ.get("QUERY_STRING", ""))
        client = self._clients.get(query.get("sid", [""])[0])
        if client is None or environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return self._handle(environ, start_response)
        try:
            if environ["REQUEST_METHOD"] == "POST":
                return self._handle(self._with_packets(environ), start_response)
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

    def _with_packets(self, environ: Environ) -> Environ:
        """The same request, its body read. Raises `WireError` for one that is no payload."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self._eio.max_http_buffer_size:
            raise WireError("too_large", f"the body must be up to {self._eio.max_http_buffer_size:,} bytes")
        try:
            body = environ["wsgi.input"].read(int(length))
        except OSError:  # gevent says so; werkzeug hands over what has come.
            body = b""
        if len(body) < int(length):
            raise WireError("invalid_request", "the body ended before its Content-Length")
        try:
            packets = body.decode().split("\x1e")
        except UnicodeDecodeError:
            raise WireError("invalid_request", "the body must be UTF-8") from None
        if len(packets) > POST_PACKETS or not all(one.startswith("b") or PACKET.match(one) for one in packets):
            raise WireError("invalid_request", f"the body must be 1 to {POST_PACKETS} Engine.IO packets")
        return {**environ, "wsgi.input": io.BytesIO(body)}

    def _take_turn(self, turns: PollTurns, mark: str) -> None:
        with self._lock:
            may_go = turns.begin(mark)
        if not may_go:
            turns.confirmed.wait(turns.patience_s(self._pong_within_s))
            turns.check()


def _read_no_more(environ: Environ) -> None:
    """A WebSocket is over: gevent would take what its client said since then for a next request, and answer it."""
    if environ.get("SERVER_SOFTWARE", "").startswith("gevent"):
        body: Any = environ["wsgi.input"]
        reader: Any = getattr(body, "rfile", body)
        reader.close()

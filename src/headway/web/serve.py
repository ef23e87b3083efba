"""Runs a gateway under uvicorn, with the bounds that only the server can keep."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from headway.web.gateway import Gateway
from headway.web.transport import keep_little_unsent

log = logging.getLogger(__name__)

GRACE_S = 10
CONTAINERS_A_LOOK = 20_000
"""Objects made, and not yet gone, between two looks of Python's collector of cycles (its own choice is 700): each round
of states makes thousands, which go by themselves with the next one."""


def serve(
    gateway: Gateway,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    mount: str = "",
    sockets: list[socket.socket] | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `port` 0 is any free one; `on_ready` is told the URL. Raises OSError.

    `mount`: the path that a proxy in front has taken away, which URLs in payloads must begin with.
    """
    new_server(gateway, host=host, port=port, mount=mount, on_ready=on_ready).run(sockets or [listen(host, port)])


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises OSError, which says that the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is told does asyncio switch Nagle's algorithm off, which would hold frames back for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keep_little_unsent(bound)  # What it accepts inherits that, for event streams and the ordinary road.
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def new_server(
    gateway: Gateway,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    mount: str = "",
    on_ready: Callable[[str], None] | None = None,
    **options: Any,
) -> uvicorn.Server:
    """A uvicorn server with a configuration of ours; `run(sockets=[…])` or `await serve(…)` it.

    `options` are more of uvicorn's. The process's collector of cycles is told to look less often.
    """
    return _Server(config_for(gateway, host=host, port=port, root_path=mount, **options), gateway, on_ready)


def config_for(gateway: Gateway, **options: Any) -> uvicorn.Config:
    """What a gateway needs of uvicorn: small messages, no pings beside Engine.IO's, nothing logged but trouble."""
    defaults: dict[str, Any] = {
        "http": patient_protocol(gateway.bounds.enter_within_s),
        "ws_max_size": gateway.bounds.message_bytes,
        "ws_ping_interval": None,
        "ws_per_message_deflate": False,
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "lifespan": "on",
        "backlog": 4096,
        "timeout_graceful_shutdown": GRACE_S,
    }
    return uvicorn.Config(gateway, **{**defaults, **options})


def patient_protocol(within_s: float) -> type[H11Protocol]:
    """uvicorn's HTTP, but a connection must have said what it wants within some seconds."""

    class PatientProtocol(H11Protocol):
        def connection_made(self, transport: BaseTransport) -> None:
            super().connection_made(transport)  # type: ignore[arg-type]
            self._patience = self.loop.call_later(within_s, self._close_if_silent)

        def handle_websocket_upgrade(self, event: Any) -> None:
            super().handle_websocket_upgrade(event)
            self._patience.cancel()  # Else it would keep all this.

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._patience.cancel()

        def _close_if_silent(self) -> None:
            transport: Any = self.transport
            cycle: object = self.cycle
            if cycle is None and not transport.is_closing() and transport.get_protocol() is self:  # No request yet.
                transport.close()

    return PatientProtocol


def _is_no_fault_of_a_client(record: logging.LogRecord) -> bool:
    """uvicorn logs a traceback for each message that is no UTF-8, as if it were its own mistake."""
    return not str(record.msg).startswith("Invalid UTF-8 sequence")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, gateway: Gateway, on_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        logging.getLogger("uvicorn.error").addFilter(_is_no_fault_of_a_client)
        self._gateway = gateway
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        first, *others = gc.get_threshold()
        if 0 < first < CONTAINERS_A_LOOK:  # 0: it never looks.
            gc.set_threshold(CONTAINERS_A_LOOK, *others)
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self._url())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gateway.drain()
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    def _url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        shown = {"0.0.0.0": "localhost", "::": "localhost", "127.0.0.1": "localhost"}.get(host, host)
        return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

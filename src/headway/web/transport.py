"""The server's way to one client, past ASGI: what the fast road writes to.

What it relies on: uvicorn's WebSocket protocol has the transport as `transport`, and may be reached from ASGI's `send`.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any, Protocol

from headway.web.gateway_http import Send

UNSENT_BYTES = 16 * 1024
"""What the kernel may keep for a client that has no room: it would take megabytes of states, old when they are read."""


class Transport(Protocol):
    """What is asked of an asyncio transport."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...
    def get_extra_info(self, name: str) -> Any: ...


def transport_of(send: Send) -> Transport | None:
    """The transport behind ASGI's `send`, or None where it can't be reached."""
    protocol = getattr(send, "__self__", None)
    if type(protocol).__name__ != "WebSocketsSansIOProtocol":
        return None
    transport: Any = getattr(protocol, "transport", None)
    needed = ("write", "get_write_buffer_size", "is_closing", "abort", "get_extra_info")
    return transport if all(callable(getattr(transport, name, None)) for name in needed) else None


def keep_little_unsent(opened: Any) -> None:
    """Have a socket (or those that it accepts) refuse early what its client has no room for. Where the system can."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and opened is not None:
        with contextlib.suppress(OSError):  # No TCP.
            opened.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)

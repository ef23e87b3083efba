"""Objects over a local socket, between a process and its own children: pickled, after the key was shown.

On the plain socket module rather than on `multiprocessing.connection`, so that it yields under gevent.
"""

from __future__ import annotations

import contextlib
import hmac
import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct(">Q")
KEY_BYTES = 32


class Channel:
    """One end. Raises OSError, or EOFError where the other end is closed. One thread at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    @classmethod
    def connect(cls, address: str, key: bytes) -> Channel:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.connect(address)
            connected.sendall(key)
        except BaseException:
            connected.close()
            raise
        return cls(connected)

    def is_trusted(self, key: bytes) -> bool:
        """Whether the other end shows the key. Nothing may be received before: unpickling runs what it is told to."""
        return hmac.compare_digest(self._receive_bytes(KEY_BYTES), key)

    # Any: whatever both ends agree on.
    def send(self, value: Any) -> None:
        payload = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self._socket.sendall(_LENGTH.pack(len(payload)) + payload)

    def receive(self) -> Any:
        (length,) = _LENGTH.unpack(self._receive_bytes(_LENGTH.size))
        return pickle.loads(self._receive_bytes(length))

    def hang_up(self) -> None:
        """Both ends find it closed, whoever waits in `receive` included."""
        with contextlib.suppress(OSError):  # The other end may have closed it.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def forget(self) -> None:
        """Close this process's descriptor only: the process that forked this one goes on using the connection."""
        self._socket.close()

    def _receive_bytes(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            part = self._socket.recv(min(count - len(received), 1 << 20))
            if not part:
                raise EOFError
            received += part
        return bytes(received)

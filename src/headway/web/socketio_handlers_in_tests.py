"""`socketio.test_client(app)`, Flask-SocketIO's double of a client: it has no socket, and reads what it got at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engineio.packet import MESSAGE, Packet

from headway.web.frames import Frame, PacketOutlet
from headway.web.protocol import Connection
from headway.web.request import Request


class TestClient(PacketOutlet):
    """One of those in the namespace. What is said to it goes to where it listens: the server's own way out."""

    __slots__ = ("_eio_sid", "_server", "connection")
    __test__ = False  # Its name means nothing to pytest.
    is_open = False  # It has no session that could go on without the namespace.

    def __init__(self, namespace: str, server: Any, eio_sid: str, request: Request) -> None:
        super().__init__(namespace)
        self._server = server
        self._eio_sid = eio_sid
        self.connection = Connection(request, self)

    def offer(self, frame: Frame) -> bool:
        self.say(frame.packet(self.namespace))
        return True

    def say(self, packet: str) -> None:
        self._server._send_eio_packet(self._eio_sid, Packet(MESSAGE, packet))

    def close(self) -> None:
        sid = self._server.manager.sid_from_eio_sid(self._eio_sid, self.namespace)
        if sid is not None:
            self._server.disconnect(sid, namespace=self.namespace)

    def give_up(self) -> None:
        self.close()


def listen(server: Any, on_message: Callable[[str, object], None], settle: Callable[[], None]) -> None:
    """Hear what test clients say: they call this method, where a socket calls engineio's handler. Before it returns
    they have what it brought them: their tests do not wait.
    """

    def from_test_client(eio_sid: str, data: object) -> None:
        on_message(eio_sid, data)
        settle()

    server._handle_eio_message = from_test_client

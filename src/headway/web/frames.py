"""A frame: one event as JSON text, encoded once for each transport, the same object for every viewer of the task."""

from __future__ import annotations

from typing import Protocol

from headway.web.packets import ack_packet, event_packet


class Frame:
    """What is sent. `epoch` and `rev` are the task's; `last_line` is the log's where it is a log frame."""

    __slots__ = ("_packet", "cached", "epoch", "event", "last_line", "payload", "rev", "sent")

    def __init__(self, event: str, payload: str, epoch: str = "", rev: int = 0, last_line: int = 0) -> None:
        self.event = event
        self.payload = payload
        self.epoch = epoch
        self.rev = rev
        self.last_line = last_line
        self._packet: str | None = None
        self.cached: object = None
        """What python-engineio makes of it once and hands to every client."""
        self.sent: bytes | None = None
        """The same as bytes for a WebSocket. Clients of both kinds may watch one task."""

    def packet(self, namespace: str) -> str:
        """As a Socket.IO packet. All viewers of a hub are in one namespace."""
        if self._packet is None:
            self._packet = event_packet(namespace, self.event, self.payload)
        return self._packet


class Outlet(Protocol):
    """The way to one client. `offer` is called by the hub's driver only, the rest from any thread."""

    def offer(self, frame: Frame) -> bool:
        """Send it, unless the client is slow: then False, nothing is kept, and the hub comes back with newer news."""

    def emit(self, event: str, payload: str) -> None:
        """Send an event that must not be left out, in order. A client that lets too many of them wait is closed."""

    def acknowledge(self, ack_id: str, payload: str) -> None:
        """Answer an event."""

    def close(self) -> None:
        """End the connection. Safe to call twice."""


class PacketOutlet:
    """An outlet that speaks Socket.IO: what is left to a subclass is `say`, besides `offer` and `close`."""

    __slots__ = ("namespace",)

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def emit(self, event: str, payload: str) -> None:
        self.say(event_packet(self.namespace, event, payload))

    def acknowledge(self, ack_id: str, payload: str) -> None:
        self.say(ack_packet(self.namespace, ack_id, payload))

    def say(self, packet: str) -> None:
        """Send a Socket.IO packet, in order."""
        raise NotImplementedError

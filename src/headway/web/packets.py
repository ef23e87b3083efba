"""Socket.IO packets as text, of the kinds that Headway speaks (protocol 5): EVENT and ACK, without attachments.

`2/progress,17["join",{…}]` is an event that asks for acknowledgement 17; `3/progress,17[{…}]` is that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headway.model.errors import InvalidValue
from headway.web.json_text import from_json

ALL_KINDS = "0123456"
# With attachments a packet says how many: `51-/progress,…`. python-socketio reads that off every kind, in any digits.
_BEGINNING = re.compile(r"([0-6])(?:\d{1,10}-)?")
_HEAD = re.compile(r"(?:(/[^,]*),)?([0-9]{0,15})(?=\[|$)")


@dataclass(frozen=True, slots=True)
class EventPacket:
    """An event from a client, its arguments still encoded."""

    namespace: str
    ack_id: str | None
    arguments: str

    def decoded(self) -> tuple[str, object]:
        """The event's name and its first argument (None where there is none). Raises `InvalidValue`."""
        arguments = from_json(self.arguments, "event", within=1)
        if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str):
            raise InvalidValue("event", "must be a list that begins with the event's name")
        return arguments[0], arguments[1] if len(arguments) > 1 else None


def parse_event(text: str) -> EventPacket | None:
    """The event that a Socket.IO packet is; None where it is another kind of packet. Raises `InvalidValue`."""
    if not text.startswith("2"):
        return None
    head = _HEAD.match(text, 1)
    if head is None:
        raise InvalidValue("packet", "must be a Socket.IO event")
    namespace, ack_id = head.groups()
    return EventPacket((namespace or "/").partition("?")[0], ack_id or None, text[head.end() :])


def event_packet(namespace: str, event: str, payload: str) -> str:
    """`payload` is JSON text."""
    return f'2{_prefix(namespace)}["{event}",{payload}]'


def ack_packet(namespace: str, ack_id: str, payload: str) -> str:
    return f"3{_prefix(namespace)}{ack_id}[{payload}]"


def _prefix(namespace: str) -> str:
    return "" if namespace == "/" else f"{namespace},"


def is_about(namespace: str, data: object, kinds: str = "25") -> bool:
    """Whether a packet is of this namespace, and of these kinds: by default an event, with attachments or without."""
    if not isinstance(data, str) or (found := _BEGINNING.match(data)) is None or found[1] not in kinds:
        return False
    if namespace == "/":
        return not data.startswith("/", found.end())
    return data.startswith((f"{namespace},", f"{namespace}?"), found.end())


def bytes_of(text: str) -> int:
    """How long it is on the wire."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def checked_namespace(namespace: object) -> str:
    if not isinstance(namespace, str) or not namespace.startswith("/") or set(namespace) & set(",?\"'\\ "):
        raise InvalidValue("namespace", "must begin with / and hold no comma, question mark, quote or space")
    return namespace

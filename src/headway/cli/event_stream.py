"""Reads a stream of Server-Sent Events. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

# A task's own fields fit in a fraction of this; a log event holds up to 1 MiB of lines.
LONGEST_LINE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    name: str
    data: str
    id: str


def events(stream: IO[bytes]) -> Iterator[ServerEvent]:
    """Each whole event; one that the stream's end cuts off is none. Raises `ValueError` for a line without an end."""
    name = event_id = ""
    data: list[str] = []
    while raw := stream.readline(LONGEST_LINE):
        if not raw.endswith(b"\n"):
            if len(raw) >= LONGEST_LINE:
                raise ValueError("an endless line")
            return
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), event_id)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            event_id = value

"""What a command prints, read as a person would read it off a terminal. Pure: bytes in, lines and words out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headway.cli.words import clean
from headway.model import limits

_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d+)?)\s?%(?!\w)")


@dataclass(frozen=True, slots=True)
class Read:
    """The lines that one piece of output has ended, and what stands on the line that is being written."""

    lines: tuple[str, ...]
    current: str


class LineReader:
    """Cuts output into lines as they are left standing: what a carriage return has overwritten is gone.

    Keeps no more of a line than a log line can hold, however long it is.
    """

    def __init__(self) -> None:
        self._line = b""
        self._overwrites = False

    def feed(self, data: bytes) -> Read:
        lines = []
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._write(part)
            lines.append(self._text())
            self._line, self._overwrites = b"", False
        self._write(rest)
        return Read(tuple(lines), self._text())

    def _write(self, data: bytes) -> None:
        for at, part in enumerate(data.split(b"\r")):
            if at > 0:
                self._overwrites = True
            if not part:
                continue
            if self._overwrites:
                self._line, self._overwrites = b"", False
            room = limits.LOG_LINE_BYTES - len(self._line)
            if room > 0:
                self._line += part[:room]

    def _text(self) -> str:
        text = clean(self._line.decode("utf-8", "replace"))
        # Bytes that are no UTF-8 became longer ones.
        while len(text.encode()) > limits.LOG_LINE_BYTES:
            text = text[: -max(1, (len(text.encode()) - limits.LOG_LINE_BYTES) // 4)]
        return text.rstrip()


def percent_in(text: str) -> float | None:
    """The last percentage from 0 to 100 that the text tells, or None."""
    told = [float(number) for number in _PERCENT.findall(text)]
    return next((number for number in reversed(told) if number <= 100), None)

"""A wall clock that can be set from outside the process that goes by it: eight bytes in a file."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path


class SteerableClock:
    """The machine's time plus what the file says. Monotonic time is the machine's own."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._offset = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def time(self) -> float:
        offset: float = struct.unpack("d", self._offset[:8])[0]
        return time.time() + offset

    def monotonic(self) -> float:
        return time.monotonic()


def set_offset(path: Path, seconds: float) -> None:
    """Make all clocks that go by this file jump."""
    if not path.exists():
        path.write_bytes(bytes(8))
    with path.open("r+b") as file:
        file.write(struct.pack("d", seconds))

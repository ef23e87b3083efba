"""The clock that the rest is given: wall time for records, monotonic time for waiting."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Unix seconds. May jump both ways."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start. Never goes back."""


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

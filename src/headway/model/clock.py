"""The clock that the rest is given: wall time for records, monotonic time for waiting."""

from __future__ import annotations

import time as system
from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Unix seconds. May jump both ways."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start. Never goes back."""


class SystemClock:
    """The machine's clocks."""

    # Looked at for every report: without a call in between.
    time = staticmethod(system.time)
    monotonic = staticmethod(system.monotonic)

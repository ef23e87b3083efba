"""How often one caller may create: a sliding minute, counted in memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.model.clock import Clock

CALLERS = 10_000


class RateLimit:
    """At most `limit` a minute for each caller; the `CALLERS` that came last are remembered."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = Lock()
        self._callers: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """0 when `caller` may create now, which then counts; else how long until it may."""
        now = self._clock.monotonic()
        with self._lock:
            times = self._callers.setdefault(caller, deque())
            self._callers.move_to_end(caller)
            if len(self._callers) > CALLERS:
                self._callers.popitem(last=False)
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.limit:
                return times[0] + 60 - now
            times.append(now)
            return 0.0

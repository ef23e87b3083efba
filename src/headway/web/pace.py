"""How often one task's states go out: as often as promised, less often for all where the sender is short of time."""

from __future__ import annotations

WINDOW_S = 1.0
TOO_BUSY = 0.6
"""Above that share of the time spent on sending, the rate is halved; below `IDLE` it is doubled again."""
IDLE = 0.2
SLOWEST_S = 0.2


class Pace:
    """The least time between two states of one task: `1 / max_rate`, up to 0.2 s under load. None: no limit at all."""

    def __init__(self, max_rate: float | None) -> None:
        self.interval_s = self._least_s = 0.0 if max_rate is None else 1 / max_rate
        self._slowest_s = max(SLOWEST_S, self._least_s)
        self._since: float | None = None
        self._busy_s = 0.0

    def spent(self, started: float, ended: float) -> None:
        """So long has been spent on sending. Once a window, the rate follows."""
        if not self._least_s:
            return
        if self._since is None or ended - self._since > 2 * WINDOW_S:
            self._since, self._busy_s = started, 0.0
        self._busy_s += ended - started
        if ended - self._since < WINDOW_S:
            return
        share = self._busy_s / (ended - self._since)
        if share > TOO_BUSY:
            self.interval_s = min(self.interval_s * 2, self._slowest_s)
        elif share < IDLE:
            self.interval_s = max(self.interval_s / 2, self._least_s)
        self._since, self._busy_s = ended, 0.0

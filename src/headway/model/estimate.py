"""Rate and time left, told only when they can be told honestly.

Speed is an exponentially weighted mean over time with the weight of what has not been observed yet taken out (as in
Adam's bias correction, Kingma & Ba 2015): after Δt the newest speed counts 1 - exp(-Δt/τ).
"""

from __future__ import annotations

import math

from headway.model.values import dataclass

TAU_S = 8.0
ENOUGH_WEIGHT = 0.2  # ≈ 1.8 s of observation with TAU_S
ENOUGH_CHANGES = 3
ENOUGH_PERCENT = 1.0


@dataclass(slots=True)
class Speed:
    """A smoothed speed of one rising amount; None until it has been observed for long enough, and in a stall."""

    value: float | None = None
    at: float = 0
    weighted: float = 0
    weight: float = 0
    changes: int = 0
    gained: float = 0
    moved_s: float = 0
    """From the first change to the last."""
    longest_s: float = 0
    """The longest time without a change that has come to an end; work in batches has such again and again."""

    def observe(self, value: float, at: float) -> None:
        if self.value is None or value < self.value:
            self._begin(value, at, changes=0)
            self.longest_s = 0
            return
        elapsed = at - self.at
        if elapsed <= 0 or value == self.value:
            return  # An unchanged amount adds its waiting time to the next change.
        if not self.changes or self.is_stalled(at):
            # Loading, or waiting for somebody: what went before it moved says nothing of how it moves.
            if self.changes:
                self.longest_s = elapsed
            self._begin(value, at, changes=1)
            return
        newest = 1 - math.exp(-elapsed / TAU_S)
        self.weighted += newest * ((value - self.value) / elapsed - self.weighted)
        self.weight += newest * (1 - self.weight)
        self.gained += value - self.value
        self.moved_s += elapsed
        self.longest_s = max(self.longest_s, elapsed)
        self.changes += 1
        self.value, self.at = value, at

    def per_s(self, now: float) -> float | None:
        if self.weight < ENOUGH_WEIGHT or self.changes < ENOUGH_CHANGES or self.is_stalled(now):
            return None
        return self.weighted / self.weight

    def is_stalled(self, now: float) -> bool:
        """Whether it has not moved for much longer than it has taken from change to change."""
        if self.changes < 2:
            return False
        usual_s = self.moved_s / (self.changes - 1)
        return now - self.at > max(TAU_S, 4 * usual_s, 2 * self.longest_s)

    def _begin(self, value: float, at: float, *, changes: int) -> None:
        self.value, self.at, self.changes = value, at, changes
        self.weighted = self.weight = self.gained = self.moved_s = 0


class Estimator:
    """Follows one task from flush to flush, in the process that reports it."""

    def __init__(self) -> None:
        self._progress = Speed()
        self._amount = Speed()
        self._amount_of: str | None = None
        self._attempt = 0

    def estimate(
        self, attempt: int, stage: str | None, completed: float | None, progress: float | None, now: float
    ) -> tuple[float | None, float | None]:
        """(seconds left, units a second) for a running task, or None each while it can't be told.

        `completed` is what is shown: the active stage's where it has its own.
        """
        if attempt != self._attempt:
            self._attempt = attempt
            self._progress, self._amount = Speed(), Speed()
        if self._amount_of != stage:
            self._amount_of = stage
            self._amount = Speed()
        if completed is not None:
            self._amount.observe(completed, now)
        rate = _rounded(self._amount.per_s(now))
        if progress is None:
            return None, rate
        self._progress.observe(progress, now)
        speed = self._progress.per_s(now)
        if not speed or self._progress.gained < ENOUGH_PERCENT or progress >= 99:
            return None, rate
        return round((100 - progress) / speed, 1), rate


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else float(f"{rate:.4g}")

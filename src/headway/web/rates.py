"""How much is too much, before anyone is known. Counted in memory; the time is passed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is bounded before anyone is known (SPEC 7)."""

    message_bytes: int = 64 * 1024
    connections: int = 10_000
    rooms: int = 1_000
    events_per_s: int = 100
    refusals_in_row: int = 1_000
    enter_within_s: float = 15
    """How long a socket may stay outside the namespace."""
    replies_queued: int = 512
    """Answers waiting for a client that does not read; beyond, it is closed."""
    body_within_s: float = 30
    """How long a request's body may take to arrive, and a chunk of an answer to leave."""
    pong_within_s: float = 10
    """How long the next poll of a client without marks waits for word that the last answer has arrived."""


class EventRate:
    """At most so many events of one connection in any second; tells when it has been refused too often in a row."""

    __slots__ = ("_admitted", "_refused", "_refused_at")

    def __init__(self) -> None:
        self._admitted: list[float] = []
        """When: those of the last second."""
        self._refused = 0
        self._refused_at = 0.0

    def admits(self, now: float, bounds: Bounds) -> bool:
        """Whether this event, at `now` (monotonic seconds), may be looked at."""
        admitted = self._admitted
        if admitted and now - admitted[-1] >= 1:
            admitted.clear()
        while admitted and now - admitted[0] >= 1:
            del admitted[0]
        if len(admitted) < bounds.events_per_s:
            admitted.append(now)
            return True
        # In a row means: with no second between in which all were admitted.
        self._refused = 1 if now - self._refused_at > 1 else self._refused + 1
        self._refused_at = now
        return False

    def is_hopeless(self, bounds: Bounds) -> bool:
        return self._refused >= bounds.refusals_in_row

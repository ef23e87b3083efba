"""The rate follows the load, within its bounds."""

from __future__ import annotations

import pytest

from headway.web.pace import Pace


def spend(pace: Pace, share: float, seconds: int, start: float = 0.0) -> float:
    """So much of each tenth of a second is spent on sending."""
    for turn in range(seconds * 10):
        begun = start + turn / 10
        pace.spent(begun, begun + share / 10)
    return start + seconds


def test_at_ease_the_rate_is_what_was_promised() -> None:
    pace = Pace(20)

    spend(pace, 0.3, 10)

    assert pace.interval_s == pytest.approx(0.05)


def test_under_load_the_rate_falls_to_five_a_second_and_comes_back() -> None:
    pace = Pace(20)

    now = spend(pace, 0.9, 2)
    assert pace.interval_s >= 0.1
    now = spend(pace, 0.9, 8, now)
    assert pace.interval_s == pytest.approx(0.2)
    spend(pace, 0.05, 8, now)

    assert pace.interval_s == pytest.approx(0.05)


def test_a_long_silence_counts_as_nothing() -> None:
    pace = Pace(20)

    pace.spent(0, 0.9)
    pace.spent(100, 100.01)
    pace.spent(101.2, 101.21)

    assert pace.interval_s == pytest.approx(0.05)


def test_without_a_rate_nothing_is_held_back() -> None:
    pace = Pace(None)

    spend(pace, 1.0, 5)

    assert pace.interval_s == 0

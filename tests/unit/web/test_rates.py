"""Events a second of one connection."""

from __future__ import annotations

from headway.web.rates import Bounds, EventRate

BOUNDS = Bounds(events_per_s=100, refusals_in_row=1_000)


def test_a_hundred_a_second_pass_and_the_next_second_begins_anew() -> None:
    rate = EventRate()

    assert [rate.admits(5.0, BOUNDS) for _ in range(101)] == [True] * 100 + [False]
    assert rate.admits(6.0, BOUNDS)


def test_a_burst_that_falls_into_two_seconds_is_limited_all_the_same() -> None:
    rate = EventRate()

    admitted = [rate.admits(at, BOUNDS) for at in [5.0, *[5.98] * 75, *[6.02] * 75]]

    assert admitted.count(True) == 101  # The very first is a second old by then.


def test_a_hundred_in_every_second_pass_for_ever() -> None:
    rate = EventRate()

    assert all(rate.admits(n / 99, BOUNDS) for n in range(1_000))


def test_a_flood_is_hopeless_after_a_thousand_refusals_in_a_row() -> None:
    rate = EventRate()

    for _ in range(1_099):
        rate.admits(5.5, BOUNDS)
    assert not rate.is_hopeless(BOUNDS)
    rate.admits(5.9, BOUNDS)

    assert rate.is_hopeless(BOUNDS)


def test_a_pause_forgives() -> None:
    rate = EventRate()

    for second in range(20):
        for _ in range(900):
            rate.admits(second * 2, BOUNDS)

    assert not rate.is_hopeless(BOUNDS)


def test_a_flood_that_is_slow_is_a_flood() -> None:
    rate = EventRate()

    for second in range(10):
        for _ in range(200):
            rate.admits(second, BOUNDS)

    assert rate.is_hopeless(BOUNDS)

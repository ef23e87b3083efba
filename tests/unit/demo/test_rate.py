"""How often one caller may create."""

from __future__ import annotations

from headway.demo.rate import CALLERS, RateLimit


class HandClock:
    """A clock that stands until it is moved."""

    now = 1_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_the_limit_holds_within_any_minute_and_says_how_long_to_wait() -> None:
    clock = HandClock()
    rate = RateLimit(3, clock)

    assert [rate.wait_s("a") for _ in range(3)] == [0, 0, 0]
    clock.now += 20
    assert rate.wait_s("a") == 40
    clock.now += 39.5
    assert rate.wait_s("a") == 0.5
    clock.now += 0.5
    assert rate.wait_s("a") == 0


def test_callers_are_counted_apart() -> None:
    rate = RateLimit(1, HandClock())

    assert rate.wait_s("a") == 0
    assert rate.wait_s("b") == 0
    assert rate.wait_s("a") > 0


def test_what_is_refused_does_not_count() -> None:
    clock = HandClock()
    rate = RateLimit(1, clock)
    rate.wait_s("a")
    for _ in range(10):
        rate.wait_s("a")

    clock.now += 60

    assert rate.wait_s("a") == 0


def test_only_so_many_callers_are_remembered() -> None:
    rate = RateLimit(1, HandClock())
    for n in range(CALLERS + 100):
        rate.wait_s(str(n))

    assert rate.wait_s("0") == 0
    assert rate.wait_s(str(CALLERS + 99)) > 0

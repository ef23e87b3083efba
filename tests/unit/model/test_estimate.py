"""Rate and time left: null until they can be told honestly, smooth after that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway.model.estimate import Estimator
from headway.model.stage import Stage
from headway.model.task import Task

TASK = Task(task_id="a", created_at=0.0, state="running", total=100)


def estimated(estimator: Estimator, task: Task, at: float) -> tuple[float | None, float | None]:
    return estimator.estimate(task.attempt, task.stage, task.amounts[0], task.progress, at)


def told(estimator: Estimator, amounts: list[tuple[float, float]]) -> list[tuple[float | None, float | None]]:
    """What is told at each (seconds, completed of 100)."""
    return [estimated(estimator, replace(TASK, completed=done, progress=done), at) for at, done in amounts]


def test_nothing_is_told_before_it_was_watched_for_a_while() -> None:
    assert told(Estimator(), [(0, 0), (0.1, 5), (0.2, 10), (0.3, 15)]) == [(None, None)] * 4


def test_a_single_jump_tells_no_speed() -> None:
    assert told(Estimator(), [(0, 0), (10, 50)])[-1] == (None, None)


def test_an_even_pace_is_told_as_it_is() -> None:
    eta_s, rate = told(Estimator(), [(n, 2.0 * n) for n in range(20)])[-1]

    assert rate == pytest.approx(2, rel=0.01)
    assert eta_s == pytest.approx((100 - 38) / 2, rel=0.01)


def test_one_stumble_does_not_turn_the_estimate_round() -> None:
    estimator = Estimator()
    steady = told(estimator, [(n, 2.0 * n) for n in range(20)])[-1][1]
    after = told(estimator, [(21.0, 38.5)])[-1][1]

    assert steady is not None
    assert after is not None
    assert steady / 2 < after < steady


def test_a_pause_makes_the_next_step_a_slow_one() -> None:
    estimator = Estimator()
    before = told(estimator, [(n, 2.0 * n) for n in range(10)])[-1][0]
    after = told(estimator, [(16.0, 20.0)])[-1][0]

    assert before is not None
    assert after is not None
    assert after > before


def test_in_a_stall_nothing_is_told_though_the_work_says_that_it_waits() -> None:
    estimator = Estimator()
    moving = told(estimator, [(n, 2.0 * n) for n in range(10)])[-1]
    waiting = told(estimator, [(9.0 + n, 18.0) for n in (1, 5, 9, 60)])

    assert None not in moving
    assert waiting[:2] == [moving, moving]
    assert waiting[2:] == [(None, None)] * 2


def test_after_a_stall_the_estimate_begins_anew_and_the_stall_is_not_in_it() -> None:
    estimator = Estimator()
    told(estimator, [(n, 2.0 * n) for n in range(10)])
    resumed = told(estimator, [(600.0 + n, 20.0 + 4 * n) for n in range(8)])

    assert resumed[:2] == [(None, None)] * 2
    assert resumed[-1] == (pytest.approx((100 - 48) / 4, rel=0.01), pytest.approx(4, rel=0.01))


def test_the_time_before_it_first_moves_is_not_in_the_estimate() -> None:
    loading = [(float(n), 0.0) for n in range(30)]
    moving = [(30.0 + n, 2.0 * n) for n in range(6)]

    eta_s, rate = told(Estimator(), [*loading, *moving])[-1]

    assert (eta_s, rate) == (pytest.approx(45, rel=0.01), pytest.approx(2, rel=0.01))


def test_slow_steps_are_no_stall() -> None:
    eta_s, rate = told(Estimator(), [(n * 10.0, 2.0 * (n // 6)) for n in range(40)])[-1]

    assert rate == pytest.approx(2 / 60, rel=0.01)
    assert eta_s == pytest.approx((100 - 12) * 30, rel=0.01)


def test_pauses_that_come_again_and_again_are_a_part_of_the_pace() -> None:
    """Batches of ten, twelve seconds apart."""
    batches = [(12.0 * batch + 0.1 * n, 10.0 * batch + n) for batch in range(6) for n in range(1, 11)]

    eta_s, rate = told(Estimator(), batches)[-1]

    assert eta_s is not None
    assert rate is not None


def test_no_time_left_is_told_while_the_progress_is_unknown_or_nearly_all() -> None:
    estimator = Estimator()
    told(estimator, [(n, 5.0 * n) for n in range(19)])

    assert estimated(estimator, replace(TASK, completed=95, progress=None), 19.0)[0] is None
    assert estimated(estimator, replace(TASK, completed=99, progress=99), 20.0)[0] is None


def test_a_new_attempt_and_a_new_stage_begin_anew() -> None:
    estimator = Estimator()
    told(estimator, [(n, 2.0 * n) for n in range(20)])

    staged = replace(TASK, stage="next", stages=(Stage("next", weight=0),), completed=40, progress=40)
    assert estimated(estimator, staged, 20.0)[1] is None
    assert estimated(estimator, replace(TASK, attempt=2, completed=1, progress=1), 21.0) == (None, None)


def test_a_clock_that_stands_still_or_goes_back_harms_nothing() -> None:
    estimator = Estimator()

    for at in (5.0, 5.0, 4.0, 3.0):
        assert estimated(estimator, replace(TASK, completed=at, progress=at), at) == (None, None)

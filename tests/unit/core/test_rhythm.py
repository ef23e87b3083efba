"""How often pending changes are stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.core import rhythm


@pytest.mark.parametrize(
    ("active", "seconds"), [(1, 0.05), (500, 0.05), (1_000, 0.1), (5_000, 0.5), (10_000, 1.0), (100_000, 1.0)]
)
def test_the_interval_stretches_with_the_number_of_active_tasks(active: int, seconds: float) -> None:
    assert rhythm.interval(active) == pytest.approx(seconds)


@given(st.integers(0, 20_000), st.integers(1, 20_000), st.floats(1e-6, rhythm.MOST_A_TASK_S))
def test_storing_never_takes_more_than_its_share_of_a_core(due: int, stored: int, cpu_s_a_task: float) -> None:
    spent = cpu_s_a_task * stored

    pause = rhythm.pause(due, stored=stored, cpu_s=spent)

    assert spent / (spent + pause) <= rhythm.SHARE + 1e-9


def test_a_few_tasks_are_not_kept_waiting_by_what_else_runs_on_the_thread() -> None:
    assert rhythm.pause(1, stored=3, cpu_s=2.0) < 0.001


def test_many_that_are_quiet_one_by_one_are_gathered() -> None:
    assert rhythm.pause(500, stored=1, cpu_s=0.0) == pytest.approx(rhythm.TICK_S)
    assert rhythm.pause(5_000, stored=1, cpu_s=0.0) == pytest.approx(rhythm.TICK_S)

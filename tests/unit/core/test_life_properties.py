"""Any order of calls, by anyone: manager, reporters and two processes' worth of managers on one store.

Every stored state is checked as a viewer would see it.
"""

from __future__ import annotations

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headway import ProgressManager, Reporter, StoreUnavailable, TaskCancelled
from headway.model.task import FINAL, LIFE_CYCLE
from tests.unit.core.doubles import HandClock, WatchedStore

WHO = st.sampled_from([0, 1])


class Life(RuleBasedStateMachine):
    """One task, two managers, and every attempt's reporter."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.store = WatchedStore(clock=self.clock)
        self.managers = [ProgressManager(store=self.store, clock=self.clock) for _ in range(2)]
        self.task_id = self.managers[0].create_task(total=1_000)
        self.reporters: list[Reporter] = []
        self.ended_reporters: set[int] = set()
        self.checked = 0
        self.advanced: dict[int, int] = {}

    def teardown(self) -> None:
        self.store.fails = False
        for manager in self.managers:
            manager.close()
        self.stored_states_are_true()

    # ── what may happen ──────────────────────────────────────────────────────────────────────────────────────────

    @rule(who=WHO, progress=st.integers(0, 100))
    def report(self, who: int, progress: int) -> None:
        self.managers[who].update_progress(self.task_id, progress, message=str(progress))

    @rule(who=WHO, line=st.text(max_size=3))
    def log(self, who: int, line: str) -> None:
        self.managers[who].add_log(self.task_id, line)

    @rule(who=WHO)
    def read(self, who: int) -> None:
        with contextlib.suppress(StoreUnavailable):
            self.managers[who].get_task(self.task_id)

    @rule(who=WHO, again=st.booleans())
    def attach(self, who: int, again: bool) -> None:
        with contextlib.suppress(TaskCancelled, StoreUnavailable):
            self.reporters.append(self.managers[who].attach(self.task_id, again=again))

    @rule(data=st.data(), n=st.integers(1, 5))
    def advance(self, data: st.DataObject, n: int) -> None:
        if self.reporters:
            with contextlib.suppress(TaskCancelled):
                data.draw(st.sampled_from(self.reporters)).advance(n)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        if self.reporters:
            reporter = data.draw(st.sampled_from(self.reporters))
            with contextlib.suppress(TaskCancelled), reporter.step("part", total=3) as part:
                part.advance()

    @rule(data=st.data(), fails=st.booleans())
    def leave(self, data: st.DataObject, fails: bool) -> None:
        if self.reporters:
            reporter = data.draw(st.sampled_from(self.reporters))
            error = ValueError("x") if fails else None
            with contextlib.suppress(StoreUnavailable):
                reporter.__exit__(type(error) if error else None, error, None)

    @rule(who=WHO)
    def complete(self, who: int) -> None:
        self.acknowledged("completed", lambda: self.managers[who].complete_task(self.task_id, result=1))

    @rule(who=WHO)
    def fail(self, who: int) -> None:
        self.acknowledged("failed", lambda: self.managers[who].fail_task(self.task_id, "x"))

    @rule(who=WHO)
    def cancel(self, who: int) -> None:
        with contextlib.suppress(StoreUnavailable):
            before = self.store.get(self.task_id)
            assert self.managers[who].cancel_task(self.task_id) == (not before.has_ended)
            assert self.store.get(self.task_id).state in ("cancelling", *FINAL)

    @rule(seconds=st.sampled_from([0.01, 0.06, 1.0, -5.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.move(max(seconds, 0))

    @rule(fails=st.booleans())
    def store_fails_or_heals(self, fails: bool) -> None:
        self.store.fails = fails

    @rule(who=WHO)
    def close(self, who: int) -> None:
        self.managers[who].close()

    def acknowledged(self, state: str, call: object) -> None:
        with contextlib.suppress(StoreUnavailable):
            if call():  # type: ignore[operator]
                assert self.store.get(self.task_id).state == state

    # ── what must be true ────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def stored_states_are_true(self) -> None:
        history = self.store.states_of(self.task_id)
        for before, after in zip(history[max(self.checked - 1, 0) :], history[max(self.checked, 1) :], strict=False):
            assert after.rev > before.rev
            assert after.attempt in (before.attempt, before.attempt + 1)
            assert after.log_count >= before.log_count
            if after.attempt > before.attempt:
                assert before.state in ("failed", "cancelled", "running")  # Running: a broker has delivered it again.
                continue
            assert not before.has_ended, "nothing follows the end"
            assert after.state == before.state or after.state in LIFE_CYCLE[before.state]
            assert (after.progress or 0) >= (before.progress or 0)
            assert (after.progress == 100) == (after.state == "completed")
            assert (after.completed or 0) >= (before.completed or 0)
        self.checked = len(history)

    @invariant()
    def the_log_has_no_gap(self) -> None:
        lines = self.store.read_log(self.task_id).lines
        assert [line.n for line in lines] == list(range(1, len(lines) + 1))


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase

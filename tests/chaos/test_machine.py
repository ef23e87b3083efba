"""Any order of calls, joins, faults and restarts: what viewers see, and what is stored, keeps every promise.

Hypothesis chooses the steps and shrinks what fails; the parts are real, only the network is left out (inside.py).
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from headway import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import NotRetryable, StoreUnavailable, TaskCancelled
from headway.model.ports import Store, Swap
from headway.model.task import FINAL, Task
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore
from tests.chaos import store_faults
from tests.chaos.inside import House, SteppedClock
from tests.invariants import Checker

VIEWERS = ("ann", "bob", "eve")


class Faulty:
    """A store that can be told to refuse the next calls."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.refusals = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create(self, task: Task) -> Task:
        self._refuse()
        return self._inner.create(task)

    def swap(self, swap: Swap) -> Task | None:
        self._refuse()
        return self._inner.swap(swap)

    def swap_many(self, swaps: Any) -> Any:
        self._refuse()
        return self._inner.swap_many(swaps)

    def get_many(self, task_ids: Any) -> Any:
        self._refuse()
        return self._inner.get_many(task_ids)

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("refused by the test")


class QuietRunner:
    """Takes every retry, and runs nothing: the test's own reporters do."""

    name = "quiet"
    holds_pending = False

    def can_retry(self, task: Task) -> bool:
        return True

    def retry(self, task: Task) -> None:
        """It waits to be attached."""

    def stop_task(self, task: Task) -> None:
        """Nobody to tell."""

    def kill_task(self, task: Task) -> str | None:
        return None


class System(RuleBasedStateMachine):
    """What has been acknowledged, by task, is the model: (attempt, final state or None)."""

    tasks = Bundle("tasks")
    reporters = Bundle("reporters")

    def __init__(self) -> None:
        super().__init__()
        self.clock = SteppedClock()
        self.ended: dict[str, tuple[int, str]] = {}
        self.cancelled: dict[str, int] = {}
        self.checker = Checker()
        self.judged = 0

    def new_store(self) -> Store:
        return MemoryStore(clock=self.clock)

    @initialize()
    def build(self) -> None:
        self.store = Faulty(self.new_store())
        self.open_house()

    def open_house(self) -> None:
        manager = ProgressManager(
            store=self.store, clock=_Ticking(self.clock), lease_s=86_400, keep_for=None, keep_tasks=None
        )
        manager.register_runner(QuietRunner())
        self.house = House(manager, max_rate=20, clock=self.clock)
        self.judged = 0
        for viewer in VIEWERS:
            self.house.connect(viewer)

    @property
    def manager(self) -> ProgressManager:
        return self.house.manager

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(target=tasks, total=st.none() | st.integers(1, 20), indeterminate=st.booleans())
    def create(self, total: int | None, indeterminate: bool) -> str:
        self.store.refusals = 0
        return self.manager.create_task(total=total, indeterminate=indeterminate, runner="quiet")

    @rule(task_id=tasks, progress=st.integers(0, 100), advance=st.booleans())
    def update(self, task_id: str, progress: int, advance: bool) -> None:
        self.must_hold(task_id)
        if advance:
            heard = self.manager.update_progress(task_id, advance=progress)
        else:
            heard = self.manager.update_progress(task_id, progress, message=f"at {progress}")
        assert not (heard and self.has_ended(task_id)), "heard after its end"

    @rule(task_id=tasks, lines=st.integers(1, 300))
    def add_log(self, task_id: str, lines: int) -> None:
        self.must_hold(task_id)
        for number in range(lines):
            self.manager.add_log(task_id, f"line {number}")

    @rule(task_id=tasks, how=st.sampled_from(["completed", "failed"]))
    def end(self, task_id: str, how: str) -> None:
        self.must_hold(task_id)
        end = self.manager.complete_task if how == "completed" else self.manager.fail_task
        if self.acknowledged(lambda: end(task_id, "words")):
            assert not self.has_ended(task_id), "ended twice"
            self.note_end(task_id, how)

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        self.must_hold(task_id)
        if self.acknowledged(lambda: self.manager.cancel_task(task_id)):
            assert not self.has_ended(task_id), "cancelled after its end"
            task = self.manager.get_task(task_id)
            self.cancelled[task_id] = task.attempt
            if task.has_ended:
                self.note_end(task_id, task.state)

    @rule(task_id=tasks)
    def retry(self, task_id: str) -> None:
        self.must_hold(task_id)
        try:
            self.acknowledged(lambda: self.manager.retry_task(task_id))
        except NotRetryable:
            assert not self.has_ended(task_id) or self.ended[task_id][1] == "completed"

    @rule(target=reporters, task_id=tasks)
    def attach(self, task_id: str) -> tuple[str, Reporter | None]:
        self.must_hold(task_id)
        try:
            return task_id, self.manager.attach(task_id)
        except (TaskCancelled, StoreUnavailable):
            return task_id, None

    @rule(reporter=reporters, progress=st.integers(0, 100))
    def report(self, reporter: tuple[str, Reporter | None], progress: int) -> None:
        if reporter[1] is not None:
            try:
                reporter[1].update(progress, message="by a reporter")
                reporter[1].log("by a reporter")
            except TaskCancelled:
                assert reporter[1].cancelled

    @rule(reporter=consumes(reporters), fails=st.booleans())
    def leave_block(self, reporter: tuple[str, Reporter | None], fails: bool) -> None:
        task_id, block = reporter
        if block is None:
            return
        self.must_hold(task_id)
        try:
            with block:
                if fails:
                    raise RuntimeError("the work failed")
        except (RuntimeError, StoreUnavailable):
            pass
        task = self.manager.get_task(task_id)
        if task.attempt == block.attempt and task.has_ended:
            self.note_end(task_id, task.state)

    # ── viewers ──────────────────────────────────────────────────────────────────────────────────────────────

    @rule(viewer=st.sampled_from(VIEWERS), task_id=tasks, log_from=st.none() | st.integers(1, 50))
    def join(self, viewer: str, task_id: str, log_from: int | None) -> None:
        self.house.join(viewer, task_id, log_from)

    @rule(viewer=st.sampled_from(VIEWERS), task_id=tasks)
    def leave(self, viewer: str, task_id: str) -> None:
        self.house.leave(viewer, task_id)

    @rule(viewer=st.sampled_from(VIEWERS))
    def come_back(self, viewer: str) -> None:
        self.house.disconnect(viewer)
        self.house.connect(viewer)

    @rule(viewer=st.sampled_from(VIEWERS), slow=st.booleans())
    def read_slowly(self, viewer: str, slow: bool) -> None:
        self.house.onlooker(viewer).is_slow = slow

    @rule()
    def deliver(self) -> None:
        self.house.driver.turn()

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([-86_400.0, -60.0, -0.5, 0.05, 2.0, 3_600.0]))
    def jump(self, seconds: float) -> None:
        self.clock.wall += seconds

    @rule(seconds=st.floats(0.01, 5))
    def wait(self, seconds: float) -> None:
        self.clock.wall += seconds
        self.clock.passed += seconds

    @rule(times=st.integers(1, 4))
    def refuse(self, times: int) -> None:
        self.store.refusals = times

    @rule()
    def lose_notifications(self) -> None:
        """Another process's changes that nobody was told of."""
        self.house.hub.close()
        self.house.hub.open()
        self.house.driver.must_heal = True

    # ── judgement ────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def nothing_was_broken(self) -> None:
        if not hasattr(self, "house"):
            return
        events = self.house.history.events
        for event in events[self.judged :]:
            self.checker.take(event)
        self.judged = len(events)
        assert self.checker.found == []

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            self.store.refusals = 0
            self.house.settle()
            self.house.settle()
            self.nothing_was_broken()
            alive = set()
            for task in self.stored():
                if not task.has_ended:
                    alive.add(task.task_id)
                if task.task_id in self.ended and self.ended[task.task_id][0] == task.attempt:
                    assert task.state == self.ended[task.task_id][1]
                if self.cancelled.get(task.task_id) == task.attempt:
                    assert task.cancel_requested_at is not None
            truth = {task.task_id: _payload(task) for task in self.stored() if task.has_ended}
            assert self.checker.finish(unfinished=alive, truth=truth) == []
        finally:
            self.house.close()
            self.close_store()

    def close_store(self) -> None:
        """Nothing is left behind."""

    def stored(self) -> list[Task]:
        return [self.manager.get_task(task.task_id) for task in self.manager.list_tasks(limit=500)]

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────

    def must_hold(self, task_id: str) -> None:
        """What an earlier step was acknowledged is there, whatever has happened since."""
        assert self.manager.store.get(task_id).attempt >= self.ended.get(task_id, (1, ""))[0]

    def has_ended(self, task_id: str) -> bool:
        attempt, state = self.ended.get(task_id, (0, ""))
        return state in FINAL and self.manager.store.get(task_id).attempt == attempt

    def note_end(self, task_id: str, state: str) -> None:
        self.ended[task_id] = (self.manager.store.get(task_id).attempt, state)

    def acknowledged(self, call: Any) -> bool:
        try:
            return bool(call())
        except StoreUnavailable:
            return False


class SqliteSystem(System):
    """The same on a file, which may also be closed, deleted and restored."""

    def new_store(self) -> Store:
        self.folder = Path(tempfile.mkdtemp(prefix="headway-machine-"))
        return SqliteStore(self.folder / "headway.db", clock=self.clock)

    def close_store(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # A thread that is just ending may still make a file.

    @rule()
    def restart(self) -> None:
        """The manager and the hub end; what is stored goes on. Viewers come back and are held to what they saw."""
        history = self.house.history
        for viewer in VIEWERS:
            self.house.disconnect(viewer)
        self.nothing_was_broken()
        self.store.refusals = 0
        self.house.close()
        self.open_house()
        assert history is not self.house.history

    @precondition(lambda self: hasattr(self, "house"))
    @rule(copied=st.booleans())
    def replace_store(self, copied: bool) -> None:
        """Restored from a backup of a moment ago, or deleted: another history."""
        for task in self.stored():
            self.ended.pop(task.task_id, None)
            self.cancelled.pop(task.task_id, None)
        path = self.folder / "headway.db"
        before = self.manager.store.epoch()
        store_faults.back_up(path, self.folder / "backup.db")
        store_faults.replace(path, self.folder / "backup.db")
        (self.folder / "backup.db").unlink()
        done = threading.Event()
        while self.manager.store.epoch() == before:
            done.wait(0.01)
        self.checker.replaced()
        self.house.driver.must_heal = True


class _Ticking:
    """The wall clock of the test, and the machine's monotonic one: the manager's threads wait in true time."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.time()

    def monotonic(self) -> float:
        return time.monotonic()


def _payload(task: Task) -> dict[str, Any]:
    return {
        "epoch": task.epoch,
        "rev": task.rev,
        "attempt": task.attempt,
        "progress": task.progress,
        "state": task.state,
    }


_QUICK = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "stateful_step_count": 40,
}

TestInMemory = System.TestCase
TestInMemory.settings = settings(max_examples=120, **_QUICK)
TestOnSqlite = SqliteSystem.TestCase
TestOnSqlite.settings = settings(max_examples=20, **_QUICK)

"""Who is alive, silent or gone: decided by leases, on a clock that is moved by hand.

The other processes here are made up, or real ones that have ended; `tests/integration/test_liveness_*` kills and stops
real workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from headway import ProgressManager, StoreUnavailable, TaskCancelled
from headway.core.host import host_name, process_started
from headway.model.ports import Lease, Swap
from headway.model.task import Task
from tests.unit.core.doubles import HandClock, WatchedStore

LEASE_S = 15.0
THIS_PID = os.getpid()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> WatchedStore:
    return WatchedStore(clock=clock)


@pytest.fixture
def reaper(store: WatchedStore, clock: HandClock) -> Iterator[ProgressManager]:
    with ProgressManager(store=store, clock=clock, lease_s=LEASE_S) as opened:
        yield opened


def held_by(store: WatchedStore, lease: Lease, **fields: object) -> str:
    """A task that the process of this lease runs."""
    if lease not in store.leases():
        store.renew(lease)
    with ProgressManager(store=store) as other:
        task_id = other.create_task()
    task = store.get(task_id)
    running = task.starting(store.now(), holder=lease.lease_id, confirms_cancel=True)
    assert store.swap(Swap(task, replace(running, **fields))) is not None  # type: ignore[arg-type]
    return task_id


def elsewhere(**fields: object) -> Lease:
    return replace(Lease("theirs", "another-host", 1, "1", 1, LEASE_S), **fields)  # type: ignore[arg-type]


def here(**fields: object) -> Lease:
    """A lease of a process that is surely alive: this one."""
    started = process_started(THIS_PID)
    assert started is not None
    return replace(Lease("ours", host_name(), THIS_PID, started, 1, LEASE_S), **fields)  # type: ignore[arg-type]


def watch(reaper: ProgressManager, clock: HandClock, seconds: float, *, every: float = 0.5) -> None:
    """Look, and look again, until so much time has passed."""
    reaper.reap()
    end = clock.at + seconds
    while clock.at < end:
        clock.move(every)
        reaper.reap()


def ended_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def reason_of(task: Task) -> tuple[str, str | None]:
    return task.state, task.error.code if task.error else None


# ── on this host ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_that_has_ended_makes_its_tasks_failed_at_once(reaper: ProgressManager, store: WatchedStore) -> None:
    task_id = held_by(store, here(pid=ended_process()), progress=40)

    reaper.reap()

    task = store.get(task_id)
    assert reason_of(task) == ("failed", "worker_lost")
    assert (task.progress, task.worker, task.holder) == (40, None, None)
    assert "ours" not in [lease.lease_id for lease in store.leases()]


def test_another_process_with_the_same_pid_is_not_the_one_that_held_the_task(
    reaper: ProgressManager, store: WatchedStore
) -> None:
    task_id = held_by(store, here(pid_started="12345"))

    reaper.reap()

    assert reason_of(store.get(task_id)) == ("failed", "worker_lost")


def test_a_start_time_that_nobody_knows_proves_no_death(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, here(pid_started=""))

    watch(reaper, clock, 3)

    assert store.get(task_id).worker == "alive"


def test_a_task_that_was_asked_to_stop_is_cancelled_when_its_worker_is_gone_and_says_so(
    reaper: ProgressManager, store: WatchedStore
) -> None:
    task_id = held_by(store, here(pid=ended_process()), state="cancelling", cancel_requested_at=1.0)

    reaper.reap()

    task = store.get(task_id)
    assert task.state == "cancelled"
    assert "worker process has ended" in task.message


def test_a_process_that_lives_but_is_not_heard_of_is_silent_and_never_killed(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, here())

    watch(reaper, clock, LEASE_S - 1)
    assert store.get(task_id).worker == "alive"
    before = store.get(task_id)
    watch(reaper, clock, 2)

    task = store.get(task_id)
    assert (task.state, task.worker) == ("running", "silent")
    assert task.updated_at == before.updated_at, "the reaper is not the work"
    watch(reaper, clock, 3_600, every=4)
    assert store.get(task_id).state == "running"


def test_its_next_sign_of_life_makes_it_alive_again(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, here())
    watch(reaper, clock, LEASE_S + 1)
    assert store.get(task_id).worker == "silent"

    store.renew(here(beat=2))
    reaper.reap()

    assert store.get(task_id).worker == "alive"


def test_renewals_are_no_changes_of_a_task(reaper: ProgressManager, store: WatchedStore, clock: HandClock) -> None:
    task_id = held_by(store, here())
    rev = store.get(task_id).rev

    for beat in range(2, 20):
        store.renew(here(beat=beat))
        watch(reaper, clock, 5)

    assert store.get(task_id).rev == rev


# ── on another host ──────────────────────────────────────────────────────────────────────────────────────────────


def test_on_another_host_the_lease_alone_decides(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, elsewhere())

    watch(reaper, clock, LEASE_S - 1)
    assert store.get(task_id).state == "running"
    watch(reaper, clock, 2)

    assert reason_of(store.get(task_id)) == ("failed", "worker_lost")


def test_on_another_host_a_renewed_lease_keeps_its_tasks(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, elsewhere())

    for beat in range(2, 12):
        watch(reaper, clock, LEASE_S - 3)
        store.renew(elsewhere(beat=beat))

    assert store.get(task_id).worker == "alive"


def test_a_lease_of_another_length_counts_by_its_own(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, elsewhere(lease_s=60.0))

    watch(reaper, clock, 50)
    assert store.get(task_id).state == "running"
    watch(reaper, clock, 12)

    assert store.get(task_id).state == "failed"


def test_a_reaper_that_was_stopped_itself_draws_no_conclusions(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    """A laptop that slept, a paused virtual machine: everybody was silent, and the one who looks too."""
    far, near = held_by(store, elsewhere()), held_by(store, here())
    watch(reaper, clock, 3)

    clock.move(3_600)
    reaper.reap()
    assert (store.get(far).state, store.get(near).worker) == ("running", "alive")
    store.renew(elsewhere(beat=2))
    store.renew(here(beat=2))
    watch(reaper, clock, 10)

    assert (store.get(far).state, store.get(near).worker) == ("running", "alive")


# ── whose task it is ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_of_a_lease_that_nobody_knows_is_lost(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = held_by(store, elsewhere())
    store.drop_lease("theirs")

    watch(reaper, clock, 6)

    assert reason_of(store.get(task_id)) == ("failed", "worker_lost")


def test_who_shows_a_lease_a_moment_later_is_not_lost(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    """As after a store was replaced: tasks are there before the leases of who runs them."""
    task_id = held_by(store, elsewhere())
    store.drop_lease("theirs")
    watch(reaper, clock, 1)

    store.renew(elsewhere())
    watch(reaper, clock, 10)

    assert store.get(task_id).state == "running"


def test_in_a_new_history_the_lease_is_there_at_once(store: WatchedStore, clock: HandClock) -> None:
    with ProgressManager(store=store, clock=clock) as manager:
        lease_id = manager.lease()
        store.drop_lease(lease_id)

        manager._open()._reset()

        assert [lease.lease_id for lease in store.leases()] == [lease_id]


@pytest.mark.parametrize("between", ["leases", "held"])
def test_a_worker_that_begins_while_the_reaper_looks_is_no_orphan(
    reaper: ProgressManager, store: WatchedStore, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    begun: list[str] = []
    read = getattr(store, between)

    def read_before_a_newcomer() -> object:
        seen = read()
        monkeypatch.undo()
        begun.append(held_by(store, elsewhere(lease_id="new")))
        return seen

    monkeypatch.setattr(store, between, read_before_a_newcomer)
    reaper.reap()

    assert store.get(begun[0]).state == "running"


def test_a_task_that_another_process_took_over_meanwhile_is_not_lost_with_the_old_one(
    reaper: ProgressManager, store: WatchedStore
) -> None:
    task_id = held_by(store, here(pid=ended_process()))
    with ProgressManager(store=store) as other:
        other.update_progress(task_id, 50)
        other.get_task(task_id)

        reaper.reap()

        assert other.get_task(task_id).state == "running"


def test_a_pending_task_that_no_process_holds_waits_for_as_long_as_it_takes(
    reaper: ProgressManager, store: WatchedStore, clock: HandClock
) -> None:
    task_id = reaper.create_task()

    watch(reaper, clock, 3_600, every=4)

    assert store.get(task_id).state == "pending"


def test_one_process_has_one_lease_for_all_its_tasks(store: WatchedStore, clock: HandClock) -> None:
    with ProgressManager(store=store, clock=clock) as manager:
        holders = set()
        for n in range(5):
            task_id = manager.create_task()
            manager.update_progress(task_id, n)
            holders.add(manager.get_task(task_id).holder)

        assert len(holders) == 1
        assert {lease.lease_id for lease in store.leases()} == holders


def test_who_only_reads_and_creates_has_no_lease(manager: ProgressManager, store: WatchedStore) -> None:
    task_id = manager.create_task()
    manager.get_task(task_id)
    manager.cancel_task(task_id)

    assert store.leases() == []


def test_a_store_that_fails_while_the_dead_are_buried_is_asked_again(
    reaper: ProgressManager, store: WatchedStore
) -> None:
    task_id = held_by(store, here(pid=ended_process()))
    store.fails = True
    with pytest.raises(StoreUnavailable):
        reaper.reap()
    store.fails = False

    reaper.reap()

    assert reason_of(store.get(task_id)) == ("failed", "worker_lost")


def test_a_reporter_whose_task_was_given_up_is_told_to_stop(store: WatchedStore, clock: HandClock) -> None:
    with ProgressManager(store=store, clock=clock) as worker, ProgressManager(store=store, clock=clock) as reaper:
        task = worker.task()
        task.update(30)
        worker.get_task(task.task_id)
        mine = next(lease for lease in store.leases() if lease.lease_id == worker.get_task(task.task_id).holder)
        store.renew(replace(mine, host="another-host"))
        watch(reaper, clock, LEASE_S + 2)
        assert reaper.get_task(task.task_id).state == "failed"

        with pytest.raises(TaskCancelled):
            task.update(40)

"""The work that tasks do under chaos, and the journal that says what was acknowledged to it.

A worker process runs `python -m tests.chaos.work`; its standard output is the journal, one JSON entry a line
(ledger.py). Every way of reporting is taken: a reporter's block, plain calls, logs, stages, results of all sizes.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headway import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import StoreError, TaskCancelled, TaskNotFound
from headway.stores.sqlite import SqliteStore
from tests.chaos import power
from tests.chaos.clock import SteerableClock

LEASE_S = 2.0
TURN_S = 0.03


class Journal:
    """Entries go out whole, or, when the process is killed, not at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write(self, **entry: Any) -> None:
        line = json.dumps(entry) + "\n"
        with self._lock:
            sys.stdout.write(line)
            sys.stdout.flush()


class PlannedFailure(Exception):
    """What some tasks are meant to end with."""


def job(reporter: Reporter, seed: int, turns: int) -> dict[str, Any]:
    """What a runner of the server runs; it can be retried, since its arguments are JSON."""
    rng = random.Random(seed * 1_000 + reporter.attempt)
    report_all(reporter, rng, turns)
    if rng.random() < 0.3:
        raise PlannedFailure("as planned")
    return {"mark": f"{seed}"}


def report_all(reporter: Reporter, rng: random.Random, turns: int) -> None:
    """A few seconds of reports of all kinds. Raises `TaskCancelled` where the task was asked to stop."""
    pause = threading.Event()
    for turn in range(turns):
        match rng.randrange(6):
            case 0:
                reporter.update(progress=turn * 100 / turns, message=f"turn {turn}")
            case 1:
                reporter.update(completed=turn, total=turns, details={"current": f"thing {turn}"})
            case 2:
                reporter.log(f"line of turn {turn}")
            case 3:
                with reporter.step("stage_" + "abc"[turn * 3 // turns]) as step:
                    step.update(progress=rng.uniform(0, 100))
            case 4:
                reporter.advance(0)
                reporter.update(message="still at it")
            case _:
                for number in range(rng.randrange(20)):
                    reporter.log(f"turn {turn}, line {number}")
        pause.wait(TURN_S)


class Worker:
    """Threads that begin one task after the other."""

    def __init__(self, manager: ProgressManager, journal: Journal, seed: int) -> None:
        self._manager = manager
        self._journal = journal
        self._seed = seed
        self._pause = threading.Event()

    def run(self, thread: int, stopping: threading.Event) -> None:
        rng = random.Random(self._seed * 100 + thread)
        number = 0
        while not stopping.is_set():
            number += 1
            mark = f"{self._seed}-{thread}-{number}"
            try:
                rng.choice((self._by_block, self._by_block, self._by_calls))(rng, mark)
            except (StoreError, TaskNotFound):
                self._pause.wait(0.1)  # Nothing was acknowledged; the next one may go better.

    # ── a reporter's block ───────────────────────────────────────────────────────────────────────────────────

    def _by_block(self, rng: random.Random, mark: str) -> None:
        manager = self._manager
        stages = ["stage_a", "stage_b", "stage_c"] if rng.random() < 0.5 else None
        reporter = manager.task(mark, stages=stages, indeterminate=rng.random() < 0.2)
        about = self._created(reporter.task_id)
        try:
            with reporter:
                report_all(reporter, rng, rng.randrange(20, 120))
                if rng.random() < 0.2:
                    raise PlannedFailure(mark)
                reporter.set_result(_result(rng, mark))
        except PlannedFailure:
            return  # The block could not say whether that was stored; viewers will see.
        except TaskCancelled:
            self._journal.write(op="over", **about)
            self._expect_refusal(about, lambda: reporter.log("too late"))
            return
        task = self._manager.get_task(reporter.task_id)
        if task.epoch == about["epoch"] and task.state == "completed":
            self._journal.write(op="end", state="completed", mark=mark, **about)

    # ── plain calls ──────────────────────────────────────────────────────────────────────────────────────────

    def _by_calls(self, rng: random.Random, mark: str) -> None:
        manager = self._manager
        task_id = manager.create_task(mark)
        about = self._created(task_id)
        turns = rng.randrange(20, 120)
        for turn in range(turns):
            if not manager.update_progress(task_id, progress=turn * 100 / turns, message=f"turn {turn}"):
                self._journal.write(op="over", **about)
                self._expect_refusal(about, lambda: manager.update_progress(task_id, 99))
                return
            if turn % 5 == 0:
                manager.add_log(task_id, f"line of turn {turn}")
            self._pause.wait(TURN_S)
        ends: tuple[tuple[str, str | None, Callable[[], bool]], ...] = (
            ("completed", mark, lambda: manager.complete_task(task_id, _result(rng, mark))),
            ("failed", None, lambda: manager.fail_task(task_id, "as planned")),
            ("cancelled", None, lambda: manager.cancel_task(task_id, "as planned")),
        )
        state, marked, end = rng.choices(ends, (4, 1, 1))[0]
        while True:
            try:
                done = end()
                break
            except StoreError:
                self._pause.wait(0.1)  # Not acknowledged: say it again.
        if done:
            self._journal.write(op="end", state=state, mark=marked, **about)
        else:
            self._journal.write(op="over", **about)
        self._expect_refusal(about, lambda: manager.update_progress(task_id, 99))

    def _created(self, task_id: str) -> dict[str, Any]:
        about = {"task_id": task_id, "epoch": self._manager.get_task(task_id).epoch}
        self._journal.write(op="create", **about)
        return about | {"attempt": 1}

    def _expect_refusal(self, about: dict[str, Any], report: Callable[[], bool]) -> None:
        """Once the end is stored, who has been told of it must not be heard again."""
        try:
            heard = self._manager.get_task(about["task_id"]).has_ended and report()
        except (TaskCancelled, StoreError, TaskNotFound):
            return
        if heard:
            self._journal.write(op="heard", **about)


def _result(rng: random.Random, mark: str) -> dict[str, str]:
    return {"mark": mark, "filler": "x" * rng.choice((0, 100, 20_000))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--sync-points", type=Path, default=None)
    given = parser.parse_args()
    if given.sync_points is not None:
        power.copy_at_sync_points(given.store, given.sync_points)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    clock = SteerableClock(given.clock)
    manager = ProgressManager(
        store=SqliteStore(given.store, clock=clock), clock=clock, lease_s=LEASE_S, keep_for=None, keep_tasks=None
    )
    stopping = threading.Event()
    worker = Worker(manager, Journal(), given.seed)
    threads = [
        threading.Thread(target=worker.run, args=(number, stopping), daemon=True) for number in range(given.threads)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()  # Until told to stop: then the tasks at hand are finished, and no more begun.
    stopping.set()
    for thread in threads:
        thread.join()
    manager.close()


if __name__ == "__main__":
    main()

"""The work of a test task: as long, as chatty and as ill-behaved as it was asked to be."""

from __future__ import annotations

import os
import signal
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NoReturn

from headway.model.errors import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from headway.core.reporter import Reporter

# Work that does not end well ends here, so that a viewer sees the bar stop in the middle.
TURNING_POINT = 0.6
# How long a cancel may go unnoticed between two updates.
GLANCE_S = 0.05
LOG_LINES = 20


def run_trial(
    reporter: Reporter, *, seconds: float, updates: int, steps: Sequence[str] = (), outcome: str = "complete"
) -> dict[str, object]:
    """Report `updates` times within `seconds`, evenly over the stages `steps`; then end as `outcome` says."""
    started = time.monotonic()
    last = updates if outcome == "complete" else max(1, int(updates * TURNING_POINT))
    if not steps:
        reporter.update(total=updates)
    reporter.log(f"test task: {updates} updates in {seconds:g} s, to {outcome}")
    done = 0
    for stage, share in _shares(steps, updates):
        with _step(reporter, stage, share):
            for _ in range(share):
                done += 1
                _pause_until(reporter, started + seconds * done / updates)
                reporter.advance(1)
                reporter.update(message=f"update {done} of {updates}")
                if done % max(1, updates // LOG_LINES) == 0:
                    reporter.log(f"update {done} of {updates}")
                if done == last and outcome != "complete":
                    # Within the stage, which is not completed then.
                    _go_wrong(reporter, outcome)
    return {"updates": done, "seconds": round(time.monotonic() - started, 3)}


def _go_wrong(reporter: Reporter, outcome: str) -> NoReturn:
    if outcome == "fail":
        reporter.log("failing, as asked", level="error")
        raise TaskFailed("The test task failed, as it was asked to.", code="test_failure")
    if outcome == "crash":
        reporter.log("killing this worker process, as asked", level="error")
        _pause_until(reporter, time.monotonic() + 0.3)  # let the last report reach the store
        os.kill(os.getpid(), signal.SIGKILL)
    reporter.log("hanging, as asked", level="warning")
    while True:
        _pause_until(reporter, time.monotonic() + 60)


def _shares(stages: Sequence[str], updates: int) -> list[tuple[str | None, int]]:
    """Each stage with its part of `updates`, which may be none."""
    if not stages:
        return [(None, updates)]
    edges = [updates * index // len(stages) for index in range(len(stages) + 1)]
    return [(name, edges[index + 1] - edges[index]) for index, name in enumerate(stages)]


def _step(reporter: Reporter, stage: str | None, share: int) -> AbstractContextManager[object]:
    return nullcontext() if stage is None else reporter.step(stage, total=max(1, share))


def _pause_until(reporter: Reporter, deadline: float) -> None:
    while (left := deadline - time.monotonic()) > 0:
        reporter.raise_if_cancelled()
        time.sleep(min(left, GLANCE_S))

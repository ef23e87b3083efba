"""The work of the runners' contract: one function for each thing that a worker may do."""

from __future__ import annotations

import os
import threading
from typing import Any

from headway import Reporter, TaskFailed


def counts(reporter: Reporter, n: int, *, label: str = "rows") -> dict[str, Any]:
    with reporter.step("count", total=n) as step:
        for number in step.track(range(n)):
            reporter.log(f"{label} {number + 1}")
    reporter.update(message="counted")
    return {"n": n, "label": label, "pid": os.getpid()}


def fails(reporter: Reporter) -> None:
    raise TaskFailed("the file has no rows", code="empty_file")


def fails_once(reporter: Reporter) -> str:
    if reporter.attempt == 1:
        raise TaskFailed("not yet", code="not_yet")
    return f"attempt {reporter.attempt}"


def works_the_second_time(reporter: Reporter) -> str:
    """The queue is told to try again by itself."""
    reporter.update(30, message="trying")
    if reporter.attempt == 1:
        raise TaskFailed("no route", code="no_route")
    return f"attempt {reporter.attempt}"


def waits_for_cancel(reporter: Reporter) -> None:
    reporter.update(10, message=str(os.getpid()))
    while True:
        reporter.raise_if_cancelled()
        threading.Event().wait(0.02)


def heeds_nothing(reporter: Reporter) -> None:
    if reporter.attempt > 1:
        return  # A broker that delivers it again gets its worker back.
    reporter.update(10, message=str(os.getpid()))
    threading.Event().wait(600)


def never_ends(reporter: Reporter) -> None:
    """In short waits: Dramatiq's time limit can only interrupt Python code."""
    while True:
        threading.Event().wait(0.05)


def says_nothing(reporter: Reporter) -> None:
    """Never calls the reporter."""


JOBS = (counts, fails, fails_once, waits_for_cancel, heeds_nothing, says_nothing)

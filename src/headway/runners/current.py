"""The reporter of the task that runs here and now, for work that is not handed one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from headway.core.reporter import Reporter

_reporter: ContextVar[Reporter | None] = ContextVar("headway_reporter", default=None)


def current_reporter() -> Reporter:
    """The reporter of the task that this thread runs. Raises `LookupError` outside one."""
    reporter = _reporter.get()
    if reporter is None:
        raise LookupError("no Headway task runs here")
    return reporter


@contextmanager
def running(reporter: Reporter) -> Iterator[Reporter]:
    """Within this block it is the current one; leaving it ends the task."""
    token = _reporter.set(reporter)
    try:
        with reporter:
            yield reporter
    finally:
        _reporter.reset(token)

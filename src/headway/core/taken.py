"""What a flush has taken from a slot, and how its log lines are numbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from headway.model.change import Change, LogLine
from headway.model.replacing import replace
from headway.model.task import Task
from headway.model.values import NamedTuple


class Taken(NamedTuple):
    """To be stored, or given back."""

    change: Change | None
    log: tuple[LogLine, ...]
    log_count: int


NOTHING = Taken(None, (), 0)

taken_of: Callable[[tuple[Change | None, tuple[LogLine, ...], int]], Taken] = partial(tuple.__new__, Taken)
"""Of all its fields in order, in half the time: a flush makes thousands."""


def numbered(taken: Taken, old: Task, new: Task) -> tuple[Task, Sequence[LogLine]]:
    """The task with its new log count, and the lines with the numbers that they get."""
    if not taken.log_count:
        return new, ()
    last = old.log_count + taken.log_count
    first = last - len(taken.log) + 1
    return replace(new, log_count=last), [replace(line, n=first + i) for i, line in enumerate(taken.log)]

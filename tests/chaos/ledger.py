"""What the system has acknowledged to workers and viewers, held against what the store has in the end.

Entries are JSON objects, written after a call has returned; a process that was killed in between has written none, so
that everything here was acknowledged. Those of another epoch are passed over: their store is gone.

    create  the task is there
    end     the attempt has that state, and that result; or a later attempt has begun
    cancel  the attempt was asked to stop, whatever came of it; or a later one has begun
    retry   an attempt after the one that was known has begun
    over    a worker was told that its attempt is over: it is
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from headway.model.task import Task

Op = Literal["create", "end", "cancel", "retry", "over"]


class Entry(TypedDict):
    op: Op
    task_id: str
    epoch: str
    attempt: NotRequired[int]
    state: NotRequired[str]
    mark: NotRequired[str | None]
    """What the result says under "mark", where the attempt completed."""


@dataclass(frozen=True)
class Broken:
    """An acknowledgement that does not hold."""

    entry: Entry
    text: str


class Ledger:
    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, entry: Entry) -> None:
        self._entries.append(entry)

    def created(self, epoch: str) -> list[str]:
        """The ids of tasks whose creation was acknowledged in this history."""
        return [entry["task_id"] for entry in self._entries if entry["op"] == "create" and entry["epoch"] == epoch]

    def about(self, epoch: str) -> set[str]:
        return {entry["task_id"] for entry in self._entries if entry["epoch"] == epoch}

    def broken(self, epoch: str, stored: Mapping[str, Task], mark_of: Callable[[Task], str | None]) -> list[Broken]:
        """All that does not hold. `stored`: the tasks of this history, by id; `mark_of` reads the mark in a result."""
        found: list[Broken] = []
        for entry in self._entries:
            if entry["epoch"] != epoch:
                continue
            task = stored.get(entry["task_id"])
            if task is None:
                found.append(Broken(entry, "the task is gone"))
            else:
                found += [Broken(entry, text) for text in _CHECKS[entry["op"]](entry, task, mark_of)]
        return found


def _create(entry: Entry, task: Task, mark_of: Callable[[Task], str | None]) -> Iterator[str]:
    yield from ()


def _end(entry: Entry, task: Task, mark_of: Callable[[Task], str | None]) -> Iterator[str]:
    attempt = entry["attempt"]
    if task.attempt > attempt:
        return
    if task.attempt < attempt or task.state != entry["state"]:
        yield f"is {task.state} in attempt {task.attempt}"
    elif task.state == "completed" and mark_of(task) != entry.get("mark"):
        yield f"has the result {mark_of(task)!r}"


def _cancel(entry: Entry, task: Task, mark_of: Callable[[Task], str | None]) -> Iterator[str]:
    if task.attempt == entry["attempt"] and task.cancel_requested_at is None:
        yield f"is {task.state}, and was never asked to stop"
    elif task.attempt < entry["attempt"]:
        yield f"is back in attempt {task.attempt}"


def _retry(entry: Entry, task: Task, mark_of: Callable[[Task], str | None]) -> Iterator[str]:
    if task.attempt <= entry["attempt"]:
        yield f"is in attempt {task.attempt} still"


def _over(entry: Entry, task: Task, mark_of: Callable[[Task], str | None]) -> Iterator[str]:
    if task.attempt == entry["attempt"] and task.state in ("pending", "running"):
        yield f"is {task.state}"
    elif task.attempt < entry["attempt"]:
        yield f"is back in attempt {task.attempt}"


_CHECKS: dict[Op, Callable[[Entry, Task, Callable[[Task], str | None]], Iterator[str]]] = {
    "create": _create,
    "end": _end,
    "cancel": _cancel,
    "retry": _retry,
    "over": _over,
}


def mark_in(result: Any) -> str | None:
    return result.get("mark") if isinstance(result, dict) else None

"""What the work holds: counts, says where it is, and learns that it was asked to stop.

Reporting is a memory write; it knows nothing of stores, sockets or threads, only a `TaskWriter`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sized
from threading import get_ident
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from headway.core.open_steps import OpenSteps
from headway.model import limits
from headway.model.change import Amounts, Change, LogLine, StageChange, StagesChange, change_of, checked_amounts
from headway.model.errors import InvalidValue, TaskCancelled
from headway.model.ports import ACTIVE_STAGE, Cell, TaskWriter
from headway.model.stage import free_stage_name

T = TypeVar("T")

# What is usually counted, told by identity: True, NumPy's one and 1.0 are equal to it and not the same.
_ONE: float = 1


class Ending(Protocol):
    """How a reporter's block ends: each writes the final state, synced, and is refused once the attempt is over."""

    def complete(self, writer: TaskWriter, result: str | None) -> None: ...

    def fail(self, writer: TaskWriter, error: BaseException) -> None: ...

    def cancel(self, writer: TaskWriter) -> None: ...


class Counting:
    """`advance`, `track` and `update`: the same for a task and for one step of it."""

    _writer: TaskWriter
    _wall: Callable[[], float]

    def __init__(self, writer: TaskWriter, wall: Callable[[], float]) -> None:
        self._writer = writer
        self._wall = wall
        self._tracked_total: dict[str | None, float] = {}

    @property
    def task_id(self) -> str:
        return self._writer.task_id

    def advance(self, n: float = 1) -> None:
        """Count `n` more done. Raises `TaskCancelled` when the task was asked to stop."""
        self._cell().n += n if n is _ONE else limits.amount(n, "advance")
        if self._writer.attention:
            self._writer.attend()

    def track(self, iterable: Iterable[T], total: float | None = None) -> Iterator[T]:
        """Yield from `iterable`, counting each turn; its length is the total where none is known.

        Raises `TaskCancelled` at the turn after the task was asked to stop.
        """
        if total is not None:
            limits.amount(total, "total")
            return self._tracking(iterable, total, explicit=True)
        return self._tracking(iterable, len(iterable) if isinstance(iterable, Sized) else None, explicit=False)

    def update(
        self,
        progress: float | None = None,
        status: str | None = None,
        message: str | None = None,
        details: dict[str, Any] | None = None,
        *,
        completed: float | None = None,
        advance: float | None = None,
        total: float | None = None,
    ) -> bool:
        """Report what has changed; what is left out stays. False once the attempt is over.

        Raises `InvalidValue`, and `TaskCancelled` when the task was asked to stop. After that was raised once, an
        update of message and details alone is let through, so that clean-up may say what it does.
        """
        change = checked_change(
            self._wall(), self._counts_for, progress, status, message, details, completed, advance, total
        )
        if change.stages is not None and change.stages.active is not None:
            self._writer.check_stage(change.stages.active)
        if self._writer.cancel_requested:
            moves = any(value is not None for value in (progress, status, completed, advance, total))
            self._writer.attend(moves=moves)
        return self._writer.report(change)

    def _cell(self) -> Cell:
        return self._writer.current_cell()

    def _counts_for(self, total: object, stage: object = ACTIVE_STAGE) -> str | None:
        """The stage that amounts given now belong to, or None: the task. `stage` is the one that becomes active."""
        return self._writer.counts_for(total, stage)

    def _tracking(self, iterable: Iterable[T], total: float | None, *, explicit: bool) -> Iterator[T]:
        writer = self._writer
        stage = self._counts_for(total)
        if total is not None and (explicit or stage in self._tracked_total or not writer.has_total(stage)):
            self._add_total(stage, total)
        key = object()
        cell = writer.cell(stage, key)
        count = 0
        try:
            if writer.cancel_requested:
                writer.attend()
            for item in iterable:
                yield item
                count += 1
                cell.n = count
                if writer.attention:
                    writer.attend()
        finally:
            writer.release_cell(stage, key)

    def _add_total(self, stage: str | None, total: float) -> None:
        """Loops after one another on the same count make its total together."""
        total = min(self._tracked_total.get(stage, 0) + total, limits.AMOUNT)
        self._tracked_total[stage] = total
        amounts = checked_amounts(None, None, total)
        self._writer.report(
            Change(at=self._wall(), own=amounts)
            if stage is None
            else Change(at=self._wall(), stages=StagesChange({stage: StageChange(amounts=amounts)}))
        )


class Reporter(Counting):
    """One attempt of one task, for the code that does the work. A context manager: leaving it ends the task.

    Left normally the task is completed, by `TaskCancelled` it is cancelled, by another exception it is failed; the
    exception goes on. Use it from any thread of the process.
    """

    def __init__(self, writer: TaskWriter, wall: Callable[[], float], ending: Ending) -> None:
        super().__init__(writer, wall)
        self._ending = ending
        self._result: str | None = None
        self._steps = OpenSteps()

    def advance(self, n: float = 1) -> None:
        """Count `n` more done, for the active step if any. Raises `TaskCancelled` when the task was asked to stop."""
        # The same as in `Counting`, with the cell looked up in place: this is the line that runs a million times.
        if n is not _ONE:
            n = limits.amount(n, "advance")
        writer = self._writer
        cell = writer.current.get(get_ident())
        if cell is None:
            cell = writer.current_cell()
        cell.n += n
        if writer.attention:
            writer.attend()

    @property
    def attempt(self) -> int:
        """1, 2, …: which attempt this is."""
        return self._writer.attempt

    @property
    def cancelled(self) -> bool:
        """Whether the task was asked to stop (or this attempt is given up). No I/O."""
        return self._writer.cancel_requested

    def raise_if_cancelled(self) -> None:
        """Raise `TaskCancelled` if the task was asked to stop."""
        if self._writer.cancel_requested:
            self._writer.attend()

    def log(self, text: str, level: str = "info") -> bool:
        """Add a line (up to 4 KiB) to the task's log. False once the attempt is over."""
        line = checked_line(self._wall(), text, level)
        if self._writer.cancel_requested:
            self._writer.attend(moves=False)
        return self._writer.add_log(line)

    def set_result(self, result: object) -> None:
        """What the task will have as its result when it completes: JSON, encoded now."""
        self._result = limits.encode(result, "result", limits.RESULT_BYTES)

    @contextlib.contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """The stage `name` is active within this block, and completed after it.

        Steps nest: one that is new and opened within another is shown as a part of that one. The step that this gives
        has `advance`, `track` and `update` of its own.
        """
        stage = free_stage_name(name, "name")
        self._writer.check_stage(stage)
        amounts = None if total is None else checked_amounts(None, None, total)
        if self._writer.cancel_requested:
            self._writer.attend()
        self._switch(stage, StageChange("running", amounts, self._steps.enclosing), closes_others=not self._steps)
        self._steps.enter(stage)
        try:
            yield Step(self._writer, self._wall, stage)
        except BaseException:
            self._steps.leave(stage)
            raise  # The stage stays as it was when the work failed; ending the task marks it.
        self._steps.leave(stage)
        self._switch(stage, StageChange("completed"), active=self._steps.newest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._ending.complete(self._writer, self._result)
        elif _is_cancel(error):
            self._ending.cancel(self._writer)
        else:
            self._ending.fail(self._writer, error)

    def _switch(
        self, stage: str, change: StageChange, *, active: object = ACTIVE_STAGE, closes_others: bool = False
    ) -> None:
        after: Any = stage if active is ACTIVE_STAGE else active  # str | None, else the sentinel
        stages = StagesChange({stage: change}, switches=True, active=after, closes_others=closes_others)
        self._writer.report(Change(at=self._wall(), stages=stages))


def _is_cancel(error: BaseException) -> bool:
    """Whether the work stopped because it was asked to; also where a task group has gathered that."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(TaskCancelled)[1] is None
    return isinstance(error, TaskCancelled)


class Step(Counting):
    """One step of a task: what is counted here is the stage's."""

    def __init__(self, writer: TaskWriter, wall: Callable[[], float], stage: str) -> None:
        super().__init__(writer, wall)
        self.name = stage

    def _cell(self) -> Cell:
        return self._writer.cell(self.name, get_ident())

    def _counts_for(self, total: object, stage: object = ACTIVE_STAGE) -> str | None:  # noqa: ARG002
        return self.name


def checked_change(
    now: float,
    counts_for: Callable[..., str | None],
    progress: object,
    status: object,
    message: object,
    details: object,
    completed: object,
    advance: object,
    total: object,
) -> Change:
    """What a caller reported, validated, as a change. Raises `InvalidValue`."""
    encoded: str | None = None
    unit: str | None = None
    if details is not None:
        if not isinstance(details, dict):
            raise InvalidValue("details", "must be a JSON object")
        own = details
        if not details.keys().isdisjoint(_AMOUNTS):
            own, among = _apart(details)
            # Those given as arguments go first.
            if completed is None and advance is None:
                completed = among.get("completed")
            if total is None:
                total = among.get("total")
            unit = among.get("unit")
        encoded = limits.encode(own, "details", limits.DETAILS_BYTES)
        # The limit is for all that was given. What is this short is within it with the amounts, too.
        if own is not details and len(encoded) > limits.DETAILS_BYTES // 8:
            limits.encode(own | among, "details", limits.DETAILS_BYTES)
    stage: str | None = None
    stages: StagesChange | None = None
    if status is not None:
        stage = None if status == "running" else free_stage_name(status)
        begun = {} if stage is None else {stage: StageChange("running")}
        stages = StagesChange(begun, switches=True, active=stage, closes_others=True)
    amounts: Amounts | None = None
    if completed is not None or advance is not None or total is not None:
        amounts = checked_amounts(completed, advance, total)
        target = counts_for(total, ACTIVE_STAGE if stages is None else stage)
        if target is not None:
            counted = {target: StageChange("running" if target == stage else None, amounts)}
            stages = StagesChange(counted) if stages is None else stages._replace(by_name={**stages.by_name, **counted})
            amounts = None
    return change_of(
        (
            now,
            None if progress is None else limits.percent(progress),
            amounts,
            None if message is None else limits.text(message, "message", limits.MESSAGE_CHARS),
            encoded,
            unit,
            stages,
        )
    )


def checked_line(now: float, text: object, level: object) -> LogLine:
    """One log line, validated and not yet numbered. Raises `InvalidValue`."""
    if not isinstance(text, str):
        raise InvalidValue("text", "must be a string")
    size = len(limits.utf8(text, "text"))
    if size > limits.LOG_LINE_BYTES:
        raise InvalidValue("text", f"must be up to {limits.LOG_LINE_BYTES:,} bytes; it has {size:,}")
    return LogLine(0, now, limits.level(level), limits.plain_text(text))


_AMOUNTS = {"completed", "total", "unit"}


def _apart(details: dict[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The caller's own keys, and the amounts that came among them, validated."""
    own = {key: value for key, value in details.items() if key not in _AMOUNTS}
    among: dict[str, Any] = {
        key: limits.amount(details[key], f"details.{key}")
        for key in ("completed", "total")
        if details.get(key) is not None
    }
    if details.get("unit") is not None:
        among["unit"] = limits.text(details["unit"], "details.unit", 64)
    return own, among

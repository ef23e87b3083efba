"""A pending change: what reports have said since the last flush. Merges, adds up, and applies to a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.replacing import changed, replace
from headway.model.stage import Stage, ancestors, parents_of, whole
from headway.model.task import BEFORE_COMPLETION, Task
from headway.model.values import NamedTuple, dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a task's log: `n` counts from 1 and is 0 until the store has numbered it; `t` in Unix seconds."""

    n: int
    t: float
    level: str
    text: str


# Changes are named tuples: as frozen as a dataclass, and built in a third of the time, once for every report.


class Amounts(NamedTuple):
    """`completed` is absolute, `advance` is added to it (or to what is stored)."""

    completed: float | None = None
    advance: float = 0
    total: float | None = None

    def merged(self, newer: Amounts) -> Amounts:
        completed, advance, total = newer
        if total is None:
            total = self.total
        if completed is not None:
            return Amounts(completed, advance, total)
        return Amounts(self.completed, self.advance + advance, total)

    def applied(self, completed: float | None, total: float | None) -> tuple[float | None, float | None]:
        base = completed if self.completed is None else self.completed
        if self.advance:
            base = min((base or 0) + self.advance, limits.AMOUNT)
        return base, total if self.total is None else self.total


class StageChange(NamedTuple):
    """What happened to one stage: the last of 'it began' and 'it ended', and its own amounts."""

    state: Literal["running", "completed"] | None = None
    amounts: Amounts | None = None
    parent: str | None = None
    """The stage that it is a part of, where this change makes it."""

    def merged(self, newer: StageChange) -> StageChange:
        return StageChange(newer.state or self.state, _merged_amounts(self.amounts, newer.amounts), self.parent)


NO_STAGES: Mapping[str, StageChange] = MappingProxyType({})


class StagesChange(NamedTuple):
    """What happened to the stages, by name, and which of them is active afterwards."""

    by_name: Mapping[str, StageChange] = NO_STAGES
    switches: bool = False
    active: str | None = None
    """The stage that is active afterwards, where it `switches`."""
    closes_others: bool = False
    """Whether every other running stage has thereby ended (a plain switch), or goes on (a nested step)."""

    def merged(self, newer: StagesChange) -> StagesChange:
        both = {name: _closed(old) if newer.closes_others else old for name, old in self.by_name.items()}
        for name, change in newer.by_name.items():
            both[name] = both[name].merged(change) if name in both else change
        return StagesChange(
            both,
            self.switches or newer.switches,
            newer.active if newer.switches else self.active,
            self.closes_others or newer.closes_others,
        )


class Change(NamedTuple):
    """Newest wins, `advance` adds up, progress only rises."""

    at: float
    """When the newest report was made, Unix seconds."""
    progress: float | None = None
    own: Amounts | None = None
    message: str | None = None
    details: str | None = None
    unit: str | None = None
    stages: StagesChange | None = None

    def merged(self, newer: Change) -> Change:
        """This change and then `newer`, as one."""
        # Unpacked and written out: names and calls cost several times what they find, at every report.
        at, progress, own, message, details, unit, stages = newer
        before, reached, counted, said, detailed, counted_in, shaped = self
        if (
            before <= at
            and (reached is None or (progress is not None and progress >= reached))
            and (said is None or message is not None)
            and (detailed is None or details is not None)
            and (counted_in is None or unit is not None)
            and shaped is None
            and (counted is None or (own is not None and own.completed is not None))
            and (counted is None or counted.total is None or (own is not None and own.total is not None))
        ):
            return newer  # Most say again all that was pending.
        if progress is None or (reached is not None and reached > progress):
            progress = reached
        if own is None:
            own = counted
        elif counted is not None:
            own = counted.merged(own)
        if stages is None:
            stages = shaped
        elif shaped is not None:
            stages = shaped.merged(stages)
        return Change(
            before if before > at else at,
            progress,
            own,
            said if message is None else message,
            detailed if details is None else details,
            counted_in if unit is None else unit,
            stages,
        )

    def applied(self, task: Task) -> Task:
        """The task after this change; the same object where the task has ended."""
        return task if task.has_ended else changed(task, self.fields(task))

    def fields(self, task: Task) -> dict[str, Any]:
        """The fields of a task that has not ended, as they are after this change; those that stay may be left out."""
        # Most changes are of one or two fields: a flush makes thousands a second.
        changes: dict[str, Any] = {"updated_at": max(task.updated_at or self.at, self.at)}
        reached = self.progress
        if self.details is not None:
            changes["caller_details"] = self.details
        if self.message is not None:
            changes["message"] = self.message
        if self.unit is not None:
            changes["unit"] = self.unit
        if self.own is not None:
            changes["completed"], changes["total"] = amounts = self.own.applied(task.completed, task.total)
            reached = _highest(reached, _share(*amounts))
        if self.stages is not None:
            if self.stages.switches:
                changes["stage"] = self.stages.active
            changes["stages"] = stages = _stages_after(task, self.stages)
            reached = _highest(reached, whole(stages))
        if reached is not None:
            changes["progress"] = max(task.progress or 0, min(reached, BEFORE_COMPLETION))
        return changes


change_of: Callable[[tuple[object, ...]], Change] = partial(tuple.__new__, Change)
"""A change of all its fields in order, in half the time: for what is made at every report."""

_amounts_of: Callable[[tuple[object, ...]], Amounts] = partial(tuple.__new__, Amounts)


def checked_amounts(completed: object, advance: object, total: object) -> Amounts:
    """Amounts as a caller gave them, validated."""
    if completed is not None and advance is not None:
        raise InvalidValue("advance", "can't be given together with completed")
    return _amounts_of(
        (
            None if completed is None else limits.amount(completed, "completed"),
            0 if advance is None else limits.amount(advance, "advance"),
            None if total is None else limits.amount(total, "total"),
        )
    )


def _stages_after(task: Task, said: StagesChange) -> tuple[Stage, ...] | None:
    after: dict[str, Stage] = {stage.name: stage for stage in task.stages or ()}
    if said.closes_others:
        # What is reported to run goes on: naming the same stage again does not end it.
        running = {name for name, change in said.by_name.items() if change.state == "running"}
        after = {
            name: _completed(stage) if stage.state == "running" and name not in running else stage
            for name, stage in after.items()
        }
    for name, change in said.by_name.items():
        if name not in after and len(after) >= limits.STAGES:
            continue  # The reporting process refuses the 51st; two processes may still have met here.
        stage = after.get(name) or Stage(name, weight=0, parent=_place(after, change.parent))
        after[name] = _changed(stage, change)
    return _summed(tuple(after.values())) or None


def _changed(stage: Stage, change: StageChange) -> Stage:
    completed, total = stage.completed, stage.total
    if change.amounts is not None:
        completed, total = change.amounts.applied(completed, total)
    share = _share(completed, total) or 0
    moved = replace(stage, completed=completed, total=total, progress=max(stage.progress, min(share, 100)))
    if change.state == "completed":
        return _completed(moved)
    if change.state == "running":
        return replace(moved, state="running")
    return moved


def _completed(stage: Stage) -> Stage:
    return replace(stage, state="completed", progress=100)


def _closed(change: StageChange) -> StageChange:
    return StageChange("completed", change.amounts, change.parent) if change.state == "running" else change


def _place(stages: Mapping[str, Stage], parent: str | None) -> str | None:
    """Where a new stage belongs. Below the deepest level it stands beside the stage that it was begun in."""
    if parent is None or parent not in stages:
        return None
    chain = ancestors(parents_of(tuple(stages.values())), parent)
    return chain[0] if len(chain) + 1 >= limits.STAGE_DEPTH else parent


def _summed(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """With each stage at least as far as its declared parts, the innermost first."""
    if all(stage.parent is None for stage in stages):
        return stages
    parents = parents_of(stages)
    for name in sorted(set(parents.values()), key=lambda parent: -len(ancestors(parents, parent))):
        share = whole(stages, name) or 0
        stages = tuple(
            replace(stage, progress=max(stage.progress, share)) if stage.name == name else stage for stage in stages
        )
    return stages


def _share(completed: float | None, total: float | None) -> float | None:
    if not total or completed is None:
        return None
    return round(min(completed * 100 / total, 100), 4)


def _highest(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _merged_amounts(old: Amounts | None, newer: Amounts | None) -> Amounts | None:
    if old is None or newer is None:
        return newer if old is None else old
    return old.merged(newer)

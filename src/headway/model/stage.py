"""A stage of a task: one part of the work, with a weight where it was declared at creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.named import NamedFields

StageState = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]


@dataclass(frozen=True, slots=True)
class Stage(NamedFields):
    """One part of the work. `progress` is 0–100; `weight` is 0 where the stage was not declared at creation."""

    name: str
    label: str | None = None
    weight: float = 1
    state: StageState = "pending"
    progress: float = 0
    completed: float | None = None
    total: float | None = None

    @property
    def declared(self) -> bool:
        return self.weight > 0


def declared_stages(value: object) -> tuple[Stage, ...] | None:
    """Stages from a list of names, of (name, weight) pairs, or of dicts of name, label, weight."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > limits.STAGES:
        raise InvalidValue("stages", f"must be a list of up to {limits.STAGES} stages")
    stages = tuple(_declared_stage(item) for item in value)
    if len({stage.name for stage in stages}) < len(stages):
        raise InvalidValue("stages", "must have a different name each")
    return stages or None


def _declared_stage(item: object) -> Stage:
    parts: dict[object, object]
    if isinstance(item, str):
        parts = {"name": item}
    elif isinstance(item, list | tuple) and len(item) == 2:
        parts = {"name": item[0], "weight": item[1]}
    elif isinstance(item, dict) and set(item) <= {"name", "label", "weight"}:
        parts = dict(item)
    else:
        raise InvalidValue("stages", "must be names, (name, weight) pairs, or dicts of name, label, weight")
    label = parts.get("label")
    weight = parts.get("weight", 1)
    return Stage(
        name=free_stage_name(parts.get("name"), "stages.name"),
        label=None if label is None else limits.text(label, "stages.label", limits.NAME_CHARS),
        weight=_weight(weight),
    )


def _weight(value: object) -> float:
    weight = limits.number(value, "stages.weight", 0, limits.AMOUNT)
    if weight <= 0:
        raise InvalidValue("stages.weight", "must be above 0")
    return weight


_METHOD_OF_STATE = {
    "pending": "create_task",
    "cancelling": "cancel_task",
    "completed": "complete_task",
    "failed": "fail_task",
    "cancelled": "cancel_task",
}


def free_stage_name(value: object, field: str = "status") -> str:
    """A stage name, which no state's name can be: the error names the method that is meant."""
    name = limits.stage_name(value, field)
    if name in _METHOD_OF_STATE:
        raise InvalidValue(field, f"{name!r} is a state, not a stage; call {_METHOD_OF_STATE[name]}() instead")
    if name == "running":
        raise InvalidValue(field, "'running' is a state, not a stage; choose another name")
    return name


def undone(stages: tuple[Stage, ...] | None) -> tuple[Stage, ...] | None:
    """The declared stages as they were at creation: what a new attempt begins with."""
    declared = tuple(Stage(stage.name, stage.label, stage.weight) for stage in stages or () if stage.declared)
    return declared or None

"""A stage of a task: one part of the work, with a weight where it was declared at creation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.named import NamedFields
from headway.model.values import dataclass

StageState = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]


@dataclass(frozen=True, slots=True)
class Stage(NamedFields):
    """One part of the work. `progress` is 0–100; `weight` is 0 where the stage was not declared at creation.

    `parent` is the name of the stage that it is a part of; its weight then counts among that one's parts.
    """

    name: str
    label: str | None = None
    weight: float = 1
    state: StageState = "pending"
    progress: float = 0
    completed: float | None = None
    total: float | None = None
    parent: str | None = None

    @property
    def declared(self) -> bool:
        return self.weight > 0


def declared_stages(value: object) -> tuple[Stage, ...] | None:
    """Stages from a list of names, of (name, weight) pairs, or of dicts of name, label, weight, stages.

    The `stages` of a dict are parts of that stage, written alike; each follows its parent in what comes back.
    """
    if value is None:
        return None
    stages: list[Stage] = []
    for stage in _declared(value, parent=None, depth=1):
        stages.append(stage)
        if len(stages) > limits.STAGES:
            raise _too_many()
    if len({stage.name for stage in stages}) < len(stages):
        raise InvalidValue("stages", "must have a different name each")
    return tuple(stages) or None


def _declared(value: object, parent: str | None, depth: int) -> Iterator[Stage]:
    if not isinstance(value, list | tuple) or len(value) > limits.STAGES:
        raise _too_many()
    if value and depth > limits.STAGE_DEPTH:
        raise InvalidValue("stages", f"must nest at most {limits.STAGE_DEPTH} deep")
    for item in value:
        stage = _declared_stage(item, parent)
        yield stage
        if isinstance(item, dict):
            yield from _declared(item.get("stages", ()), stage.name, depth + 1)


def _too_many() -> InvalidValue:
    return InvalidValue("stages", f"must be a list of up to {limits.STAGES} stages, nested ones included")


def _declared_stage(item: object, parent: str | None) -> Stage:
    parts: dict[object, object]
    if isinstance(item, str):
        parts = {"name": item}
    elif isinstance(item, list | tuple) and len(item) == 2:
        parts = {"name": item[0], "weight": item[1]}
    elif isinstance(item, dict) and set(item) <= {"name", "label", "weight", "stages"}:
        parts = dict(item)
    else:
        raise InvalidValue("stages", "must be names, (name, weight) pairs, or dicts of name, label, weight, stages")
    label = parts.get("label")
    weight = parts.get("weight", 1)
    return Stage(
        name=free_stage_name(parts.get("name"), "stages.name"),
        label=None if label is None else limits.text(label, "stages.label", limits.NAME_CHARS),
        weight=_weight(weight),
        parent=parent,
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
    declared = tuple(
        Stage(stage.name, stage.label, stage.weight, parent=stage.parent) for stage in stages or () if stage.declared
    )
    return declared or None


def ancestors(parents: Mapping[str, str], name: str) -> list[str]:
    """The stages that this one is a part of, innermost first. `parents`: by the name of a nested one."""
    chain: list[str] = []
    while (parent := parents.get(name)) is not None and parent not in chain:
        chain.append(parent)
        name = parent
    return chain


def parents_of(stages: tuple[Stage, ...] | None) -> dict[str, str]:
    return {stage.name: stage.parent for stage in stages or () if stage.parent is not None}


def whole(stages: tuple[Stage, ...] | None, parent: str | None = None) -> float | None:
    """The weighted mean over the declared parts of `parent`, or of the task: sum(weight × progress) ÷ sum(weight)."""
    parts = [stage for stage in stages or () if stage.declared and stage.parent == parent]
    if not parts:
        return None
    return round(sum(stage.weight * stage.progress for stage in parts) / sum(stage.weight for stage in parts), 4)

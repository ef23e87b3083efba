"""A task as one JSON text and back: what a store keeps. `epoch` and `server_time` stay with the store."""

from __future__ import annotations

import json
from dataclasses import fields
from operator import attrgetter
from typing import Any

from headway.model.compact import compact_encoder
from headway.model.stage import Stage
from headway.model.task import Task, TaskError

_LEFT_OUT = {"epoch", "server_time", "stages", "error"}
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Task) if field.name not in _LEFT_OUT}
_values = attrgetter(*_DEFAULTS)
_encode = compact_encoder()


def to_record(task: Task) -> str:
    """Compact JSON of what differs from the defaults."""
    record = {
        name: value
        for (name, default), value in zip(_DEFAULTS.items(), _values(task), strict=True)
        if value is not default and value != default
    }
    if task.stages is not None:
        record["stages"] = [
            [stage.name, stage.label, stage.weight, stage.state, stage.progress, stage.completed, stage.total]
            + ([] if stage.parent is None else [stage.parent])
            for stage in task.stages
        ]
    if task.error is not None:
        record["error"] = [task.error.code, task.error.message]
    return _encode(record)


def from_record(text: str, *, epoch: str, server_time: float | None = None) -> Task:
    """The task that `to_record` wrote, as read at `server_time`."""
    record: dict[str, Any] = json.loads(text)
    stages = record.pop("stages", None)
    error = record.pop("error", None)
    return Task(
        **record,
        epoch=epoch,
        server_time=server_time,
        stages=None if stages is None else tuple(Stage(*stage) for stage in stages),
        error=None if error is None else TaskError(*error),
    )

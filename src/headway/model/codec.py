"""A task as one JSON text and back: what a store keeps. `epoch` and `server_time` stay with the store."""

from __future__ import annotations

import json
from dataclasses import fields
from operator import attrgetter
from typing import Any

from headway.model.compact import compact_encoder
from headway.model.replacing import replace
from headway.model.stage import Stage
from headway.model.task import Task, TaskError

_LEFT_OUT = {"epoch", "server_time", "stages", "error"}
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Task) if field.name not in _LEFT_OUT}
_values = attrgetter(*_DEFAULTS)
_encode = compact_encoder()
_decode = json.JSONDecoder().raw_decode
_BLANK = Task(task_id="", created_at=0)


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
    record: dict[str, Any] = _decode(text)[0]
    record["epoch"], record["server_time"] = epoch, server_time
    if "stages" in record:
        record["stages"] = tuple(Stage(*stage) for stage in record["stages"])
    if "error" in record:
        record["error"] = TaskError(*record["error"])
    # Other processes' changes are read by the thousand: `Task(**record)` would take longer than all the rest.
    return replace(_BLANK, **record)

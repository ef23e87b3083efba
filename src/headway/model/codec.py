"""A task as one JSON text and back: what a store keeps. `epoch` and `server_time` stay with the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from headway.model.compact import compact_encoder
from headway.model.replacing import changed
from headway.model.stage import Stage
from headway.model.task import Task, TaskError
from headway.model.values import defaults_of

_LEFT_OUT = {"epoch", "server_time", "stages", "error"}
# What changes while the work runs, or is seldom there and large, comes last; `rev` begins it.
_CHANGING = (
    "rev", "progress", "message", "completed", "total", "caller_details", "stage", "eta_s", "rate", "worker",
    "updated_at", "log_count", "inline_result", "has_large_result",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    name: default
    for name, default in sorted(
        defaults_of(Task).items(), key=lambda one: one[0] in _CHANGING and 1 + _CHANGING.index(one[0])
    )
    if name not in _LEFT_OUT
}
# How a record goes on behind what stays. Inside a string the quotes would be escaped, and there are no other objects.
_GOES_ON = ',"rev":'
KEPT_STEMS = 2_048
KEPT_CHARACTERS = 1_000
_STAYING = tuple(name for name in _DEFAULTS if name not in _CHANGING)
_STAYING_DEFAULTS, _CHANGING_DEFAULTS = ({name: _DEFAULTS[name] for name in names} for names in (_STAYING, _CHANGING))
_staying = attrgetter(*_STAYING)
_changing = attrgetter(*_CHANGING)
_encode = compact_encoder()
Decode = Callable[[str], dict[str, Any]]
_raw_decode = json.JSONDecoder().raw_decode


def _decode(text: str) -> dict[str, Any]:
    """`json.loads` without its look for spaces around."""
    record: dict[str, Any] = _raw_decode(text)[0]
    return record


_BLANK = Task(task_id="", created_at=0)


def to_record(task: Task) -> str:
    """Compact JSON of what differs from the defaults."""
    staying = _staying(task)
    is_long = len(task.metadata_json) + len(task.job or "") > KEPT_CHARACTERS
    record = _differing(_CHANGING_DEFAULTS, _changing(task))
    if task.stages is not None:
        record["stages"] = [
            [stage.name, stage.label, stage.weight, stage.state, stage.progress, stage.completed, stage.total]
            + ([] if stage.parent is None else [stage.parent])
            for stage in task.stages
        ]
    if task.error is not None:
        record["error"] = [task.error.code, task.error.message]
    beginning = _written_stem.__wrapped__(staying) if is_long else _written_stem(staying)
    return f"{beginning},{_encode(record)[1:]}" if record else beginning + "}"


@lru_cache(KEPT_STEMS)
def _written_stem(staying: tuple[object, ...]) -> str:
    """How a record begins, up to where what changes goes on. Tasks that run are written by the thousand, too."""
    return _encode(_differing(_STAYING_DEFAULTS, staying))[:-1]


def _differing(defaults: dict[str, Any], values: tuple[object, ...]) -> dict[str, Any]:
    return {
        name: value
        for (name, default), value in zip(defaults.items(), values, strict=True)
        if value is not default and value != default
    }


def from_record(text: str, *, epoch: str, server_time: float | None = None, decode: Decode = _decode) -> Task:
    """The task that `to_record` wrote, as read at `server_time`. `decode` has JSON text of an object read."""
    return from_records((text,), epoch=epoch, server_time=server_time, decode=decode)[0]


def from_records(
    texts: Iterable[str], *, epoch: str, server_time: float | None, decode: Decode = _decode
) -> list[Task]:
    """The same of many at once."""
    # The records of running tasks are read by the thousand, and half of each is the same again and again.
    tasks = []
    for text in texts:
        length = text.find(_GOES_ON)
        if 0 < length <= KEPT_CHARACTERS:
            stem = _stem(text[:length])
            record = decode("{" + text[length + 1 :])
        else:
            stem = _BLANK
            record = decode(text)
        if "stages" in record or "error" in record:
            record = _with_values(record)
        record["epoch"] = epoch
        record["server_time"] = server_time
        # `Task(**record)` would take longer than all the rest.
        tasks.append(changed(stem, record))
    return tasks


@lru_cache(KEPT_STEMS)
def _stem(text: str) -> Task:
    return changed(_BLANK, _with_values(_decode(text + "}")))


def _with_values(record: dict[str, Any]) -> dict[str, Any]:
    if "stages" in record:
        record["stages"] = tuple([Stage(*stage) for stage in record["stages"]])
    if "error" in record:
        record["error"] = TaskError(*record["error"])
    return record

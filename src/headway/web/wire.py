"""The wire: names of events, shapes of payloads, and strict parsing of what clients send. docs/reference/wire.md.

Parsers name the field and the limit in what they raise; fields that they do not know are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from headway.model import limits
from headway.model.change import LogLine
from headway.model.errors import HeadwayError, InvalidValue
from headway.model.stage import Stage
from headway.model.task import Task
from headway.web.json_text import to_json

PROTOCOL = 1
TOKEN_CHARS = 4_096

Action = Literal["cancel", "retry"]


class WireError(HeadwayError):
    """A refusal that only exists on the wire; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# ── what the server sends ────────────────────────────────────────────────────────────────────────────────────────


class StagePayload(TypedDict):
    name: str
    label: str | None
    weight: float
    state: str
    progress: float
    parent: NotRequired[str]


class ErrorPayload(TypedDict):
    code: str
    message: str
    task_id: NotRequired[str]


class TaskPayload(TypedDict):
    """The `progress` event, and a task over HTTP."""

    task_id: str
    name: str | None
    state: str
    status: str
    progress: float | None
    message: str
    details: dict[str, Any]  # the caller's own JSON
    stages: list[StagePayload] | None
    eta_s: float | None
    rate: float | None
    epoch: str
    rev: int
    attempt: int
    worker: str | None
    cancel_requested_at: float | None
    cancel_reason: str | None
    created_at: float
    started_at: float | None
    updated_at: float | None
    finished_at: float | None
    result: Any  # the caller's own JSON
    result_url: str | None
    error: ErrorPayload | None
    server_time: float


class ConnectedPayload(TypedDict):
    protocol: int
    server_time: float
    heartbeat_s: float
    shareable: bool


class PongPayload(TypedDict):
    t: float | str | None
    server_time: float


class LogLinePayload(TypedDict):
    n: int
    t: float
    level: str
    text: str


class LogPayload(TypedDict):
    task_id: str
    epoch: str
    lines: list[LogLinePayload]
    truncated_before: NotRequired[int]


class Ack(TypedDict):
    ok: bool
    error: NotRequired[ErrorPayload]
    actions: NotRequired[list[Action]]


def task_payload_json(task: Task, server_time: float, mount: str = "") -> str:
    """The task as viewers see it. `details` and `result` are spliced in as they were encoded by the caller."""
    return f"{task_payload_head(task, mount)}{server_time!r}}}"


def task_payload_head(task: Task, mount: str = "") -> str:
    """The same up to the value of `server_time`, which comes last: what can be kept while the task does not change."""
    fields: dict[str, Any] = {
        "task_id": task.task_id,
        "name": task.name,
        "state": task.state,
        "status": task.status,
        "progress": task.progress,
        "message": task.message,
        "stages": None if task.stages is None else [_stage_payload(stage) for stage in task.stages],
        "eta_s": task.eta_s,
        "rate": task.rate,
        "epoch": task.epoch,
        "rev": task.rev,
        "attempt": task.attempt,
        "worker": task.worker,
        "cancel_requested_at": task.cancel_requested_at,
        "cancel_reason": task.cancel_reason,
        "created_at": task.created_at,
        "started_at": task.started_at,
        "updated_at": task.updated_at,
        "finished_at": task.finished_at,
        "result_url": f"{mount}/api/tasks/{task.task_id}/result" if task.has_large_result else None,
        "error": None if task.error is None else {"code": task.error.code, "message": task.error.message},
    }
    encoded = f'"details":{task.details_json},"result":{task.inline_result or "null"}'
    return f'{to_json(fields)[:-1]},{encoded},"server_time":'


def _stage_payload(stage: Stage) -> StagePayload:
    payload: StagePayload = {
        "name": stage.name,
        "label": stage.label,
        "weight": stage.weight,
        "state": stage.state,
        "progress": stage.progress,
    }
    if stage.parent is not None:
        payload["parent"] = stage.parent
    return payload


def log_lines(lines: Sequence[LogLine]) -> list[LogLinePayload]:
    return [{"n": line.n, "t": line.t, "level": line.level, "text": line.text} for line in lines]


def log_payload_json(task_id: str, epoch: str, lines: Sequence[LogLine], truncated_before: int | None) -> str:
    payload: LogPayload = {"task_id": task_id, "epoch": epoch, "lines": log_lines(lines)}
    if truncated_before is not None:
        payload["truncated_before"] = truncated_before
    return to_json(payload)


def error_payload(error: HeadwayError, task_id: str | None = None) -> ErrorPayload:
    payload: ErrorPayload = {"code": error.code, "message": str(error)}
    if task_id is not None:
        payload["task_id"] = task_id
    return payload


# ── what clients send ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class About:
    """An event about one task: `leave`, `retry_task`."""

    task_id: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Join(About):
    log_from: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel(About):
    reason: str | None = None


def parse_about(data: object) -> About:
    fields = _object(data)
    return About(limits.task_id(fields.get("task_id")), _token(fields))


def parse_join(data: object) -> Join:
    fields = _object(data)
    start = fields.get("log_from")
    return Join(
        limits.task_id(fields.get("task_id")),
        _token(fields),
        None if start is None else limits.whole(start, "log_from", 1, limits.AMOUNT),
    )


def parse_cancel(data: object) -> Cancel:
    fields = _object(data)
    return Cancel(limits.task_id(fields.get("task_id")), _token(fields), parse_reason(fields))


def parse_reason(fields: dict[str, Any]) -> str | None:
    reason = fields.get("reason")
    return None if reason is None else limits.text(reason, "reason", limits.MESSAGE_CHARS)


def parse_ping(data: object) -> float | str | None:
    """`t`, which is answered as it came: a number, or a string of up to 64 characters."""
    mark = _object({} if data is None else data).get("t")
    if mark is None:
        return None
    if isinstance(mark, str):
        return limits.text(mark, "t", 64)
    return limits.number(mark, "t", -limits.AMOUNT, limits.AMOUNT)


def _object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidValue("data", "must be an object")
    return data


def _token(fields: dict[str, Any]) -> str | None:
    token = fields.get("token")
    return None if token is None else limits.text(token, "token", TOKEN_CHARS)

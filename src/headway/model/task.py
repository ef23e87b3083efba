"""The task: its life cycle, its frozen value, and each step that it can take.

Every step is a method that returns the next value, or `self` where the step does not apply (the task has ended):
`new is old` therefore means 'nothing has changed'. Who may take which step is decided in `core`.

    pending ──► running ──► cancelling          pending: waits, perhaps in a queue
       │           │             │              running: someone reports
       ▼           ▼             ▼              cancelling: asked to stop, not stopped yet
    completed · failed · cancelled              final within the attempt; a retry begins the next one as pending
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.named import NamedFields
from headway.model.replacing import replace
from headway.model.stage import Stage, StageState, undone
from headway.model.values import dataclass, field


class TaskStatus(StrEnum):
    """What a page shows: a state, or the name of the stage that is active while the task runs."""

    PENDING = "pending"
    RUNNING = "running"
    STARTED = "started"
    GENERATING_CONTENT = "generating_content"
    GENERATING_IMAGE = "generating_image"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


State = Literal["pending", "running", "cancelling", "completed", "failed", "cancelled"]
Worker = Literal["alive", "silent"]

ACTIVE: tuple[State, ...] = ("pending", "running", "cancelling")
FINAL: tuple[State, ...] = ("completed", "failed", "cancelled")
LIFE_CYCLE: dict[State, tuple[State, ...]] = {
    "pending": ("running", "completed", "failed", "cancelled"),
    "running": ("cancelling", "completed", "failed", "cancelled"),
    "cancelling": ("completed", "failed", "cancelled"),
    "completed": (),
    "failed": ("pending",),
    "cancelled": ("pending",),
}

BEFORE_COMPLETION = 99


@dataclass(frozen=True, slots=True)
class TaskError(NamedFields):
    """Why a task failed, in words that a viewer may read."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stood at one `rev`. Fields and limits: SPEC 1."""

    task_id: str
    created_at: float
    name: str | None = None
    state: State = "pending"
    stage: str | None = None
    progress: float | None = 0
    message: str = ""
    completed: float | None = None
    total: float | None = None
    unit: str | None = None
    caller_details: str = "{}"
    """What the caller gave as details, as compact JSON text of an object: encoded once, spliced into frames."""
    stages: tuple[Stage, ...] | None = None
    eta_s: float | None = None
    rate: float | None = None
    epoch: str = ""
    rev: int = 0
    attempt: int = 1
    worker: Worker | None = None
    cancel_requested_at: float | None = None
    cancel_reason: str | None = None
    started_at: float | None = None
    updated_at: float | None = None
    finished_at: float | None = None
    server_time: float | None = field(default=None, compare=False)
    """When this value was read, by the store's clock. Ages are counted against it. Not stored."""
    inline_result: str | None = None
    """The result as JSON text, where it is small enough to travel with the task."""
    has_large_result: bool = False
    error: TaskError | None = None

    # For the host application and the core; never sent to viewers.
    metadata_json: str = "null"
    owner: str | None = None
    public: bool = False
    indeterminate: bool = False
    runner: str | None = None
    """The name of the runner that can run it again, if any."""
    job: str | None = None
    """What that runner needs to do so, as JSON text."""
    holder: str | None = None
    """The lease of the process that last reported it, or that has it queued."""
    confirms_cancel: bool = False
    """Run by a reporter: a cancel is asked for, and confirmed by the work."""
    log_count: int = 0
    """Log lines ever written; the last one's number."""

    # ── what can be read off ─────────────────────────────────────────────────────────────────────────────────

    @property
    def has_ended(self) -> bool:
        return self.state in FINAL

    @property
    def status(self) -> str:
        return self.stage if self.state == "running" and self.stage is not None else self.state

    @property
    def amounts(self) -> tuple[float | None, float | None]:
        """(completed, total) as shown: the active stage's own where it has any, else the task's."""
        if self.stage is None or self.has_ended:
            return self.completed, self.total
        return amounts_shown(self.stage, self.stages, self.completed, self.total)

    @property
    def active_stage(self) -> Stage | None:
        return self.stage_named(self.stage) if self.stage is not None else None

    @property
    def details_json(self) -> str:
        """`details` as compact JSON text, without decoding what the caller gave."""
        completed, total = self.amounts
        unit = self.unit
        if completed is None and total is None and unit is None:
            return self.caller_details
        shown = [
            "" if completed is None else f'"completed":{completed!r},',
            "" if total is None else f'"total":{total!r},',
            "" if unit is None else f'"unit":{json.dumps(unit)},',
        ]
        own = "".join(shown)
        return f"{{{own[:-1]}}}" if self.caller_details == "{}" else f"{{{own}{self.caller_details[1:]}"

    @property
    def details(self) -> dict[str, Any]:
        """Amounts and the caller's own keys. A new dict each time."""
        decoded: dict[str, Any] = json.loads(self.details_json)
        return decoded

    @property
    def result(self) -> Any:
        """The result, or None (also where it is over 16 KiB: see `ProgressManager.get_result`)."""
        return None if self.inline_result is None else json.loads(self.inline_result)

    @property
    def metadata(self) -> Any:
        """What the host application gave at creation. Decoded each time."""
        return json.loads(self.metadata_json)

    def stage_named(self, name: str | None) -> Stage | None:
        return next((stage for stage in self.stages or () if stage.name == name), None)

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────

    def starting(self, now: float, *, holder: str | None, confirms_cancel: bool = False) -> Task:
        """The work begins. Applies to a pending task only."""
        if self.state != "pending":
            return self
        return replace(
            self,
            state="running",
            started_at=now,
            updated_at=now,
            worker="alive" if holder else None,
            holder=holder,
            confirms_cancel=confirms_cancel,
        )

    def completing(self, now: float, *, result: str | None, message: str | None) -> Task:
        """The work is done. `result` is JSON text; over the inline limit only its being there is kept here."""
        if self.has_ended:
            return self
        inline = result is None or len(result.encode()) <= limits.INLINE_RESULT_BYTES
        return replace(
            self._ending("completed", now, message),
            progress=100,
            stages=self._stages_ended("completed"),
            inline_result=result if inline else None,
            has_large_result=not inline,
            updated_at=_later(self.updated_at, now),
        )

    def failing(self, now: float, error: TaskError, message: str | None = None, *, by_work: bool = True) -> Task:
        """The work has failed. Its last message stays, where none is given: it tells where that was."""
        if self.has_ended:
            return self
        return replace(
            self._ending("failed", now, self.message if message is None else message),
            stages=self._stages_ended("failed"),
            error=error,
            updated_at=_later(self.updated_at, now) if by_work else self.updated_at,
        )

    def cancelling(self, reason: str | None, now: float) -> Task:
        """Someone asks for the stop: at once where nobody could confirm it, else it waits for the work."""
        if self.has_ended or self.state == "cancelling":
            return self
        asked = replace(self, cancel_requested_at=now, cancel_reason=reason)
        if self.state == "running" and self.confirms_cancel:
            return replace(asked, state="cancelling")
        return asked.cancelled(now)

    def cancelled(self, now: float, message: str | None = None) -> Task:
        """The work has stopped, or never began."""
        if self.has_ended:
            return self
        ended = replace(self._ending("cancelled", now, message), stages=self._stages_ended("cancelled"))
        return ended if ended.cancel_requested_at is not None else replace(ended, cancel_requested_at=now)

    def retrying(self, now: float) -> Task:
        """The next attempt, from the start. Applies to what failed or was cancelled."""
        if "pending" not in LIFE_CYCLE[self.state]:
            return self
        return replace(
            self,
            state="pending",
            stage=None,
            progress=None if self.indeterminate else 0,
            message="",
            completed=None,
            caller_details="{}",
            stages=undone(self.stages),
            eta_s=None,
            rate=None,
            attempt=self.attempt + 1,
            worker=None,
            holder=None,
            confirms_cancel=False,
            cancel_requested_at=None,
            cancel_reason=None,
            started_at=None,
            updated_at=now,
            finished_at=None,
            inline_result=None,
            has_large_result=False,
            error=None,
        )

    def with_worker(self, worker: Worker) -> Task:
        """A sign of life was seen, or missed for too long."""
        if self.state not in ("running", "cancelling") or self.worker == worker:
            return self
        return replace(self, worker=worker)

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────

    def _ending(self, state: State, now: float, message: str | None) -> Task:
        return replace(
            self,
            state=state,
            stage=None,
            message="" if message is None else message,
            eta_s=None,
            rate=None,
            worker=None,
            holder=None,
            started_at=self.started_at if self.started_at is not None or state == "cancelled" else now,
            finished_at=_later(self.started_at, now),
        )

    def _stages_ended(self, state: Literal["completed", "failed", "cancelled"]) -> tuple[Stage, ...] | None:
        if self.stages is None:
            return None
        left: StageState = "skipped" if state == "completed" else "pending"
        ends: dict[StageState, StageState] = {"running": state, "pending": left}
        return tuple(
            replace(
                stage,
                state=ends.get(stage.state, stage.state),
                progress=100 if state == "completed" and stage.state == "running" else stage.progress,
            )
            for stage in self.stages
        )


def amounts_shown(
    active: str | None, stages: Sequence[Stage] | None, completed: float | None, total: float | None
) -> tuple[float | None, float | None]:
    """(completed, total) of a task that has not ended: the active stage's own where it has any, else the task's."""
    if active is not None:
        for stage in stages or ():
            if stage.name == active and stage.total is not None:
                return stage.completed, stage.total
    return completed, total


def checked_state(value: object) -> State:
    """One of the six. Raises `InvalidValue`."""
    for state in LIFE_CYCLE:
        if value == state:
            return state
    raise InvalidValue("state", f"must be one of {', '.join(LIFE_CYCLE)}")


def _later(earlier: float | None, now: float) -> float:
    return now if earlier is None or now > earlier else earlier

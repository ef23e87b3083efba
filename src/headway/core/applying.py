"""What becomes of a task by a pending change, in one copy of it: the copy is what a flush takes longest for."""

from __future__ import annotations

from headway.model.change import Change
from headway.model.estimate import Estimator
from headway.model.replacing import changed
from headway.model.task import Task, amounts_shown


def applied(
    change: Change, old: Task, estimator: Estimator, *, holder: str, now: float, at: float, rev: int | None
) -> Task:
    """The task after `change`, held by this process, with its speed as of `at` (by the clock that doesn't jump).

    With a `rev` it is as it is to be stored at `now`, under that number.
    """
    task = old.starting(now, holder=holder)
    after = change.fields(task)
    get = after.get
    stage = get("stage", task.stage)
    progress, completed = get("progress", task.progress), get("completed", task.completed)
    if stage is not None:
        completed, _ = amounts_shown(stage, get("stages", task.stages), completed, get("total", task.total))
    after["eta_s"], after["rate"] = estimator.estimate(task.attempt, stage, completed, progress, at)
    after["holder"], after["worker"] = holder, "alive"
    if rev is not None:
        after["rev"], after["server_time"] = rev, now
    return changed(task, after)

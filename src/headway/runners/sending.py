"""What the runners behind a broker share: a task is created first, then sent; what was not sent has failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headway.core.failure import task_error
from headway.core.progress_manager import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import InvalidValue, StoreError
from headway.model.task import TaskError

log = logging.getLogger("headway")

NOT_QUEUED = TaskError("not_queued", "the task could not be handed to a worker: the queue can't be reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What a submit says about the task, beside its arguments."""

    name: str | None = None
    task_id: str | None = None
    stages: Sequence[Any] | None = None
    owner: str | None = None
    public: bool = False


def send_new(
    manager: ProgressManager, runner: str, job: str | None, new: NewTask, send: Callable[[str], object]
) -> str:
    """Create the task and send its message; the id. Raises what `create_task` and `send` raise.

    Created before it is sent: a fast worker must find it.
    """
    task_id = manager.create_task(
        new.name,
        task_id=new.task_id,
        stages=new.stages,
        owner=new.owner,
        public=new.public,
        runner=runner,
        job=job,
    )
    try:
        send(task_id)
    except Exception:
        manager.fail_task(task_id, NOT_QUEUED)
        raise
    return task_id


def go_on_after(manager: ProgressManager, task_id: str, attempt: int, error: BaseException) -> None:
    """The queue tries again by itself: viewers see the next attempt wait, not an end that is none."""
    try:
        manager.try_again(task_id, attempt, f"attempt {attempt} failed: {task_error(error).message}")
    except StoreError as why:
        # It is stored as soon as that can be; the work is sent all the same, or nobody would do it.
        log.warning("that task %s comes again could not be stored yet: %s", task_id, why)


def job_json(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str | None:
    """What a retry needs, as JSON text; None where the arguments are not JSON: then it can't be retried from here."""
    spec = {"name": name, "args": list(args), "kwargs": kwargs}
    try:
        encoded = json.dumps(spec, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return encoded if json.loads(encoded) == spec else None


def keep_result(reporter: Reporter, result: object) -> None:
    """What the work returned, where it is JSON: a queue's results may be anything, and are no reason to fail."""
    if result is None:
        return
    try:
        reporter.set_result(result)
    except InvalidValue as error:
        log.warning("task %s completes without a result for viewers: %s", reporter.task_id, error)

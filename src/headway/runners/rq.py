"""RQ: its workers run the work, its job id is the task's id, and viewers see it live.

    runner = RqRunner(ProgressManager(store="redis://…"), Queue(connection=Redis()))
    task_id = runner.submit(convert, "a.mov", name="Convert")     # def convert(reporter, path): …

Workers are started as ever (`rq worker`); they need nothing but to import the function's module and Headway. RQ runs
each job in a process of its own, so that a job that heeds no cancel can be ended by force.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

try:
    from rq import Queue
    from rq.command import send_stop_job_command
    from rq.exceptions import InvalidJobOperation, NoSuchJobError
    from rq.job import Job
except ImportError as error:
    from headway.model.errors import MissingExtra

    raise MissingExtra("RQ", "rq") from error

from redis.exceptions import RedisError

from headway.core.progress_manager import ProgressManager
from headway.model.errors import InvalidValue, NotRetryable, TaskCancelled
from headway.model.task import Task
from headway.runners.current import current_reporter, running
from headway.runners.jobs import Job as StoredJob
from headway.runners.sending import NewTask, keep_result, send_new

__all__ = ["RqRunner", "current_reporter"]

log = logging.getLogger("headway")

_JOB_ID = re.compile(r"[A-Za-z0-9_-]+")


class RqRunner:
    """Ties an RQ queue to a manager, whose store must be one that workers can open."""

    holds_pending = False

    def __init__(self, manager: ProgressManager, queue: Queue, *, name: str = "rq", job_timeout: int = 3_600) -> None:
        """`job_timeout`: the hard limit of a job in seconds; RQ's own default would be 180."""
        self.name = name
        self._manager = manager
        self._queue = queue
        self._job_timeout = job_timeout
        manager.register_runner(self)

    def submit(
        self,
        fn: Callable[..., Any],
        *args: Any,  # Any: what the caller's function takes
        name: str | None = None,
        task_id: str | None = None,
        stages: Sequence[Any] | None = None,
        owner: str | None = None,
        public: bool = False,
        **kwargs: Any,
    ) -> str:
        """Queue `fn(reporter, *args, **kwargs)`; its id. Raises `TaskExists`, `InvalidValue`."""
        job = StoredJob(fn, args, kwargs)
        if not job.is_importable():
            raise InvalidValue("fn", "must be a function of a module that workers can import")
        if task_id is not None and not _JOB_ID.fullmatch(str(task_id)):
            raise InvalidValue("task_id", "must be of A-Z a-z 0-9 _ - in RQ")
        new = NewTask(name=name, task_id=task_id, stages=stages, owner=owner, public=public)
        return send_new(self._manager, self.name, job.to_json(), new, lambda created: self._enqueue(created, job))

    def can_retry(self, task: Task) -> bool:
        return task.job is not None and StoredJob.from_json(task.job) is not None

    def retry(self, task: Task) -> None:
        job = None if task.job is None else StoredJob.from_json(task.job)
        if job is None:
            raise NotRetryable(task.task_id)
        self._enqueue(task.task_id, job)

    def stop_task(self, task: Task) -> None:
        """A worker that meets a cancelled task leaves it; taking it from the queue only spares it the way."""
        if task.state != "cancelled":
            return
        try:
            Job.fetch(task.task_id, connection=self._queue.connection).cancel()
        except (NoSuchJobError, InvalidJobOperation, RedisError) as error:
            log.debug("job %s was not taken from the queue: %s", task.task_id, error)

    def kill_task(self, task: Task) -> str | None:
        """Each job has a process of its own: ending it harms no other."""
        try:
            send_stop_job_command(self._queue.connection, task.task_id)
        except (NoSuchJobError, InvalidJobOperation, RedisError) as error:
            log.warning("job %s could not be ended: %s", task.task_id, error)
            return None
        return "asked to stop; it did not, and its worker process was ended by force"

    def _enqueue(self, task_id: str, job: StoredJob) -> None:
        self._queue.enqueue_call(
            perform,
            args=(self._manager, task_id, job.fn, job.args, job.kwargs),
            job_id=task_id,
            timeout=self._job_timeout,
            description=task_id,  # By default it would be the arguments, in the log.
        )


def perform(
    manager: ProgressManager, task_id: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What the RQ worker calls. The manager comes along as what opens its store."""
    with manager:
        try:
            reporter = manager.attach(task_id, again=True)
        except TaskCancelled:
            return None  # It was cancelled before it began.
        try:
            with running(reporter):
                result = fn(reporter, *args, **kwargs)
                keep_result(reporter, result)
        except TaskCancelled:
            return None
        return result

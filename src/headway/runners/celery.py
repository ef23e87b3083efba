"""Celery: its workers run the work, its id is the task's id, and viewers see it live.

    app = Celery(broker="redis://…")
    runner = CeleryRunner(ProgressManager(store="redis://…"), app)   # in the module that both sides import

    @app.task(base=HeadwayTask, bind=True)
    def convert(self, path): self.reporter.advance()      # or, without `bind`: current_reporter()

    @runner.task
    def convert(reporter, path): ...                       # the same as a decorator

    task_id = runner.submit(convert, "a.mov", name="Convert")   # or convert.delay("a.mov")

Cancelling is cooperative. What still waits is also revoked. `terminate` is never used: it kills a process that may run
another task by then. What Celery tries again, and what replaces itself, waits as the task's next attempt.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

try:
    from celery import Celery, Task, signals
    from celery.exceptions import Ignore, Reject
except ImportError as error:
    from headway.model.errors import MissingExtra

    raise MissingExtra("Celery", "celery") from error

from headway.core.failure import task_error
from headway.core.progress_manager import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import InvalidValue, NotRetryable, TaskCancelled, TaskNotFound
from headway.model.task import Task as HeadwayState
from headway.model.task import TaskError
from headway.runners.current import current_reporter, running
from headway.runners.sending import NOT_QUEUED, NewTask, go_on_after, job_json, keep_result, send_new

__all__ = ["CeleryRunner", "HeadwayTask", "current_reporter"]

log = logging.getLogger("headway")

EXPIRED = TaskError("expired", "it waited in the queue for longer than it was worth")
TERMINATED = TaskError("terminated", "its worker process was terminated through Celery")


class HeadwayTask(Task):  # type: ignore[misc]  # Celery ships no types.
    """A Celery task whose runs are Headway tasks, also where it never calls the reporter."""

    abstract = True
    Request = "headway.runners.celery_request:HeadwayRequest"

    @property
    def reporter(self) -> Reporter:
        """The reporter of the run that this worker is at. Raises `LookupError` outside one."""
        return current_reporter()

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        task_id: str | None = None,
        *positional: Any,  # Any: as Celery's own
        headway: NewTask | None = None,
        **options: Any,
    ) -> Any:
        """As Celery's; `headway` says what the task is called, who owns it, and which stages it has."""
        send = functools.partial(super().apply_async, args, kwargs)
        runner = _runner_of(self.app)
        if self.app.conf.task_always_eager or options.pop("headway_known", False):
            return send(task_id, *positional, **options)
        if task_id is not None and options.get("retries"):
            return self._send_again(task_id, lambda: send(task_id, *positional, **options))
        if task_id is not None and options.get("replaced_task_nesting") and _knows(runner.manager, task_id):
            return send(task_id, *positional, **options)
        new = headway or NewTask(name=self.name)
        task_id = task_id or new.task_id or str(uuid.uuid4())
        sent: list[Any] = []
        send_new(
            runner.manager,
            runner.name,
            job_json(self.name, args or (), kwargs or {}),
            NewTask(name=new.name, task_id=task_id, stages=new.stages, owner=new.owner, public=new.public),
            lambda created: sent.append(send(created, *positional, **options)),
        )
        return sent[0]

    def retry(
        self, args: Any = None, kwargs: Any = None, exc: BaseException | None = None, *more: Any, **options: Any
    ) -> Any:
        """As Celery's, which also comes here for `autoretry_for`."""
        self.request.headway_why = exc or sys.exc_info()[1] or RuntimeError("it asked to be tried again")
        return super().retry(args, kwargs, exc, *more, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly or self.request.is_eager:
            return self._run_here(*args, **kwargs)
        manager = _runner_of(self.app).manager
        try:
            reporter = manager.attach(self.request.id, again=True)
        except TaskNotFound:  # Sent by who doesn't know Headway.
            reporter = manager.task(self.name, task_id=self.request.id, public=True)
        except TaskCancelled as error:
            self._ignore(error)
        self.request.headway_ended = True
        try:
            with running(reporter):
                result = self._run(reporter, args, kwargs)
                keep_result(reporter, result)
        except TaskCancelled as error:
            if isinstance(error.__cause__, Ignore):
                raise error.__cause__ from None
            self._ignore(error)
        return result

    def on_replace(self, sig: Any) -> Any:
        """As Celery's: what takes its place has its id, now or at the end of a chain."""
        if self.request.is_eager:
            return super().on_replace(sig)
        attempt, manager = current_reporter().attempt, _runner_of(self.app).manager
        manager.try_again(self.request.id, attempt, f"goes on as {sig.task}")
        try:
            return super().on_replace(sig)
        except Ignore:
            raise  # It has been sent.
        except BaseException:
            manager.give_up(self.request.id, attempt + 1, NOT_QUEUED)
            raise

    def on_failure(self, exc: BaseException, task_id: str, *args: Any, **kwargs: Any) -> None:
        """Also called by the parent of a worker process, when that was ended at its hard time limit."""
        super().on_failure(exc, task_id, *args, **kwargs)
        if not getattr(self.request, "headway_ended", False):  # Else the run has ended the task itself, by its attempt.
            _runner_of(self.app).give_up(task_id, task_error(exc))

    def _run(self, reporter: Reporter, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        manager = _runner_of(self.app).manager
        try:
            return self.run(*args, **kwargs)
        except Ignore as error:
            # It neither worked nor failed. (Where it has replaced itself this attempt is over already.)
            raise TaskCancelled(reporter.task_id, str(error)) from error
        except Reject as error:
            if error.requeue and self.acks_late:  # Else Celery has acknowledged it already.
                manager.try_again(reporter.task_id, reporter.attempt, "put back into the queue")
            else:
                manager.give_up(reporter.task_id, reporter.attempt, TaskError("rejected", str(error.reason)))
            raise

    def _send_again(self, task_id: str, send: Callable[[], Any]) -> Any:
        """The next delivery of the task that runs here. Told before it is sent: a worker may have it at once."""
        manager = _runner_of(self.app).manager
        try:
            attempt = current_reporter().attempt
        except LookupError:
            return send()
        go_on_after(manager, task_id, attempt, self.request.headway_why)
        try:
            return send()
        except BaseException:
            manager.give_up(task_id, attempt + 1, NOT_QUEUED)
            raise

    def _run_here(self, *args: Any, **kwargs: Any) -> Any:
        with running(_runner_of(self.app).manager.task(self.name)) as reporter:
            result = self.run(*args, **kwargs)
            keep_result(reporter, result)
        return result

    def _ignore(self, error: TaskCancelled) -> None:
        self.update_state(state="REVOKED", meta={"exc_type": "TaskRevokedError", "exc_message": [str(error)]})
        raise Ignore from error


class CeleryRunner:
    """Ties a Celery app to a manager. Make one in the module that workers and web processes import."""

    holds_pending = False

    def __init__(self, manager: ProgressManager, app: Celery, *, name: str = "celery") -> None:
        self.manager = manager
        self.name = name
        self._app = app
        app.headway = self
        manager.register_runner(self)
        signals.task_revoked.connect(self._revoked, weak=False)

    def task(self, fn: Callable[..., Any] | None = None, **options: Any) -> Any:
        """`@runner.task` makes `fn(reporter, …)` a Celery task; takes what `app.task` takes."""
        if fn is None:
            return functools.partial(self.task, **options)

        @functools.wraps(fn)
        def with_reporter(*args: Any, **kwargs: Any) -> Any:
            return fn(current_reporter(), *args, **kwargs)

        return self._app.task(base=HeadwayTask, **options)(with_reporter)

    def submit(
        self,
        task: Task,
        *args: Any,
        name: str | None = None,
        task_id: str | None = None,
        stages: Sequence[Any] | None = None,
        owner: str | None = None,
        public: bool = False,
        **kwargs: Any,
    ) -> str:
        """Send one run of a `HeadwayTask` to the workers; its id. Raises `TaskExists`, `InvalidValue`."""
        if not isinstance(task, HeadwayTask):
            raise InvalidValue("task", "must be a Celery task with base=HeadwayTask, or one made by @runner.task")
        new = NewTask(name=name, task_id=task_id, stages=stages, owner=owner, public=public)
        sent: str = task.apply_async(args, kwargs, headway=new).id
        return sent

    def can_retry(self, task: HeadwayState) -> bool:
        return task.job is not None and json.loads(task.job)["name"] in self._app.tasks

    def retry(self, task: HeadwayState) -> None:
        if task.job is None:
            raise NotRetryable(task.task_id)
        job = json.loads(task.job)
        again = self._app.tasks[job["name"]]
        again.apply_async(job["args"], job["kwargs"], task_id=task.task_id, headway_known=True)

    def stop_task(self, task: HeadwayState) -> None:
        """A worker that meets a cancelled task leaves it; revoking only spares it the way. The broker may be slow."""
        if task.state == "cancelled":
            threading.Thread(target=self._revoke, args=(task.task_id,), daemon=True).start()

    def kill_task(self, task: HeadwayState) -> str | None:  # noqa: ARG002 - the port's
        return None

    def give_up(self, task_id: str, error: TaskError) -> None:
        """End a task by what Celery says of it; it may have ended already, or be none of ours."""
        try:
            task = self.manager.get_task(task_id)
        except TaskNotFound:
            log.debug("Celery speaks of %s, which is no task of ours", task_id)
        else:
            self.manager.give_up(task_id, task.attempt, error)

    def _revoke(self, task_id: str) -> None:
        try:
            self._app.control.revoke(task_id)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises; the task is cancelled all the same
            log.warning("task %s could not be revoked: %s", task_id, error)

    def _revoked(self, sender: object, request: Any, terminated: bool, expired: bool, **_: object) -> None:
        if not isinstance(sender, HeadwayTask) or sender.app.headway is not self:
            return
        if expired:
            self.give_up(request.id, EXPIRED)
        elif terminated:
            self.give_up(request.id, TERMINATED)
        else:
            with contextlib.suppress(TaskNotFound):
                self.manager.cancel_task(request.id, "revoked")


def _knows(manager: ProgressManager, task_id: str) -> bool:
    try:
        manager.get_task(task_id)
    except TaskNotFound:
        return False
    return True


def _runner_of(app: Celery) -> CeleryRunner:
    runner = getattr(app, "headway", None)
    if not isinstance(runner, CeleryRunner):
        raise InvalidValue("app", "must have a runner: CeleryRunner(manager, app)")
    return runner

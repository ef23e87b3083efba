"""Dramatiq: its workers run the work, its message id is the task's id, and viewers see it live.

    runner = DramatiqRunner(ProgressManager(store="redis://…"), broker)   # in the module that both sides import

    @runner.actor
    def convert(reporter, path): ...

    task_id = runner.submit(convert, "a.mov", name="Convert")

Any other actor takes part too, when it is submitted by the runner: `current_reporter()` is its reporter. Where Dramatiq
delivers a message again (a retry, a worker that was killed), that is the task's next attempt; it waits until then.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

try:
    import dramatiq
    from dramatiq.middleware import Middleware, Retries, SkipMessage
except ImportError as error:
    from headway.model.errors import MissingExtra

    raise MissingExtra("Dramatiq", "dramatiq") from error

from headway.core.progress_manager import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import InvalidValue, NotRetryable, TaskCancelled, TaskNotFound
from headway.model.task import Task
from headway.runners.current import current_reporter, running
from headway.runners.sending import NewTask, go_on_after, job_json, keep_result, send_new

__all__ = ["DramatiqRunner", "HeadwayMiddleware", "current_reporter"]

OPTION = "headway"


class HeadwayMiddleware(Middleware):
    """Begins and ends the task around each message that the runner has sent."""

    def __init__(self, manager: ProgressManager) -> None:
        self._manager = manager
        self._thread = threading.local()

    @property
    def actor_options(self) -> set[str]:
        return {OPTION}

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:  # noqa: ARG002 - Dramatiq's
        if not message.options.get(OPTION):
            return
        try:
            reporter = self._manager.attach(message.message_id, again=True)
        except (TaskCancelled, TaskNotFound) as error:
            raise SkipMessage(str(error)) from error
        block: AbstractContextManager[Reporter] = running(reporter)
        block.__enter__()
        self._thread.run = (reporter, block)

    def after_process_message(
        self,
        broker: dramatiq.Broker,  # noqa: ARG002 - Dramatiq's
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if exception is None:
            run = self._thread.__dict__.pop("run", None)
            if run is not None:
                reporter, block = run
                keep_result(reporter, result)
                block.__exit__(None, None, None)
        elif isinstance(exception, TaskCancelled):
            message.options["throws"] = TaskCancelled  # For the Retries middleware: this one is not to come again.

    def fail(self, exception: BaseException, *, comes_again: bool) -> None:
        """What the middleware in between has decided of a message that failed in this thread."""
        run = self._thread.__dict__.pop("run", None)
        if run is None:
            return
        reporter, block = run
        if comes_again:
            go_on_after(self._manager, reporter.task_id, reporter.attempt, exception)
        try:
            block.__exit__(type(exception), exception, exception.__traceback__)
        except BaseException as same:
            if same is not exception:
                raise

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: object) -> None:  # noqa: ARG002 - Dramatiq's
        self._manager.close()


class _AfterRetries(Middleware):
    """First in the list, so last after a message: whether it comes again is decided by then."""

    def __init__(self, ours: HeadwayMiddleware) -> None:
        self._ours = ours

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: Any,
        *,
        result: Any = None,  # noqa: ARG002 - Dramatiq's
        exception: BaseException | None = None,
    ) -> None:
        if exception is not None:
            retries = any(isinstance(one, Retries) for one in broker.middleware)
            self._ours.fail(exception, comes_again=retries and not message.failed)


class DramatiqRunner:
    """Ties a Dramatiq broker to a manager."""

    holds_pending = False

    def __init__(self, manager: ProgressManager, broker: dramatiq.Broker, *, name: str = "dramatiq") -> None:
        self.name = name
        self._manager = manager
        self._broker = broker
        # Last in the list, so first after a message: the Retries middleware then finds what is decided here.
        ours = HeadwayMiddleware(manager)
        broker.add_middleware(_AfterRetries(ours), before=type(broker.middleware[0]) if broker.middleware else None)
        broker.add_middleware(ours)
        manager.register_runner(self)

    def actor(self, fn: Callable[..., Any] | None = None, **options: Any) -> Any:
        """`@runner.actor` makes `fn(reporter, …)` an actor; takes what `dramatiq.actor` takes."""
        if fn is None:
            return functools.partial(self.actor, **options)

        @functools.wraps(fn)
        def with_reporter(*args: Any, **kwargs: Any) -> Any:
            return fn(current_reporter(), *args, **kwargs)

        return dramatiq.actor(broker=self._broker, **options)(with_reporter)

    def submit(
        self,
        actor: dramatiq.Actor[Any, Any],
        *args: Any,  # Any: what the actor takes
        name: str | None = None,
        task_id: str | None = None,
        stages: Sequence[Any] | None = None,
        owner: str | None = None,
        public: bool = False,
        **kwargs: Any,
    ) -> str:
        """Send a message to an actor; its id, which is the task's. Raises `TaskExists`, `InvalidValue`."""
        if not isinstance(actor, dramatiq.Actor):
            raise InvalidValue("actor", "must be a Dramatiq actor, or one made by @runner.actor")
        new = NewTask(name=name, task_id=task_id, stages=stages, owner=owner, public=public)
        job = job_json(actor.actor_name, args, kwargs)
        return send_new(
            self._manager, self.name, job, new, lambda created: self._send(created, actor.actor_name, args, kwargs)
        )

    def can_retry(self, task: Task) -> bool:
        return task.job is not None and json.loads(task.job)["name"] in self._broker.actors

    def retry(self, task: Task) -> None:
        if task.job is None:
            raise NotRetryable(task.task_id)
        job = json.loads(task.job)
        self._send(task.task_id, job["name"], job["args"], job["kwargs"])

    def stop_task(self, task: Task) -> None:
        """Dramatiq can't take a message back; the middleware skips what was cancelled."""

    def kill_task(self, task: Task) -> str | None:  # noqa: ARG002 - the port's
        return None

    def _send(self, task_id: str, actor: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        message = self._broker.get_actor(actor).message_with_options(args=tuple(args), kwargs=kwargs, **{OPTION: True})
        self._broker.enqueue(message.copy(message_id=task_id))

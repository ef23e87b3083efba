"""ProgressManager: the only place where a task changes."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from headway.core.ending import StoredEnding
from headway.core.engine import Engine
from headway.core.failure import log_traceback, task_error
from headway.core.new_task import new_task
from headway.core.reporter import Reporter, checked_change, checked_line
from headway.core.retention import KEPT_FOR, KEPT_TASKS, Retention, age_s
from headway.core.runner_registry import RunnerRegistry
from headway.core.task_reader import TaskReader
from headway.model import limits
from headway.model.clock import Clock, SystemClock
from headway.model.errors import InvalidValue, NotRetryable
from headway.model.ports import Following, OnChange, OnReset, Runner, Store
from headway.model.replacing import replace
from headway.model.task import FINAL, Task, TaskError, checked_state

LEASE_S = 15.0


class ProgressManager(TaskReader):
    """Creates tasks, takes their progress, and ends them. Safe to use from any thread.

    Constructing opens and starts nothing; the first call does, also anew in a forked child.

    `socketio` is the app's Flask-SocketIO object, if it has one. `store` is a `Store` or a URL (`sqlite:///PATH`,
    `memory://`, `redis://…`); by default `HEADWAY_STORE`, else a file in the Flask app's instance folder, or in
    `.headway/` of the working directory. `access` says what guards a task: with `capability`, its id.
    Ended tasks are deleted after `keep_for`, and the oldest beyond `keep_tasks`; None keeps them.
    """

    def __init__(
        self,
        socketio: object | None = None,
        *,
        store: Store | str | None = None,
        access: Literal["capability", "signed", "host"] | None = None,
        lease_s: float = LEASE_S,
        keep_for: timedelta | None = KEPT_FOR,
        keep_tasks: int | None = KEPT_TASKS,
        clock: Clock | None = None,
    ) -> None:
        if access not in (None, "capability", "signed", "host"):
            raise InvalidValue("access", "must be capability, signed or host")
        self.socketio = socketio
        self._access = access
        self._given_store = store
        self._lease_s = float(limits.number(lease_s, "lease_s", 0.1, 86_400))
        self._retention = Retention(keep_for, keep_tasks)
        self._clock = clock or SystemClock()
        self._runners = RunnerRegistry()
        self._sharing = threading.Lock()
        self._shared: Store | None = None
        super().__init__()

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def create_task(
        self,
        name: str | None = None,
        *,
        task_id: str | None = None,
        total: float | None = None,
        indeterminate: bool = False,
        stages: Sequence[Any] | None = None,
        metadata: object = None,
        owner: str | None = None,
        public: bool = False,
        runner: str | None = None,
        job: str | None = None,
    ) -> str:
        """Create a pending task; its id. Synced to disk when it returns. Raises `TaskExists`, `InvalidValue`.

        `runner` and `job` are for runners: who can run it again, and what that needs.
        """
        engine = self._open()
        task = self._new_task(engine, name, task_id, total, indeterminate, stages, metadata, owner, public)
        task = replace(task, runner=runner, job=job, holder=self._holder_in_queue(runner))
        return engine.store.create(task).task_id

    def update_progress(
        self,
        task_id: str,
        progress: float | None = None,
        status: str | None = None,
        message: str | None = None,
        details: dict[str, Any] | None = None,
        *,
        completed: float | None = None,
        advance: float | None = None,
        total: float | None = None,
    ) -> bool:
        """Report what has changed; what is left out stays. False, and nothing changes, once the task has ended.

        A memory write: the store follows within 50 ms. Progress never falls; amounts with a total give it. Raises
        `InvalidValue`, `TaskNotFound`.
        """
        engine = self._in_use or self._open()  # A call less: this is reported in loops.
        slot = engine.writes.slots.get(task_id)
        change = checked_change(
            engine.store.now(), slot.counts_for, progress, status, message, details, completed, advance, total
        )
        if change.stages is not None and change.stages.active is not None:
            slot.check_stage(change.stages.active)
        return slot.report(change)

    def complete_task(self, task_id: str, result: object = None, message: str | None = None) -> bool:
        """The work is done. False once the task has ended. Synced. Raises `InvalidValue`, `TaskNotFound`."""
        encoded = None if result is None else limits.encode(result, "result", limits.RESULT_BYTES)
        return self._open().complete(limits.task_id(task_id), encoded, _message(message))

    def fail_task(self, task_id: str, error: object, message: str | None = None) -> bool:
        """The work has failed: `error` is an exception, a message, or `{code, message}`. False once it has ended."""
        why, said = task_error(error), _message(message)
        if self._change(task_id, lambda task, now: task.failing(now, why, said)) is None:
            return False
        log_traceback(task_id, error)
        return True

    def cancel_task(self, task_id: str, reason: str | None = None, *, force: bool = False) -> bool:
        """Ask for the stop; True while the task had not ended. Synced. Raises `InvalidValue`, `TaskNotFound`.

        Pending, or run by plain calls, it is cancelled at once. Run by a reporter it is `cancelling` until the work has
        stopped. `force` has its runner end a worker process that does not heed the request, where that harms no other
        task.
        """
        why = None if reason is None else limits.text(reason, "reason", limits.MESSAGE_CHARS)
        asked = self._change(task_id, lambda task, now: task.cancelling(why, now))
        task = asked or self.get_task(task_id)
        if asked is None and task.has_ended:
            return False
        how = self._runners.stop(task, force=force)
        if how is not None:
            self._change(task_id, lambda task, now: task.cancelled(now, how), attempt=task.attempt)
        return True

    def retry_task(self, task_id: str) -> bool:
        """Begin a new attempt of what failed or was cancelled. Synced.

        Raises `NotRetryable`, `QueueFull`, `TaskNotFound`.
        """
        stored = self._change(task_id, self._retrying)
        if stored is None:
            raise NotRetryable(task_id)
        try:
            self._runners.retry(stored)
        except Exception as error:
            why = task_error(error)
            self._change(task_id, lambda task, now: task.failing(now, why), attempt=stored.attempt)
            raise
        return True

    def _retrying(self, task: Task, now: float) -> Task:
        can = self.can_retry(task)
        return replace(task.retrying(now), holder=self._holder_in_queue(task.runner)) if can else task

    def can_retry(self, task: Task) -> bool:
        """Whether `retry_task` would do it: it failed or was cancelled, and a runner here knows how to run it."""
        return self._runners.can_retry(task)

    def delete_tasks(self, *, older_than: timedelta, state: str | None = None) -> int:
        """Delete what ended longer ago than that, with logs and results; how many. Tasks that have not ended stay."""
        if state is not None and state not in FINAL:
            raise InvalidValue("state", f"must be one of {', '.join(FINAL)}: only tasks that have ended are deleted")
        engine = self._open()
        states = () if state is None else (checked_state(state),)
        deleted = engine.store.delete(finished_before=engine.store.now() - age_s(older_than), states=states)
        engine.writes.slots.forget_ended()
        return deleted

    def delete_task(self, task_id: str) -> bool:
        """Delete one task that has ended, with its log and result. False if it has not ended. Raises `TaskNotFound`."""
        self.get_task(task_id)
        engine = self._open()
        is_deleted = engine.store.delete_task(task_id)
        engine.writes.slots.forget_ended()
        return is_deleted

    def add_log(self, task_id: str, text: str, level: str = "info") -> bool:
        """Add a line (up to 4 KiB) to its log; False once it has ended. Raises `InvalidValue`, `TaskNotFound`."""
        engine = self._open()
        slot = engine.writes.slots.get(task_id)
        return slot.add_log(checked_line(engine.store.now(), text, level))

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────

    def task(
        self,
        name: str | None = None,
        *,
        task_id: str | None = None,
        total: float | None = None,
        indeterminate: bool = False,
        stages: Sequence[Any] | None = None,
        metadata: object = None,
        owner: str | None = None,
        public: bool = False,
    ) -> Reporter:
        """Create a task that runs from now on, and its reporter: a context manager. Takes what `create_task` takes."""
        engine = self._open()
        task = self._new_task(engine, name, task_id, total, indeterminate, stages, metadata, owner, public)
        started = task.starting(engine.store.now(), holder=engine.leases.hold(), confirms_cancel=True)
        return self._reporter(engine, engine.store.create(started))

    def attach(self, task_id: str, *, attempt: int | None = None, again: bool = False) -> Reporter:
        """A reporter for a task that exists: it runs from now on, by this process. A context manager.

        `again`: where it has failed or runs elsewhere, begin the next attempt (a broker has delivered it once more).

        Raises `TaskNotFound`, and `TaskCancelled` when the task (or that attempt) has ended, or was asked to stop.
        """
        engine = self._open()
        return self._reporter(engine, engine.take_over(limits.task_id(task_id), attempt, again=again))

    def register_runner(self, runner: Runner) -> None:
        """Let `retry_task` and `cancel_task` reach this runner by its name."""
        self._runners.add(runner)

    def forget_runner(self, runner: Runner) -> None:
        """The runner has been closed."""
        self._runners.remove(runner)

    def give_up(self, task_id: str, attempt: int, error: TaskError) -> None:
        """The worker of this attempt is gone, says its runner: the task fails, or is cancelled where that was asked."""
        self._open().give_up(task_id, attempt, error)

    def try_again(self, task_id: str, attempt: int, why: str) -> None:
        """Its runner goes on by itself: the next attempt waits, unless it was asked to stop. `why` is logged."""
        self._open().try_again(task_id, attempt, why[:1_000])

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def store(self) -> Store:
        """Where the tasks are."""
        return self._open().store

    @property
    def access(self) -> str:
        """What guards a task: `capability`, `signed` or `host` (a callable of the host application)."""
        return self._access or limits.access(os.environ.get("HEADWAY_ACCESS", "").strip() or "capability")

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        """Be told of every stored change of every process, or of what is watched (see `Store.subscribe`).

        Who subscribes also looks after the tasks of workers that are gone.
        """
        engine = self._open()
        engine.leases.watch()
        return engine.store.subscribe(on_change, on_reset, selective=selective)

    def reap(self) -> None:
        """Look now for workers that are gone or silent, instead of within half a second."""
        engine = self._open()
        engine.leases.watch()
        engine.leases.look()

    def lease(self) -> str:
        """The id of this process's lease. Writes it the first time."""
        return self._open().leases.hold()

    def __getstate__(self) -> dict[str, Any]:
        """For a spawned child: what opens the same store, nothing that is open."""
        # What this process uses: the default may depend on its working directory or on the Flask app.
        return {
            "store": self.store.url or self._shared_store(),
            "access": self._access,
            "lease_s": self._lease_s,
            "keep_for": self._retention.age,
            "keep_tasks": self._retention.tasks,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────

    def _new_task(
        self,
        engine: Engine,
        name: object,
        task_id: object,
        total: object,
        indeterminate: bool,
        stages: object,
        metadata: object,
        owner: object,
        public: bool,
    ) -> Task:
        return new_task(
            engine.store.now(),
            name=name,
            task_id=task_id,
            total=total,
            indeterminate=indeterminate,
            stages=stages,
            metadata=metadata,
            owner=owner,
            public=public,
            ids_are_secrets=self.access == "capability",
        )

    def _holder_in_queue(self, runner: str | None) -> str | None:
        return self._open().leases.hold() if self._runners.holds_pending(runner) else None

    def _reporter(self, engine: Engine, task: Task) -> Reporter:
        return Reporter(engine.writes.slots.open(task), engine.store.now, StoredEnding(self._open))

    def _change(self, task_id: str, step: Callable[[Task, float], Task], *, attempt: int | None = None) -> Task | None:
        return self._open().writes.change(limits.task_id(task_id), step, attempt=attempt)

    def _make_engine(self) -> Engine:
        return Engine(
            self._open_store(),
            self._clock,
            lease_s=self._lease_s,
            retention=self._retention,
            is_queued=self._runners.has,
            will_tell=self._runners.will_tell,
        )

    def _shared_store(self) -> Store:
        """For children of this process only, as long as it lives."""
        from headway.compose import share_store  # Lazily: it knows the adapters, which the core does not.

        with self._sharing:
            if self._shared is None:
                self._shared, stop = share_store(self.store)
                weakref.finalize(self, stop)
            return self._shared

    def _open_store(self) -> Store:
        from headway.compose import open_store  # Lazily: it knows the adapters, which the core does not.

        return open_store(self._given_store, self.socketio)


def _message(message: object) -> str | None:
    return None if message is None else limits.text(message, "message", limits.MESSAGE_CHARS)

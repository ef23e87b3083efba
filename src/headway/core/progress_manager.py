"""ProgressManager: the only place where a task changes."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, Self

from headway.core.ending import StoredEnding
from headway.core.engine import Engine
from headway.core.failure import task_error
from headway.core.new_task import new_task
from headway.core.reporter import Reporter, checked_change, checked_line
from headway.core.retention import KEPT_FOR, KEPT_TASKS, Retention
from headway.model import limits
from headway.model.clock import Clock, SystemClock
from headway.model.errors import InvalidValue, NotRetryable, TaskCancelled
from headway.model.ports import LogPage, OnChange, OnReset, Runner, Store, TaskPage, TaskQuery
from headway.model.task import FINAL, LIFE_CYCLE, State, Task, TaskError

LEASE_S = 15.0


class ProgressManager:
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
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._runners: dict[str, Runner] = {}

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
        held = runner is not None and runner in self._runners and self._runners[runner].holds_pending
        task = replace(task, runner=runner, job=job, holder=engine.leases.hold() if held else None)
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
        engine = self._open()
        slot = engine.writes.slot(task_id)
        change = checked_change(
            engine.store.now(), slot.counts_for, progress, status, message, details, completed, advance, total
        )
        if change.stage is not None:
            slot.check_stage(change.stage)
        return slot.report(change)

    def complete_task(self, task_id: str, result: object = None, message: str | None = None) -> bool:
        """The work is done. False once the task has ended. Synced. Raises `InvalidValue`, `TaskNotFound`."""
        encoded = None if result is None else limits.encode(result, "result", limits.RESULT_BYTES)
        return self._open().complete(limits.task_id(task_id), encoded, _message(message))

    def fail_task(self, task_id: str, error: object, message: str | None = None) -> bool:
        """The work has failed: `error` is an exception, a message, or `{code, message}`. False once it has ended."""
        why = task_error(error)
        said = _message(message)
        return self._change(task_id, lambda task, now: task.failing(now, why, said)) is not None

    def cancel_task(self, task_id: str, reason: str | None = None, *, force: bool = False) -> bool:
        """Ask for the stop; True while the task had not ended. Synced. Raises `InvalidValue`, `TaskNotFound`.

        Pending, or run by plain calls, it is cancelled at once. Run by a reporter it is `cancelling` until the work has
        stopped. `force` has its runner end a worker process that does not heed the request, where that harms no other
        task.
        """
        why = None if reason is None else limits.text(reason, "reason", limits.MESSAGE_CHARS)
        asked = self._change(task_id, lambda task, now: task.cancelling(why, now))
        task = asked or self.get_task(task_id)
        if task.has_ended and asked is None:
            return False
        runner = self._runners.get(task.runner or "")
        if runner is not None:
            runner.stop_task(task)
            if force and task.state == "cancelling":
                how = runner.kill_task(task)
                if how is not None:
                    self._change(task_id, lambda task, now: task.cancelled(now, how), attempt=task.attempt)
        return True

    def is_cancelled(self, task_id: str) -> bool:
        """Whether it was asked to stop, or has been cancelled: within 100 ms of the call in another process."""
        task = self._open().writes.slot(task_id).task
        return task.state in ("cancelling", "cancelled")

    def retry_task(self, task_id: str) -> bool:
        """Begin a new attempt of what failed or was cancelled. Synced.

        Raises `NotRetryable`, `QueueFull`, `TaskNotFound`.
        """
        engine = self._open()
        if not self.can_retry(self.get_task(task_id)):
            raise NotRetryable(task_id)
        stored = self._change(task_id, self._retrying)
        if stored is None:
            raise NotRetryable(task_id)
        try:
            self._runners[stored.runner or ""].retry(stored)
        except Exception as error:
            why = task_error(error)
            engine.writes.change(task_id, lambda task, now: task.failing(now, why), attempt=stored.attempt)
            raise
        return True

    def _retrying(self, task: Task, now: float) -> Task:
        if not self.can_retry(task):
            return task
        again = task.retrying(now)
        if again is not task and self._runners[task.runner or ""].holds_pending:
            again = replace(again, holder=self._open().leases.hold())
        return again

    def can_retry(self, task: Task) -> bool:
        """Whether `retry_task` would do it: it failed or was cancelled, and a runner here knows how to run it."""
        runner = self._runners.get(task.runner or "")
        return runner is not None and "pending" in LIFE_CYCLE[task.state] and runner.can_retry(task)

    def get_task(self, task_id: str) -> Task:
        """The task as it is stored, after this process's pending change. Raises `TaskNotFound`, `InvalidValue`."""
        engine = self._open()
        engine.writes.flush(limits.task_id(task_id))
        return engine.store.get(task_id)

    def list_tasks(
        self, *, state: str | None = None, owner: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> TaskPage:
        """Tasks, newest first, up to `limit` (500 at most), from where the page before has ended."""
        states = () if state is None else (_state(state),)
        return self.query(TaskQuery(states=states, owner=owner, limit=limit, cursor=cursor))

    def query(self, query: TaskQuery) -> TaskPage:
        """Tasks by more than `list_tasks` takes: several states, a search, other orders. Raises `InvalidValue`."""
        limits.whole(query.limit, "limit", 1, limits.PAGE)
        for state in query.states:
            _state(state)
        return self._open().store.list(query)

    def delete_tasks(self, *, older_than: timedelta, state: str | None = None) -> int:
        """Delete what ended longer ago than that, with logs and results; how many. Tasks that have not ended stay."""
        age_s = _age_s(older_than)
        if state is not None and state not in FINAL:
            raise InvalidValue("state", f"must be one of {', '.join(FINAL)}: only tasks that have ended are deleted")
        engine = self._open()
        states = () if state is None else (_state(state),)
        return engine.store.delete(finished_before=engine.store.now() - age_s, states=states)

    def delete_task(self, task_id: str) -> bool:
        """Delete one task that has ended, with its log and result. False if it has not ended. Raises `TaskNotFound`."""
        self.get_task(task_id)
        return self._open().store.delete_task(task_id)

    def add_log(self, task_id: str, text: str, level: str = "info") -> bool:
        """Add a line (up to 4 KiB) to the task's log. False once the task has ended.

        Raises `InvalidValue`, `TaskNotFound`.
        """
        engine = self._open()
        slot = engine.writes.slot(task_id)
        return slot.add_log(checked_line(engine.store.now(), text, level))

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        """Up to `limit` lines from number `start` on (1 is the first). Raises `TaskNotFound`, `InvalidValue`."""
        limits.whole(start, "start", 1, limits.AMOUNT)
        limits.whole(limit, "limit", 1, limits.LOG_LINES)
        engine = self._open()
        engine.writes.flush(limits.task_id(task_id))
        return engine.store.read_log(task_id, start, limit)

    def get_result(self, task_id: str) -> Any:
        """The result of any size, or None where there is none. Raises `TaskNotFound`."""
        encoded = self.get_result_json(task_id)
        return None if encoded is None else json.loads(encoded)

    def get_result_json(self, task_id: str) -> str | None:
        """The same as JSON text, not decoded."""
        task = self.get_task(task_id)
        return self._open().store.large_result(task_id) if task.has_large_result else task.inline_result

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

    def attach(self, task_id: str, *, attempt: int | None = None) -> Reporter:
        """A reporter for a task that exists: it runs from now on, by this process. A context manager.

        Raises `TaskNotFound`, and `TaskCancelled` when the task (or that attempt) has ended, or was asked to stop.
        """
        engine = self._open()
        holder = engine.leases.hold()

        def taken_over(task: Task, now: float) -> Task:
            if task.has_ended or task.state == "cancelling":
                return task
            running = task.starting(now, holder=holder)
            return replace(running, holder=holder, worker="alive", confirms_cancel=True)

        stored = engine.writes.change(limits.task_id(task_id), taken_over, attempt=attempt)
        if stored is None:
            task = engine.store.get(task_id)
            if not task.has_ended and task.state != "cancelling" and attempt in (None, task.attempt):
                return self._reporter(engine, task)  # It was ours already.
            raise TaskCancelled(task_id, task.cancel_reason)
        return self._reporter(engine, stored)

    def register_runner(self, runner: Runner) -> None:
        """Let `retry_task` and `cancel_task` reach this runner by its name."""
        if self._runners.setdefault(runner.name, runner) is not runner:
            raise InvalidValue("name", f"must be unique: there is a runner {runner.name!r} already")

    def forget_runner(self, runner: Runner) -> None:
        """The runner has been closed."""
        if self._runners.get(runner.name) is runner:
            del self._runners[runner.name]

    def give_up(self, task_id: str, attempt: int, error: TaskError) -> None:
        """The worker of this attempt is gone, says its runner: the task fails, or is cancelled where that was asked."""
        self._open().give_up(task_id, attempt, error)

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def store(self) -> Store:
        """Where the tasks are."""
        return self._open().store

    @property
    def access(self) -> str:
        """What guards a task: `capability`, `signed` or `host` (a callable of the host application)."""
        return self._access or os.environ.get("HEADWAY_ACCESS") or "capability"

    def subscribe(self, on_change: OnChange, on_reset: OnReset) -> Callable[[], None]:
        """Be told of every stored change of every process (see `Store.subscribe`); what ends it.

        Who watches also looks after the tasks of workers that are gone.
        """
        engine = self._open()
        engine.leases.watch()
        return engine.store.subscribe(on_change, on_reset)

    def reap(self) -> None:
        """Look now for workers that are gone or silent, instead of within half a second."""
        engine = self._open()
        engine.leases.watch()
        engine.leases.look()

    def lease(self) -> str:
        """The id of this process's lease. Writes it the first time."""
        return self._open().leases.hold()

    def close(self) -> None:
        """Store what is pending, end the threads, close the store. Safe to call twice; a later call opens it again."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """For a spawned child: what opens the same store, nothing that is open."""
        store = self._given_store
        url = store if isinstance(store, str) or store is None else store.url
        if url is None and store is not None:
            raise TypeError("a manager with this store can't go to another process: no URL opens the store there")
        return {
            "store": url,
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

    def _reporter(self, engine: Engine, task: Task) -> Reporter:
        return Reporter(engine.writes.open_slot(task), engine.store.now, StoredEnding(self._open))

    def _change(self, task_id: str, step: Callable[[Task, float], Task], *, attempt: int | None = None) -> Task | None:
        return self._open().writes.change(limits.task_id(task_id), step, attempt=attempt)

    def _open(self) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._opening:
            if self._engine is None:
                self._engine = Engine(self._open_store(), self._clock, lease_s=self._lease_s, retention=self._retention)
                # Also at the interpreter's exit: what is pending then is stored.
                weakref.finalize(self, self._engine.close)
            return self._engine

    def _open_store(self) -> Store:
        if self._given_store is not None and not isinstance(self._given_store, str):
            return self._given_store
        from headway.compose import open_store  # Lazily: it knows the adapters, which the core does not.

        return open_store(self._given_store, self.socketio)


def _message(message: object) -> str | None:
    return None if message is None else limits.text(message, "message", limits.MESSAGE_CHARS)


def _state(state: str) -> State:
    for known in LIFE_CYCLE:
        if state == known:
            return known
    raise InvalidValue("state", f"must be one of {', '.join(LIFE_CYCLE)}")


def _age_s(older_than: object) -> float:
    if not isinstance(older_than, timedelta) or older_than < timedelta(0):
        raise InvalidValue("older_than", "must be a timedelta that is not negative")
    return older_than.total_seconds()

"""LocalRunner: runs work in threads or processes of this machine, behind a bounded queue.

Threads suit work that waits (models, downloads); processes suit work that computes, so that it does not freeze the bars
of others, and that can be ended by force.
"""

from __future__ import annotations

import logging
import pickle
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import util
from typing import Any, Literal

from headway.core import forks
from headway.core.progress_manager import ProgressManager
from headway.model import limits
from headway.model.errors import InvalidValue, NotRetryable, QueueFull, StoreError, StoreUnavailable, TaskNotFound
from headway.model.task import Task, TaskError
from headway.runners.child import Child, pickled
from headway.runners.jobs import Job, run_job
from headway.runners.sigterm import stop_at_sigterm

log = logging.getLogger("headway")

GRACE_S = 5.0
STORE_RETRY_S = 0.5
KEPT_JOBS = 1_000
INTERRUPTED = TaskError("interrupted", "the server was stopped before the task was finished")


@dataclass(slots=True)
class _Entry:
    """One attempt: waiting in the queue, or running."""

    task_id: str
    attempt: int
    job: Job
    child: Child | None = None


class LocalRunner:
    """Runs `fn(reporter, …)` for each submitted task, `workers` of them at a time.

    Its workers start with the first task. `queue_size` bounds how many may wait. Close it, or use `with`; at SIGTERM
    and at the interpreter's exit running tasks get `grace_s` seconds, then they are failed as `interrupted`.
    """

    holds_pending = True

    def __init__(
        self,
        manager: ProgressManager,
        workers: int = 4,
        kind: Literal["thread", "process"] = "thread",
        *,
        queue_size: int = 1_000,
        name: str | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        if kind not in ("thread", "process"):
            raise InvalidValue("kind", "must be thread or process")
        self.name = f"local-{kind}" if name is None else limits.text(name, "name", 64)
        self._manager = manager
        self._workers = limits.whole(workers, "workers", 1, 1_000)
        self._queue_size = limits.whole(queue_size, "queue_size", 1, 1_000_000)
        self._grace_s = limits.number(grace_s, "grace_s", 0, 86_400)
        self._kind = kind
        self._lock = threading.Condition()
        self._waiting: deque[_Entry] = deque()
        self._running: dict[tuple[str, int], _Entry] = {}
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closing = False
        manager.register_runner(self)
        stop_at_sigterm(self)
        forks.in_child(self._restart_in_child)
        # Before multiprocessing waits for its children at exit: they end when they are told to.
        util.Finalize(self, forks.call_if_alive, args=(weakref.WeakMethod(self.close),), exitpriority=100)

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
        """Create a task that will run `fn(reporter, *args, **kwargs)`; its id. What `fn` returns is the result.

        Raises `QueueFull` (nothing was created), `InvalidValue` (also where processes are used and `fn` or an argument
        can't be pickled), `TaskExists`.
        """
        if not callable(fn):
            raise InvalidValue("fn", "must be callable: fn(reporter, …)")
        job = Job(fn, args, kwargs)
        if self._kind == "process":
            _check_picklable(job)
        with self._lock:
            self._check_room()
            task_id = self._manager.create_task(
                name, task_id=task_id, stages=stages, owner=owner, public=public, runner=self.name, job=job.to_json()
            )
            self._enqueue(_Entry(task_id, 1, job))
        return task_id

    def can_retry(self, task: Task) -> bool:
        return task.task_id in self._jobs or (task.job is not None and Job.from_json(task.job) is not None)

    def retry(self, task: Task) -> None:
        job = self._jobs.get(task.task_id) or (Job.from_json(task.job) if task.job is not None else None)
        if job is None:
            raise NotRetryable(task.task_id)
        with self._lock:
            self._check_room()
            self._enqueue(_Entry(task.task_id, task.attempt, job))

    def has(self, task: Task) -> bool:
        key = (task.task_id, task.attempt)
        with self._lock:
            return key in self._running or any((entry.task_id, entry.attempt) == key for entry in self._waiting)

    def stop_task(self, task: Task) -> None:
        with self._lock:
            for entry in self._waiting:
                if (entry.task_id, entry.attempt) == (task.task_id, task.attempt):
                    self._waiting.remove(entry)
                    self._lock.notify_all()
                    return

    def kill_task(self, task: Task) -> str | None:
        with self._lock:  # Its process can't go on to another task meanwhile.
            entry = self._running.get((task.task_id, task.attempt))
            if entry is None or entry.child is None:
                return None
            entry.child.kill()
        return "asked to stop; it did not, and its worker process was ended by force"

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until nothing waits and nothing runs. False when that has not come in time."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._waiting and not self._running, timeout_s)

    def close(self, grace_s: float | None = None) -> None:
        """Stop: what waits is failed as `interrupted`, what runs gets the grace time. Safe to call twice."""
        with self._lock:
            self._closing = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._lock.notify_all()
        for entry in waiting:
            self._give_up(entry, INTERRUPTED)
        with self._lock:
            self._lock.wait_for(lambda: not self._running, self._grace_s if grace_s is None else grace_s)
            left = list(self._running.values())
        for entry in left:
            self._give_up(entry, INTERRUPTED)
            if entry.child is not None:
                entry.child.kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5 if self._kind == "process" or not left else 0)
        self._threads.clear()
        self._manager.forget_runner(self)

    def close_manager(self) -> None:
        self._manager.close()

    def __enter__(self) -> LocalRunner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ── the workers ──────────────────────────────────────────────────────────────────────────────────────────

    def _check_room(self) -> None:
        if self._closing:
            raise QueueFull("the runner is closing")
        if len(self._waiting) >= self._queue_size:
            raise QueueFull(f"{self._queue_size:,} tasks wait already; try again later")

    def _enqueue(self, entry: _Entry) -> None:
        self._jobs[entry.task_id] = entry.job
        self._jobs.move_to_end(entry.task_id)
        if len(self._jobs) > KEPT_JOBS:
            self._jobs.popitem(last=False)
        self._waiting.append(entry)
        if len(self._waiting) > self._idle and len(self._threads) < self._workers:
            name = f"{self.name}-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._work, args=(name,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._lock.notify()

    def _work(self, name: str) -> None:
        child = Child(self._manager, name) if self._kind == "process" else None
        try:
            while (entry := self._next()) is not None:
                entry.child = child
                try:
                    self._run(entry)
                finally:
                    with self._lock:
                        del self._running[entry.task_id, entry.attempt]
                        self._lock.notify_all()
        finally:
            if child is not None:
                child.stop()

    def _next(self) -> _Entry | None:
        with self._lock:
            self._idle += 1
            self._lock.wait_for(lambda: self._waiting or self._closing)
            self._idle -= 1
            if not self._waiting:
                return None
            entry = self._waiting.popleft()
            self._running[entry.task_id, entry.attempt] = entry
            return entry

    def _run(self, entry: _Entry) -> None:
        while True:
            try:
                wrong = self._run_once(entry)
            except StoreUnavailable as error:
                log.warning("task %s waits for the store: %s", entry.task_id, error)
                with self._lock:
                    if not self._lock.wait_for(lambda: self._closing, STORE_RETRY_S):
                        continue
                wrong = INTERRUPTED
            except TaskNotFound:
                log.warning("task %s is gone; it was not run", entry.task_id)
                return
            except Exception as error:
                log.exception("task %s could not be run", entry.task_id)
                wrong = TaskError("worker_lost", f"the worker could not run the task: {type(error).__name__}")
            if wrong is not None:
                self._give_up(entry, wrong)
            return

    def _run_once(self, entry: _Entry) -> TaskError | None:
        """What went wrong where the work could not say so itself. Raises `StoreUnavailable` if it has not begun."""
        if entry.child is None:
            run_job(self._manager, entry.task_id, entry.attempt, entry.job)
            return None
        return entry.child.run(entry.task_id, entry.attempt, pickled(entry.job))

    def _give_up(self, entry: _Entry, error: TaskError) -> None:
        try:
            self._manager.give_up(entry.task_id, entry.attempt, error)
        except StoreError as error_of_store:
            log.error("the end of task %s could not be stored yet: %s", entry.task_id, error_of_store)
        except Exception:
            log.exception("the end of task %s could not be stored", entry.task_id)

    def _restart_in_child(self) -> None:
        """After a fork: the threads, and what they run, are the parent's."""
        self._lock = threading.Condition()
        self._waiting.clear()
        self._running.clear()
        self._threads.clear()
        self._idle = 0


def _check_picklable(job: Job) -> None:
    try:
        pickled(job)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        limit = f"must be a function of a module, with arguments that can be pickled, to run in a process: {error}"
        raise InvalidValue("fn", limit) from error

"""A worker process of the local runner: what the parent holds of it, and what runs inside.

A child is spawned, not forked: the parent has threads. It opens the store itself and has a lease of its own, so that it
is alive, silent or gone by itself; when the parent is killed it finishes its task and then ends.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import pickle
import signal
import threading
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType

from headway.core.progress_manager import ProgressManager
from headway.model.errors import StoreUnavailable, TaskNotFound
from headway.model.task import TaskError
from headway.runners.jobs import Job, run_job

log = logging.getLogger("headway")

LOOK_S = 0.5

_Said = TaskError | StoreUnavailable | TaskNotFound | None
"""How a job went: None when it was run, whatever became of it."""


class Child:
    """One worker process, started by its first job and again after it has died."""

    def __init__(self, manager: ProgressManager, name: str) -> None:
        self._manager = manager
        self._name = name
        self._process: BaseProcess | None = None
        self._conn: Connection | None = None
        self._is_killed = False
        self._lock = threading.Lock()

    def run(self, task_id: str, attempt: int, job: bytes) -> TaskError | None:
        """Run a pickled job to its end; what is wrong where the process could not, or died.

        Raises `StoreUnavailable` or `TaskNotFound` where the work could not begin.
        """
        process, conn = self._started()
        said: _Said
        try:
            conn.send_bytes(pickle.dumps((task_id, attempt, job)))
            # Looked at now and then: a process that it has forked may hold its ends of both pipes open after its death.
            while not wait([conn, process.sentinel], LOOK_S) and process.is_alive():
                pass
            if not conn.poll():
                raise EOFError
            said = conn.recv()
        except (EOFError, OSError):
            process.join()
            code = process.exitcode
            self.stop()
            return TaskError("worker_lost", f"the worker process {_how(code)} before the task was finished")
        if isinstance(said, StoreUnavailable | TaskNotFound):
            raise said
        return said

    def kill(self) -> None:
        """End the process now; whoever waits in `run` is told. It gets no other job."""
        with self._lock:
            if self._process is not None and self._process.is_alive():
                self._is_killed = True
                self._process.kill()

    def stop(self) -> None:
        """Let an idle process end. Safe to call twice."""
        with self._lock:
            process, conn = self._process, self._conn
            self._process = self._conn = None
            self._is_killed = False
        if conn is not None:
            conn.close()
        if process is not None:
            process.join(timeout=2)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _started(self) -> tuple[BaseProcess, Connection]:
        with self._lock:
            process, conn = self._process, self._conn
            if process is not None and conn is not None and process.is_alive() and not self._is_killed:
                return process, conn
        self.stop()
        context = multiprocessing.get_context("spawn")
        conn, theirs = context.Pipe()
        # Not a daemon: the work may need processes of its own.
        process = context.Process(target=_work, args=(theirs, self._manager), name=self._name)
        process.start()
        theirs.close()
        with self._lock:
            self._process, self._conn = process, conn
        return process, conn


def _work(conn: Connection, manager: ProgressManager) -> None:
    """The life of a worker process: job after job, until the parent hangs up."""
    # Ctrl-C and SIGTERM may go to the whole group, and the parent decides what happens to the tasks. A function, not
    # SIG_IGN: that would be inherited by the programs that the work runs.
    signal.signal(signal.SIGINT, _leave_to_the_parent)
    signal.signal(signal.SIGTERM, _leave_to_the_parent)
    with manager, contextlib.suppress(EOFError, OSError):
        while True:
            task_id, attempt, pickled = pickle.loads(conn.recv_bytes())
            conn.send(_run(manager, task_id, attempt, pickled))


def _run(manager: ProgressManager, task_id: str, attempt: int, pickled: bytes) -> _Said:
    try:
        job = pickle.loads(pickled)
    except Exception as error:
        log.exception("task %s can't be loaded in a worker process", task_id)
        return TaskError("not_loadable", f"the work could not be loaded in a worker process: {type(error).__name__}")
    try:
        run_job(manager, task_id, attempt, job)
    except (StoreUnavailable, TaskNotFound) as error:
        return error
    return None


def _leave_to_the_parent(number: int, _frame: FrameType | None) -> None:
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        raise SystemExit(128 + number)


def pickled(job: Job) -> bytes:
    """Raises what pickle raises where the function or an argument can't go to another process."""
    return pickle.dumps(job)


def _how(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"ended with code {exitcode}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-exitcode).name}"
    return f"was ended by signal {-exitcode}"

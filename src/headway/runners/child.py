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
from multiprocessing.connection import Connection, wait
from typing import Any

from headway.core.progress_manager import ProgressManager
from headway.model.task import TaskError
from headway.runners.jobs import Job, run_job

log = logging.getLogger("headway")

_STARTED = "started"
_DONE = "done"


class Child:
    """One worker process, started by its first job and again after it has died."""

    def __init__(self, manager: ProgressManager, name: str) -> None:
        self._manager = manager
        self._name = name
        self._process: multiprocessing.process.BaseProcess | None = None
        self._conn: Connection | None = None

    def run(self, task_id: str, attempt: int, job: bytes) -> TaskError | None:
        """Run a pickled job to its end; what is wrong where the process could not, or died."""
        process, conn = self._started()
        try:
            conn.send_bytes(pickle.dumps((task_id, attempt, job)))
            wait([conn, process.sentinel])
            said = conn.recv() if conn.poll() else None
        except (EOFError, OSError):
            said = None
        if said == _DONE:
            return None
        if said is not None:
            return TaskError("not_loadable", said)
        process.join()
        code = process.exitcode
        self.stop()
        return TaskError("worker_lost", f"the worker process {_how(code)} before the task was finished")

    def kill(self) -> None:
        """End the process now; whoever waits in `run` is told."""
        if self._process is not None and self._process.is_alive():
            self._process.kill()

    def stop(self) -> None:
        """Let an idle process end. Safe to call twice."""
        process, conn = self._process, self._conn
        self._process = self._conn = None
        if conn is not None:
            conn.close()
        if process is not None:
            process.join(timeout=2)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _started(self) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        if self._process is not None and self._conn is not None and self._process.is_alive():
            return self._process, self._conn
        self.stop()
        context = multiprocessing.get_context("spawn")
        conn, theirs = context.Pipe()
        # Not a daemon: the work may need processes of its own.
        process = context.Process(target=_work, args=(theirs, self._manager), name=self._name)
        process.start()
        theirs.close()
        self._process, self._conn = process, conn
        return process, conn


def _work(conn: Connection, manager: ProgressManager) -> None:
    """The life of a worker process: job after job, until the parent hangs up."""
    # Ctrl-C in a terminal goes to the whole group; the parent decides what happens to the tasks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with manager, contextlib.suppress(EOFError, OSError):
        while True:
            task_id, attempt, pickled = pickle.loads(conn.recv_bytes())
            try:
                job = pickle.loads(pickled)
            except Exception as error:
                log.exception("task %s can't be loaded in a worker process", task_id)
                conn.send(f"the work could not be loaded in a worker process: {type(error).__name__}")
                continue
            run_job(manager, task_id, attempt, job)
            conn.send(_DONE)


def pickled(job: Job) -> bytes:
    """Raises what pickle raises where the function or an argument can't go to another process."""
    return pickle.dumps(job)


def _how(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"ended with code {exitcode}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-exitcode).name}"
    return f"was ended by signal {-exitcode}"


__all__: list[Any] = ["Child", "pickled"]

"""The pool of processes that draw: the server asks, they answer, and one that works for a cancelled job is ended.

Processes of our own instead of `concurrent.futures`: those of its pool live on when the server is killed, can't be
ended one by one, and import the caller's main module, here the whole server.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections import deque
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Condition, Thread, Timer
from types import TracebackType
from typing import Any, Self

import headway
from headway.core.forks import in_child
from headway.demo.errors import FontMissing, PictureFailed

logger = logging.getLogger(__name__)

Answer = dict[str, Any]  # Any: JSON
# A card takes a fraction of a second; a process that says nothing for so long is stuck.
_STUCK_S = 60.0
# What a drawing process needs of the environment: no keys, no secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
# A process takes longer to begin than to draw a card, and some 60 MB while it waits for the next.
_IDLE_S = 60.0
# Deaths of a process on the same request before the request is given up.
_TRIES = 2
_DROPPED_IN_S = 5.0


class Batch:
    """The requests of one job, so that they can be dropped together. Leaving its block drops them."""

    def __init__(self, pool: PictureWorkers) -> None:
        self._pool = pool
        self._answers: list[Future[Answer]] = []
        self.dropped = False

    def ask(self, request: dict[str, Any]) -> Future[Answer]:  # Any: JSON
        """The answer, when it is there; `PictureFailed` or `FontMissing` where it went wrong."""
        answer = self._pool._take(_Request(request, self))
        self._answers.append(answer)
        return answer

    def drop(self) -> None:
        """Forget what waits, end the processes that work for this batch, and return when nothing of it runs."""
        self._pool._drop(self)
        wait(self._answers, timeout=_DROPPED_IN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.drop()


class PictureWorkers:
    """Up to `size` drawing processes, begun when they are needed and ended when they have not been for `idle_s`.

    Constructing begins nothing.
    """

    def __init__(self, size: int | None = None, *, idle_s: float = _IDLE_S) -> None:
        self._size = size or max(1, min(4, os.cpu_count() or 1))
        self._idle_s = idle_s
        self._closed = False
        self._start_anew()
        in_child(self._start_anew)

    def _start_anew(self) -> None:
        """Also after a fork: the threads and processes are the parent's."""
        self._changed = Condition()
        self._waiting: deque[_Request] = deque()
        self._workers: list[_Worker] = []

    def __reduce__(self) -> tuple[type[PictureWorkers], tuple[int]]:
        # In another process it is a pool of its own.
        return PictureWorkers, (self._size,)

    def batch(self) -> Batch:
        return Batch(self)

    def close(self) -> None:
        """End the processes; what is asked for after that is refused."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            workers = list(self._workers)
            for worker in workers:
                if worker.request is not None:
                    worker.request.batch.dropped = True  # Else its process would be begun once more.
            self._changed.notify_all()
        for request in waiting:
            request.forget()
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The processes that are there now."""
        return [pid for worker in list(self._workers) if (pid := worker.pid) is not None]

    def _take(self, request: _Request) -> Future[Answer]:
        with self._changed:
            if self._closed:
                raise PictureFailed("The picture workers are closed.", code="picture_failed")
            self._waiting.append(request)
            busy = sum(worker.request is not None for worker in self._workers)
            if len(self._workers) < self._size and len(self._waiting) > len(self._workers) - busy:
                self._workers.append(_Worker(self))
            self._changed.notify()
        return request.answer

    def _drop(self, batch: Batch) -> None:
        with self._changed:
            batch.dropped = True
            dropped = [request for request in self._waiting if request.batch is batch]
            self._waiting = deque(request for request in self._waiting if request.batch is not batch)
            # While it can't take another's request: that must not be ended in place of this one's.
            for worker in self._workers:
                if worker.request and worker.request.batch is batch and not worker.request.answer.done():
                    worker.end()
        for request in dropped:
            request.forget()

    def _next(self, worker: _Worker) -> _Request | None:
        """The next request, for the worker's thread; None when the pool is closed, or has none for it any more."""
        with self._changed:
            worker.request = None
            is_asked = self._changed.wait_for(lambda: self._waiting or self._closed, self._idle_s)
            if not is_asked or self._closed:
                self._workers.remove(worker)
                return None
            worker.request = self._waiting.popleft()
            return worker.request


class _Request:
    def __init__(self, body: dict[str, Any], batch: Batch) -> None:
        self.body = body
        self.batch = batch
        self.answer: Future[Answer] = Future()

    def forget(self) -> None:
        # Both are needed: who waits is told by the second.
        self.answer.cancel()
        self.answer.set_running_or_notify_cancel()


class _Worker:
    """A thread that holds a process: hands it a request, waits for the answer, begins another process when it died."""

    def __init__(self, pool: PictureWorkers) -> None:
        self._pool = pool
        self._process: subprocess.Popen[str] | None = None
        self.request: _Request | None = None
        self.thread = Thread(target=self._run, name="headway-pictures", daemon=True)
        self.thread.start()

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def end(self) -> None:
        process = self._process
        if process is not None:
            process.kill()

    def _run(self) -> None:
        while request := self._pool._next(self):
            if request.answer.set_running_or_notify_cancel():
                try:
                    self._serve(request)
                except Exception as error:  # A boundary: else nobody would answer, now and ever after.
                    logger.exception("a card could not be asked for")
                    self._reap()
                    request.answer.set_exception(error)
        self._reap()

    def _serve(self, request: _Request) -> None:
        failure = ""
        for _ in range(_TRIES):
            try:
                answer = self._exchanged(request)
            except (OSError, ValueError) as error:
                failure = f"{type(error).__name__}: {error}"
                self._reap()
                if request.batch.dropped:
                    break
                logger.warning("a drawing process ended: %s", failure)
                continue
            if answer["ok"]:
                request.answer.set_result(answer)
            elif answer["code"] == "font_missing":
                request.answer.set_exception(FontMissing())
            else:
                logger.error("a card could not be drawn: %s", answer["message"])
                request.answer.set_exception(
                    PictureFailed("A card could not be drawn. Try again, or with another topic.", code=answer["code"])
                )
            return
        message = "The process that draws the cards ended twice on the same card. Try again."
        request.answer.set_exception(PictureFailed(message, code="picture_worker_lost"))

    def _exchanged(self, request: _Request) -> Answer:
        """One line there, one line back. Raises `OSError` or `ValueError` when the process is gone."""
        process = self._process
        if process is None or process.poll() is not None:
            self._reap()
            process = self._process = _started()
        if request.batch.dropped:
            raise BrokenPipeError("dropped")
        stuck = Timer(_STUCK_S, process.kill)
        stuck.daemon = True
        stuck.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request.body) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        finally:
            stuck.cancel()
        if not line.endswith("\n"):
            raise BrokenPipeError(f"it ended with {process.wait()}")
        answer: Answer = json.loads(line)
        return answer

    def _reap(self) -> None:
        """End the process, if any, and leave nothing of it behind."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # What was written and not flushed is lost with the process.
                with contextlib.suppress(OSError):
                    pipe.close()


def _started() -> subprocess.Popen[str]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # So that the process finds this Headway, however this process found it.
    environment["PYTHONPATH"] = str(Path(headway.__file__).parent.parent)
    environment["PYTHONIOENCODING"] = "utf-8"
    return subprocess.Popen(
        [sys.executable, "-m", "headway.demo.cards.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )

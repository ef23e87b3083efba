"""How a reporter's block ends: the final state, synced, if the attempt is still the one that runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from headway.core.engine import Engine
from headway.core.failure import log_traceback, task_error
from headway.model.errors import StoreError, TaskNotFound
from headway.model.ports import TaskWriter
from headway.model.task import Task

log = logging.getLogger("headway")


class StoredEnding:
    """`Ending` through an engine, which is opened again if it was closed meanwhile."""

    def __init__(self, open_engine: Callable[[], Engine]) -> None:
        self._open = open_engine

    def complete(self, writer: TaskWriter, result: str | None) -> None:
        """Raises `StoreUnavailable`, `TaskNotFound`: what was not stored is not done."""
        if writer.has_ended:
            return
        try:
            self._open().complete(writer.task_id, result, None, attempt=writer.attempt)
        except (StoreError, TaskNotFound) as error:
            log.error("task %s is done, but could not be completed: %s", writer.task_id, error)
            raise

    def fail(self, writer: TaskWriter, error: BaseException) -> None:
        if not writer.has_ended:  # A queue's own 'try again' comes by here, too.
            log_traceback(writer.task_id, error)
        why = task_error(error)
        self._end(writer, lambda task, now: task.failing(now, why))

    def cancel(self, writer: TaskWriter) -> None:
        self._end(writer, lambda task, now: task.cancelled(now))

    def _end(self, writer: TaskWriter, step: Callable[[Task, float], Task]) -> None:
        """The work's own exception goes on, whatever the store says."""
        if writer.has_ended:
            return  # Also so that work which outlives its manager does not open it again.
        try:
            self._open().writes.end(writer.task_id, step, attempt=writer.attempt)
        except StoreError as error:
            log.error("the end of task %s could not be stored yet: %s", writer.task_id, error)
        except TaskNotFound:
            log.error("task %s is gone; its end was not stored", writer.task_id)

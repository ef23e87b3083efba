"""What Celery's parent process knows of a run first: that it is over its hard time limit, before its child is ended."""

from __future__ import annotations

import logging
from typing import Any

from celery.worker.request import Request

from headway.model.task import TaskError

log = logging.getLogger("headway")


class HeadwayRequest(Request):  # type: ignore[misc]  # Celery ships no types.
    """Named by `HeadwayTask.Request`. Celery before 5.7 tells a task nothing of it."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            said = f"it ran for longer than its hard time limit of {timeout:g} s"
            runner: Any = self.app.headway
            try:
                runner.give_up(self.id, TaskError("time_limit_exceeded", said))
            except Exception:
                # Whatever is wrong with our store: Celery has to end the run, and to acknowledge it.
                log.exception("that task %s is over its time limit could not be stored", self.id)
        super().on_timeout(soft, timeout)

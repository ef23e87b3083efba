"""The reading half of the manager: tasks, lists, logs, results, each after this process's pending change."""

from __future__ import annotations

import json
from typing import Any

from headway.core.opener import Opener
from headway.model import limits
from headway.model.ports import LogPage, TaskPage, TaskQuery
from headway.model.task import Task, checked_state


class TaskReader(Opener):
    """What can be asked of the store."""

    def get_task(self, task_id: str) -> Task:
        """The task as it is stored, after this process's pending change. Raises `TaskNotFound`, `InvalidValue`."""
        engine = self._open()
        engine.writes.flush(limits.task_id(task_id))
        task = engine.store.get(task_id)
        return engine.store.get(task_id) if engine.looked_after([task]) else task

    def list_tasks(
        self, *, state: str | None = None, owner: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> TaskPage:
        """Tasks, newest first, up to `limit` (500 at most), from where the page before has ended."""
        states = () if state is None else (checked_state(state),)
        return self.query(TaskQuery(states=states, owner=owner, limit=limit, cursor=cursor))

    def query(self, query: TaskQuery) -> TaskPage:
        """Tasks by more than `list_tasks` takes: several states, a search, other orders. Raises `InvalidValue`."""
        limits.whole(query.limit, "limit", 1, limits.PAGE)
        for state in query.states:
            checked_state(state)
        engine = self._open()
        page = engine.store.list(query)
        return engine.store.list(query) if engine.looked_after(page) else page

    def is_cancelled(self, task_id: str) -> bool:
        """Whether it was asked to stop, or has been cancelled: within 100 ms of the call in another process."""
        task = self._open().writes.slots.get(task_id).task
        return task.state in ("cancelling", "cancelled")

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

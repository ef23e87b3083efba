"""Where the commands read tasks: a store that they open themselves, or a server. Both speak in wire payloads."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

from headway.cli.exits import NOT_FOUND, UNREACHABLE
from headway.cli.places import existing_store
from headway.core.progress_manager import ProgressManager
from headway.model import limits
from headway.model.errors import StoreError, StoreTooNew
from headway.model.ports import LogPage, TaskQuery
from headway.model.task import State, Task
from headway.web import wire
from headway.web.wire import LogLinePayload, TaskPayload

LOG_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """The newest state, log lines that are new, and what keeps newer ones from coming, in words."""

    task: TaskPayload | None
    lines: tuple[LogLinePayload, ...] = ()
    trouble: str = ""


class Watch(Protocol):
    def news(self, timeout_s: float) -> News:
        """What there is now, as soon as there is something new, or after `timeout_s`. Raises `TaskNotFound`."""


class Source(Protocol):
    def tasks(self, state: State | None, limit: int) -> Iterator[TaskPayload]: ...

    def watch(self, task_id: str, *, log: bool) -> AbstractContextManager[Watch]: ...

    def cancel(self, task_id: str, reason: str | None) -> bool:
        """Ask for the stop; False if the task has ended. Raises `TaskNotFound`."""


def source_of(options: argparse.Namespace) -> AbstractContextManager[Source]:
    """What `--url` or `--store` names."""
    if options.url is not None:
        from headway.cli.server import Server

        return Server(options.url)
    # A task that is asked for is not found where nothing has been stored yet.
    return StoreSource(existing_store(options.store, NOT_FOUND if "task_id" in options else UNREACHABLE))


class StoreSource:
    """A store, opened by this process."""

    def __init__(self, url: str) -> None:
        self._manager = ProgressManager(store=url)

    def __enter__(self) -> StoreSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self._manager.close()

    def tasks(self, state: State | None, limit: int) -> Iterator[TaskPayload]:
        cursor: str | None = None
        while limit > 0:
            query = TaskQuery(states=() if state is None else (state,), limit=min(limit, limits.PAGE), cursor=cursor)
            page = self._manager.query(query)
            yield from map(_payload, page)
            limit -= len(page)
            cursor = page.next_cursor
            if cursor is None:
                return

    @contextmanager
    def watch(self, task_id: str, *, log: bool) -> Iterator[Watch]:
        watch = _StoreWatch(self._manager, task_id, log=log)
        try:
            yield watch
        finally:
            watch.close()

    def cancel(self, task_id: str, reason: str | None) -> bool:
        return self._manager.cancel_task(task_id, reason)


class _StoreWatch:
    """Woken by the store's notifications; what it tells is always read anew."""

    def __init__(self, manager: ProgressManager, task_id: str, *, log: bool) -> None:
        self._manager = manager
        self._task_id = task_id
        self._next_line = 1 if log else None
        self._woken = threading.Event()
        self._woken.set()
        self._task: TaskPayload | None = None
        manager.get_task(task_id)  # Says now whether there is such a task, and such a store.
        self.close = manager.subscribe(self._changed, self._woken.set, selective=True)
        self.close.watch(task_id)

    def news(self, timeout_s: float) -> News:
        self._woken.wait(timeout_s)
        self._woken.clear()
        try:
            task = self._manager.get_task(self._task_id)
            lines = tuple(self._new_lines())
        except StoreTooNew:
            raise
        except StoreError as error:
            return News(self._task, trouble=str(error))
        self._task = _payload(task)
        return News(self._task, lines)

    def _changed(self, tasks: object) -> None:
        if any(task.task_id == self._task_id for task in cast("tuple[Task, ...]", tasks)):
            self._woken.set()

    def _new_lines(self) -> Iterator[LogLinePayload]:
        while self._next_line is not None:
            page: LogPage = self._manager.read_log(self._task_id, self._next_line, LOG_PAGE)
            yield from wire.log_lines(page.lines)
            if page.lines:
                self._next_line = page.lines[-1].n + 1
            if len(page.lines) < LOG_PAGE:
                return


def _payload(task: Task) -> TaskPayload:
    at = task.created_at if task.server_time is None else task.server_time
    return cast("TaskPayload", json.loads(wire.task_payload_json(task, at)))

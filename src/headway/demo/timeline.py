"""What a task's present state doesn't tell: when each attempt and each stage of it began and ended.

A listener writes it down as the changes go by, in a small database beside the store. It is a convenience of the
demo's detail page: what happened while no server was listening is missing from it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from headway.core.progress_manager import ProgressManager
from headway.model.task import Task

log = logging.getLogger(__name__)

KEPT_ATTEMPTS = 20_000
IN_MEMORY = 2_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    task_id TEXT NOT NULL, epoch TEXT NOT NULL, attempt INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (task_id, epoch, attempt)
)
"""


class Span(TypedDict):
    started_at: float
    finished_at: float | None


class AttemptPayload(TypedDict):
    attempt: int
    state: str
    started_at: float | None
    finished_at: float | None
    error: dict[str, str] | None
    stages: dict[str, Span]


@dataclass(slots=True)
class _Attempt:
    rev: int
    payload: AttemptPayload
    ended: bool = field(default=False)


class Timeline:
    """Listens to `manager` between `start` and `close`; safe to use from any thread."""

    def __init__(self, manager: ProgressManager, path: Path | None) -> None:
        """`path`: the database, or None to keep it in memory alone."""
        self._manager = manager
        self._path = path
        self._lock = threading.Lock()
        self._attempts: OrderedDict[tuple[str, str, int], _Attempt] = OrderedDict()
        self._ended: queue.SimpleQueue[tuple[str, str, int, str] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._unsubscribe = contextlib.ExitStack()

    def start(self) -> None:
        self._writer = threading.Thread(target=self._write, name="headway-timeline", daemon=True)
        self._writer.start()
        self._unsubscribe.callback(self._manager.subscribe(self._heard, lambda: None))

    def close(self) -> None:
        """Stop listening; what was heard is written. Safe to call twice."""
        self._unsubscribe.close()
        if self._writer is not None:
            self._ended.put(None)
            self._writer.join(timeout=5)
            self._writer = None

    def attempts(self, task: Task) -> list[AttemptPayload]:
        """The attempts of `task` that were heard of, the first one first."""
        known = {row["attempt"]: row for row in self._stored(task)}
        if task.attempt not in known:
            self._hear(task)
        with self._lock:
            for (task_id, epoch, attempt), heard in self._attempts.items():
                if (task_id, epoch) == (task.task_id, task.epoch):
                    known.setdefault(attempt, heard.payload)
            return [json.loads(json.dumps(known[attempt])) for attempt in sorted(known)]

    def _heard(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self._hear(task)

    def _hear(self, task: Task) -> None:
        key = (task.task_id, task.epoch, task.attempt)
        with self._lock:
            known = self._attempts.get(key)
            if known is not None and (known.ended or task.rev <= known.rev):
                return
            if known is None:
                known = _Attempt(task.rev, _blank(task))
                self._attempts[key] = known
                while len(self._attempts) > IN_MEMORY:
                    self._attempts.popitem(last=False)
            known.rev = task.rev
            _note(known.payload, task)
            if task.has_ended:
                known.ended = True
                self._ended.put((*key, json.dumps(known.payload)))

    # ── the database ─────────────────────────────────────────────────────────────────────────────────────────

    def _write(self) -> None:
        while (row := self._ended.get()) is not None:
            if self._path is None:
                continue
            rows = [row]
            while not self._ended.empty() and len(rows) < 500:
                more = self._ended.get()
                if more is None:
                    self._ended.put(None)
                    break
                rows.append(more)
            try:
                self._store(self._path, rows)
            except (sqlite3.Error, OSError):
                log.warning("the timeline of %d attempts could not be kept", len(rows), exc_info=True)

    def _store(self, path: Path, rows: Sequence[tuple[str, str, int, str]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as db, db:
            db.execute(_SCHEMA)
            # The first account stands: who heard of an attempt after its end knows less of it.
            db.executemany("INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?)", rows)
            db.execute(
                "DELETE FROM attempts WHERE rowid <= (SELECT max(rowid) FROM attempts) - ?",
                (KEPT_ATTEMPTS,),
            )

    def _stored(self, task: Task) -> list[AttemptPayload]:
        if self._path is None or not self._path.exists():
            return []
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=5)) as db:
                found = db.execute(
                    "SELECT body FROM attempts WHERE task_id = ? AND epoch = ?", (task.task_id, task.epoch)
                )
                return [json.loads(body) for (body,) in found]
        except sqlite3.Error:
            log.warning("the timeline of task %s could not be read", task.task_id, exc_info=True)
            return []


def _blank(task: Task) -> AttemptPayload:
    return {
        "attempt": task.attempt,
        "state": task.state,
        "started_at": task.started_at,
        "finished_at": None,
        "error": None,
        "stages": {},
    }


def _note(payload: AttemptPayload, task: Task) -> None:
    payload["state"] = task.state
    payload["started_at"] = task.started_at
    payload["finished_at"] = task.finished_at
    payload["error"] = None if task.error is None else {"code": task.error.code, "message": task.error.message}
    now = task.finished_at or task.updated_at or task.created_at
    for stage in task.stages or ():
        if stage.state in ("pending", "skipped"):
            continue
        span = payload["stages"].setdefault(stage.name, {"started_at": now, "finished_at": None})
        if stage.state != "running" and span["finished_at"] is None:
            span["finished_at"] = now

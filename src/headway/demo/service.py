"""What the demo does, free of Flask: start posts and test tasks, list and delete what was made, find pictures."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from headway.demo.generators.topics import language_of
from headway.demo.shelf import Shelf
from headway.demo.studio import make_post, stages
from headway.demo.testwork import run_trial, trial_name
from headway.model.errors import HeadwayError, TaskNotFound
from headway.model.ports import TaskQuery

if TYPE_CHECKING:
    from pathlib import Path

    from headway.core.progress_manager import ProgressManager
    from headway.demo.asked import PostAsked, TrialAsked
    from headway.model.task import Task
    from headway.runners.local import LocalRunner

# How far one call looks for posts among the owner's other tasks.
LOOKED_AT = 5_000
PAGE = 200
NAME_CHARS = 200


class StillRunning(HeadwayError):
    """What is being made can't be deleted."""

    code = "still_running"


class PostPayload(TypedDict):
    """A post in the history."""

    task_id: str
    topic: str
    title: str | None
    state: str
    worker: str | None
    progress: float | None
    attempt: int
    style: str | None
    thumbs: list[str]
    created_at: float


@dataclass(frozen=True, slots=True)
class PostPage:
    posts: list[PostPayload]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Runners:
    """Who runs what: posts, test tasks that only wait, and those that end their process."""

    posts: LocalRunner
    trials: LocalRunner
    processes: LocalRunner

    def close(self) -> None:
        for runner in (self.posts, self.trials, self.processes):
            runner.close()


class Studio:
    """The demo's use cases. `data_dir` has a folder for each post, named after its task."""

    def __init__(self, manager: ProgressManager, runners: Runners, data_dir: Path) -> None:
        self.manager = manager
        self._runners = runners
        self._data_dir = data_dir
        self._shelf = Shelf(data_dir)

    def start_post(self, asked: PostAsked, owner: str) -> str:
        """The id of the task that makes the post. Raises `QueueFull`."""
        language = asked.language or language_of(asked.topic)
        return self._runners.posts.submit(
            make_post,
            name=asked.topic[:NAME_CHARS],
            stages=stages(language),
            owner=owner,
            topic=asked.topic,
            cards=asked.cards,
            style=asked.style,
            language=language,
            seed=asked.seed,
            data_dir=str(self._data_dir),
        )

    def start_trial(self, asked: TrialAsked, owner: str, language: str) -> str:
        """The id of a test task, which speaks that language. Raises `QueueFull`, `InvalidValue`."""
        runner = self._runners.processes if asked.outcome == "crash" or asked.process else self._runners.trials
        return runner.submit(
            run_trial,
            name=trial_name(language, seconds=asked.seconds, updates=asked.updates, outcome=asked.outcome),
            stages=list(asked.stages) or None,
            owner=owner,
            seconds=asked.seconds,
            updates=asked.updates,
            steps=list(asked.stages),
            outcome=asked.outcome,
            language=language,
        )

    def kill_worker(self, task: Task) -> bool:
        """End the process that runs the task, by force. False where it runs in none of its own."""
        runner = {runner.name: runner for runner in (self._runners.posts, self._runners.processes)}.get(
            task.runner or ""
        )
        return runner is not None and runner.kill_task(task) is not None

    def sweep(self, *, older_than_s: float) -> int:
        """Remove the folders that no post needs; how many.

        These are the folders of tasks that are no longer kept, once they are that old, and of tasks that ended without
        a post: a worker that is killed can't tidy up. A retry that begins right now loses nothing: its worker makes
        the folder anew, long after it has changed the state that is read here.
        """
        if not self._data_dir.is_dir():
            return 0
        newest = time.time() - older_than_s
        modified = {folder.name: folder.stat().st_mtime for folder in self._data_dir.iterdir()}
        tasks = self.manager.store.get_many(list(modified))
        needless = [
            name
            for name, at in modified.items()
            if (tasks[name].state in ("failed", "cancelled") if name in tasks else at < newest)
        ]
        for name in needless:
            shutil.rmtree(self._data_dir / name, ignore_errors=True)
        return len(needless)

    def posts(self, owner: str, *, search: str | None, cursor: str | None, limit: int) -> PostPage:
        """The owner's posts, newest first. `next_cursor` may lead to an empty page. Raises `InvalidValue`."""
        posts: list[PostPayload] = []
        looked_at = 0
        while True:
            page = self.manager.query(
                TaskQuery(owner=owner, search=search, cursor=cursor, limit=min(PAGE, max(1, limit - len(posts))))
            )
            posts += [self._payload(task) for task in page if task.runner == self._runners.posts.name]
            cursor = page.next_cursor
            looked_at += len(page)
            if cursor is None or len(posts) >= limit or looked_at >= LOOKED_AT:
                return PostPage(posts, cursor)

    def delete_post(self, task_id: str) -> None:
        """The post, its words and its pictures are gone. Raises `StillRunning`, `TaskNotFound`."""
        if not self.manager.delete_task(task_id):
            raise StillRunning("it is still being made; cancel it first")
        self._shelf.remove(task_id)

    def file(self, task_id: str, name: str) -> Path:
        """A picture of a post, or all of it as one archive. Raises `TaskNotFound` where there is none."""
        path = self._shelf.file(task_id, name)
        if path is None:
            raise TaskNotFound(task_id)
        return path

    def _payload(self, task: Task) -> PostPayload:
        post = self._result(task)
        return {
            "task_id": task.task_id,
            "topic": post.get("topic") or task.name or "",
            "title": post.get("title"),
            "state": task.state,
            "worker": task.worker,
            "progress": task.progress,
            "attempt": task.attempt,
            "style": post.get("style"),
            "thumbs": [card["thumb"] for card in post.get("cards", [])][:1],
            "created_at": task.created_at,
        }

    def _result(self, task: Task) -> dict[str, Any]:  # Any: the result as make_post gave it
        if task.state != "completed":
            return {}
        result = self.manager.get_result(task.task_id) if task.has_large_result else task.result
        return result if isinstance(result, dict) else {}

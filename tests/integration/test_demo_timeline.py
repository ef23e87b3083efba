"""The account of attempts and stages that the task page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway import ProgressManager
from headway.demo.timeline import Timeline
from tests.helpers import eventually


def test_each_attempt_and_each_of_its_stages_is_timed(tmp_path: Path) -> None:
    with ProgressManager(store="memory://") as manager:
        timeline = Timeline(manager, tmp_path / "timeline.db")
        timeline.start()
        with manager.task("two steps", stages=["first", "second"]) as task:
            with task.step("first"):
                pass
            with task.step("second"):
                pass
        done = manager.get_task(task.task_id)

        (attempt,) = eventually(lambda: timeline.attempts(done))

        assert attempt["state"] == "completed"
        assert attempt["finished_at"] == done.finished_at
        assert list(attempt["stages"]) == ["first", "second"]
        for span in attempt["stages"].values():
            assert span["finished_at"] is not None
            assert span["started_at"] <= span["finished_at"]
        timeline.close()


def test_what_was_heard_before_is_kept_for_the_next_server(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    with ProgressManager(store=f"sqlite:///{tmp_path}/tasks.db") as manager:
        first = Timeline(manager, path)
        first.start()
        with pytest.raises(RuntimeError), manager.task("fails", stages=["only"]) as task, task.step("only"):
            raise RuntimeError("as asked")
        failed = manager.get_task(task.task_id)
        eventually(lambda: first.attempts(failed)[0]["state"] == "failed")
        first.close()

        (attempt,) = Timeline(manager, path).attempts(failed)

        assert attempt["error"] is not None
        assert list(attempt["stages"]) == ["only"]


def test_a_database_that_cannot_be_used_costs_the_account_alone(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    path.write_bytes(b"this is no database" * 100)
    with ProgressManager(store="memory://") as manager:
        timeline = Timeline(manager, path)
        timeline.start()
        with manager.task("goes on") as task:
            task.update(50)

        assert eventually(lambda: timeline.attempts(manager.get_task(task.task_id)))[0]["state"] == "completed"
        timeline.close()

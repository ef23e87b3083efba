"""The test doubles that we ship: a clock to move, a manager in memory, a viewer that remembers."""

from __future__ import annotations

import threading

import pytest

from headway import ProgressManager, TaskNotFound
from headway.testing import FakeClock, RecordingViewer, memory_manager


def test_a_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(1_000.0)

    clock.advance(2.5)
    clock.jump(-100)

    assert (clock.time(), clock.monotonic()) == (902.5, 2.5)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)


def test_a_manager_in_memory_goes_by_its_clock_and_keeps_nothing() -> None:
    clock = FakeClock(1_000.0)
    with memory_manager(clock=clock) as manager:
        task_id = manager.create_task()
        assert manager.get_task(task_id).created_at == 1_000.0

    with memory_manager() as manager, pytest.raises(TaskNotFound):
        manager.get_task(task_id)


def test_a_viewer_sees_the_state_it_joins_at_and_each_newer_one_to_the_end() -> None:
    with memory_manager() as manager:
        task_id, other = manager.create_task(), manager.create_task()

        with RecordingViewer(manager, task_id) as viewer:
            manager.update_progress(task_id, 40)
            viewer.wait_for(lambda task: task.progress == 40)
            manager.complete_task(other)
            manager.complete_task(task_id, result="done")

            assert viewer.wait_for_end().result == "done"
        states = [task.state for task in viewer.tasks]
        revs = [task.rev for task in viewer.tasks]

    assert (states[0], states[-1]) == ("pending", "completed")
    assert {task.task_id for task in viewer.tasks} == {task_id}
    assert revs == sorted(set(revs))


def test_a_viewer_sees_what_other_threads_report() -> None:
    with memory_manager() as manager:
        task_id = manager.create_task(total=100)
        worker = threading.Thread(target=count, args=(manager, task_id))
        with RecordingViewer(manager, task_id) as viewer:
            worker.start()
            assert viewer.wait_for_end().details["completed"] == 100
        worker.join()


def test_a_viewer_that_has_left_is_told_nothing_more() -> None:
    with memory_manager() as manager:
        task_id = manager.create_task()
        with RecordingViewer(manager, task_id) as viewer:
            pass
        manager.complete_task(task_id)

        assert viewer.last.state == "pending"


def test_what_is_not_seen_in_time_fails_with_the_last_that_was() -> None:
    with memory_manager() as manager, RecordingViewer(manager, manager.create_task("Import")) as viewer:
        with pytest.raises(AssertionError, match=r"not ended within 0\.01 s; the last was .*Import"):
            viewer.wait_for_end(0.01)
        with pytest.raises(AssertionError, match=r"not seen within 0\.01 s"):
            viewer.wait_for(lambda task: task.progress == 50, 0.01)


def test_an_unknown_task_can_not_be_joined() -> None:
    with memory_manager() as manager, pytest.raises(TaskNotFound), RecordingViewer(manager, "unknown"):
        pass


def count(manager: ProgressManager, task_id: str) -> None:
    for _ in range(100):
        manager.update_progress(task_id, advance=1)
    manager.complete_task(task_id)

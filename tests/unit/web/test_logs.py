"""Logs come gaplessly from where they were asked for, page by page, and before the end."""

from __future__ import annotations

import pytest

from headway.model.errors import StoreUnavailable
from headway.web.logs import PAGE_CHARS
from tests.unit.web.samples import outlet_of, world


def test_a_log_is_sent_from_the_line_asked_for_and_followed() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        for n in range(1, 6):
            w.manager.add_log(task_id, f"line {n}")
        w.manager.get_task(task_id)

        viewer = w.join(task_id, log_from=3)
        w.manager.add_log(task_id, "line 6", "error")
        w.manager.get_task(task_id)
        w.deliver()

        assert viewer.lines == [3, 4, 5, 6]
        assert viewer.of("log")[-1]["lines"][0]["level"] == "error"


def test_without_asking_no_log_comes() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        w.manager.add_log(task_id, "line")
        w.manager.get_task(task_id)
        w.deliver()

        assert viewer.lines == []


def test_a_long_log_comes_in_pages_in_order_and_the_end_last() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)
        for n in range(1, 2_001):
            w.manager.add_log(task_id, f"line {n}")
        w.manager.complete_task(task_id)
        w.deliver()

        assert viewer.lines == list(range(1, 2_001))
        assert len(viewer.of("log")) > 5
        assert viewer.sent[-1][0] == "progress"
        assert viewer.states[-1]["state"] == "completed"


def test_pages_are_bounded_in_size() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        for _ in range(100):
            w.manager.add_log(task_id, "x" * 4_000)
        w.manager.get_task(task_id)
        viewer = w.join(task_id, log_from=1)

        assert viewer.lines == list(range(1, 101))
        assert max(sum(len(line["text"]) for line in page["lines"]) for page in viewer.of("log")) <= PAGE_CHARS


def test_a_slow_viewer_gets_every_line_when_it_can() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)
        viewer.is_slow = True
        for n in range(600):
            w.manager.add_log(task_id, f"line {n}")
            if n % 100 == 0:
                w.manager.get_task(task_id)
                w.deliver()
        w.manager.fail_task(task_id, "no")
        w.deliver()
        viewer.is_slow = False
        w.clock.advance(1)
        w.deliver()

        assert viewer.lines == list(range(1, 601))
        assert viewer.states[-1]["state"] == "failed"


def test_what_was_dropped_is_announced() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        for n in range(10_050):
            w.manager.add_log(task_id, f"{n}")
        w.manager.get_task(task_id)
        viewer = w.join(task_id, log_from=1)

        first = viewer.of("log")[0]
        assert first["truncated_before"] == first["lines"][0]["n"]
        assert viewer.lines == list(range(first["lines"][0]["n"], 10_051))
        assert all("truncated_before" not in page for page in viewer.of("log")[1:])


def test_a_log_that_can_not_be_read_does_not_hold_up_the_end_and_comes_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)

        def unreadable(*_: object) -> object:
            raise StoreUnavailable("down")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "read_log", unreadable)
            w.manager.add_log(task_id, "line")
            w.manager.complete_task(task_id)
            w.deliver()
            assert viewer.states[-1]["state"] == "completed"
        w.hub.heal()
        w.deliver()

        assert viewer.lines == [1]


def test_joining_again_asks_the_log_anew() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.add_log(task_id, "line")
        w.manager.get_task(task_id)
        connection = w.connect()
        for _ in range(2):
            w.say(connection, f'2/progress,["join",{{"task_id":"{task_id}","log_from":1}}]')

        assert outlet_of(connection).lines == [1, 1]

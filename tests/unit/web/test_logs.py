"""Logs come gaplessly from where they were asked for, page by page, and before the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headway.model.errors import StoreUnavailable
from headway.model.ports import LogPage
from headway.web.delivery import END_WAITS_S, JOINER_WAITS_S
from headway.web.logs import PAGE_CHARS
from tests.unit.web.samples import FakeDriver, World, outlet_of, world


class Elsewhere(FakeDriver):
    """Reads when it is told to; meanwhile a delivery follows each wake at once, as it may on a thread of its own."""

    def __init__(self, w: World) -> None:
        super().__init__()
        self.is_reading = False
        self._world = w
        self._waiting: list[Callable[[], None]] = []
        w.hub.driven_by(self)

    def wake(self) -> None:
        if self.is_reading:
            self._world.deliver()

    def background(self, work: Callable[[], None]) -> None:
        self._waiting.append(work)

    def read(self) -> None:
        """All that waits to be read, and what is asked for then."""
        while self._waiting:
            self.is_reading = True
            self._waiting.pop(0)()
            self.is_reading = False
            self._world.deliver()


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


def test_news_that_comes_during_a_reading_holds_up_no_line() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)
        driver = Elsewhere(w)
        read_log = w.manager.read_log

        def with_news(*asked: int) -> LogPage:
            page = read_log(task_id, *asked[1:])
            w.manager.update_progress(task_id, advance=1)
            w.manager.get_task(task_id)
            return page

        w.manager.add_log(task_id, "line 1")
        w.manager.get_task(task_id)
        w.deliver()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "read_log", with_news)
            driver.read()
        w.manager.add_log(task_id, "line 2")
        w.manager.complete_task(task_id)
        w.deliver()
        driver.read()

        assert viewer.lines == [1, 2]
        assert viewer.sent[-1][0] == "progress"
        assert viewer.states[-1]["state"] == "completed"


def test_a_reading_that_breaks_leaves_the_log_to_the_next_healing(caplog: pytest.LogCaptureFixture) -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)

        def broken(*_: object) -> object:
            raise RuntimeError("a mistake")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "read_log", broken)
            w.manager.add_log(task_id, "line")
            w.manager.complete_task(task_id)
            w.deliver()
        w.hub.heal()
        w.deliver()

        assert viewer.lines == [1]
        assert viewer.states[-1]["state"] == "completed"
        assert "a mistake" in caplog.text


def test_who_joins_after_the_end_has_the_log_before_it() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        for n in range(600):
            w.manager.add_log(task_id, f"line {n}")
        w.manager.complete_task(task_id)

        viewer = w.join(task_id, log_from=1)

        assert viewer.lines == list(range(1, 601))
        assert [event for event, _ in viewer.sent].index("progress") == len(viewer.sent) - 1


@pytest.mark.parametrize(("has_joined", "waits_s"), [(True, END_WAITS_S), (False, JOINER_WAITS_S)])
def test_an_end_does_not_wait_long_for_a_log(has_joined: bool, waits_s: float) -> None:
    with world() as w:
        task_id = w.manager.create_task()
        driver = Elsewhere(w)
        viewer = w.join(task_id, log_from=1) if has_joined else None
        w.manager.add_log(task_id, "line")
        w.manager.complete_task(task_id)
        w.deliver()
        viewer = viewer or w.join(task_id, log_from=1)
        assert "completed" not in [state["state"] for state in viewer.states]

        delay = w.deliver()
        w.clock.advance(waits_s)
        w.deliver()

        assert delay is not None
        assert viewer.states[-1]["state"] == "completed"
        assert viewer.lines == []
        driver.read()
        assert viewer.lines == [1]
        assert w.deliver() is None


def test_who_follows_the_log_is_shown_no_more_states_than_anybody() -> None:
    with world(max_rate=20) as w:
        elsewhere = Elsewhere(w)
        task_id = w.manager.create_task()
        viewer = w.join(task_id, log_from=1)
        for turn in range(1, 201):
            w.clock.advance(0.01)
            w.manager.add_log(task_id, f"line {turn}")
            w.report(task_id, progress=turn / 10)
            w.deliver()
            w.report(task_id, progress=turn / 10 + 0.05)  # While the line is being read.
            elsewhere.read()
        in_two_seconds = len(viewer.states)
        w.manager.complete_task(task_id)
        w.deliver()
        elsewhere.read()

        assert 35 <= in_two_seconds <= 44
        assert viewer.lines == list(range(1, 201))
        assert viewer.states[-1]["state"] == "completed"

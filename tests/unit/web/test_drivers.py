"""How often what was missed is looked for: soon enough, whatever held up the last time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from headway.model.ports import LogPage
from headway.web.drivers import HEAL_S, TaskDriver, ThreadWaker, pause_after, spawn_thread
from tests.helpers import eventually
from tests.unit.web.samples import outlet_of, world


@pytest.mark.parametrize(
    ("took_s", "is_stale", "pause_s"),
    [(0.01, False, HEAL_S), (0.3, False, 6), (8, False, 15), (3_600, False, 15), (8, True, HEAL_S)],
    ids=["quick", "many tasks", "a locked store", "a night's sleep", "a store that could not be reached"],
)
def test_a_healing_that_was_held_up_does_not_put_off_the_next(took_s: float, is_stale: bool, pause_s: float) -> None:
    assert pause_after(took_s, is_stale=is_stale) == pytest.approx(pause_s)


class HubThatIsResetWhileItHeals:
    is_stale = False

    def __init__(self) -> None:
        self.heals = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def driven_by(self, driver: object) -> None:
        pass

    def deliver(self, budget_s: float) -> None:
        pass

    def close(self) -> None:
        pass

    def heal(self) -> None:
        self.heals += 1
        if self.heals == 1:
            self.meanwhile()


def test_a_healing_that_is_asked_for_during_another_follows_it_at_once() -> None:
    hub: Any = HubThatIsResetWhileItHeals()
    driver = TaskDriver(hub, spawn_thread, ThreadWaker)
    hub.meanwhile = driver.heal_soon
    driver.start()
    driver.heal_soon()

    eventually(lambda: hub.heals == 2, timeout=HEAL_S - 0.5)

    driver.stop()
    eventually(lambda: not any(thread.name == "headway-web" for thread in threading.enumerate()))


def test_those_who_follow_a_log_share_what_is_read_of_it() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewers = [w.connect() for _ in range(20)]
        for viewer in viewers:
            w.protocol.join(viewer, viewer.request, task_id, 1)
        driver = TaskDriver(w.hub, spawn_thread, ThreadWaker)
        reads: list[int] = []
        read_log = w.manager.read_log

        def counting(task_id: str, start: int, limit: int) -> LogPage:
            reads.append(start)
            return read_log(task_id, start, limit)

        w.manager.read_log = counting  # type: ignore[method-assign]
        w.manager.add_log(task_id, "line")
        w.manager.complete_task(task_id)
        driver.start()

        eventually(lambda: all(outlet_of(viewer).lines == [1] for viewer in viewers))

        assert reads == [1]
        driver.stop()
        eventually(lambda: not any(thread.name == "headway-web" for thread in threading.enumerate()))

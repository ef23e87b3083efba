"""What chaos has found, each made small enough to be found again at once."""

from __future__ import annotations

from typing import Any

import pytest

from headway import ProgressManager
from headway.model.ports import LogPage
from tests.chaos.inside import House


@pytest.fixture
def house() -> Any:
    house = House(ProgressManager(store="memory://"))
    yield house
    house.close()


def test_a_page_of_the_log_that_was_read_twice_is_shown_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = house.manager
    task_id = manager.create_task()
    manager.add_log(task_id, "the first line")
    read_log = manager.read_log
    house.connect("ann")

    def reading(task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        page = read_log(task_id, start, limit)
        # Meanwhile, on the loop: a line more is stored, and what has been read so far goes out.
        if page.lines and page.lines[-1].n < 5:
            manager.add_log(task_id, "one line more")
            manager.get_task(task_id)
        house.driver.deliver()
        return page

    monkeypatch.setattr(manager, "read_log", reading)
    house.join("ann", task_id, log_from=1)
    house.settle()

    lines = [line["n"] for event in house.history.events if event["kind"] == "log" for line in event["payload"]["lines"]]
    assert lines == [1, 2, 3, 4, 5]

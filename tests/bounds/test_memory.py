"""What is kept in memory is bounded: by who is there now, not by what has ever been."""

from __future__ import annotations

import gc
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import ProgressManager
from headway.stores.sqlite import SqliteStore
from tests.chaos.inside import House
from tests.invariants import History

PAGE_BYTES = resource.getpagesize()


class Unrecorded(History):
    """Onlookers see, and nothing is kept of it: the test's own memory must not grow."""

    def _add(self, *what: object) -> None:
        """Seen."""


def resident_mib() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 2**20


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the system has such a place: synced writes are not what is measured here."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as name:
        yield Path(name)


AT_A_TIME = 20


def live(house: House, first: int) -> None:
    """The lives of some tasks, each watched from its beginning to its end by a viewer who then goes."""
    manager = house.manager
    tasks = {f"viewer {number}": manager.create_task(f"task {first + number}", total=10) for number in range(AT_A_TIME)}
    for viewer, task_id in tasks.items():
        house.connect(viewer)
        assert house.join(viewer, task_id, log_from=1)["ok"]
        manager.update_progress(task_id, completed=3, details={"current": "x" * 500})
        manager.add_log(task_id, "a line " * 20)
    # As the write-behind thread would at its next tick.
    manager._open().writes.flush_all()
    house.driver.turn()
    for task_id in tasks.values():
        manager.complete_task(task_id, {"text": "x" * 500})
    house.driver.turn()
    for viewer, task_id in tasks.items():
        house.leave(viewer, task_id)
        house.disconnect(viewer)


def test_ten_thousand_tasks_leave_nothing_in_memory(folder: Path) -> None:
    house = House(ProgressManager(store=SqliteStore(folder / "tasks.db")), history=Unrecorded())
    # Up to the point where every cache is full.
    for first in range(0, 2_500, AT_A_TIME):
        live(house, first)
    before = resident_mib()

    for first in range(2_500, 10_000, AT_A_TIME):
        live(house, first)

    grown = resident_mib() - before
    watched = house.hub.counts()
    house.close()
    # A kilobyte a task would be seven megabytes.
    assert grown < 4, f"{grown:.1f} MiB"
    assert watched == (0, 0)


def test_a_thousand_connections_that_came_and_went_leave_nothing_in_memory() -> None:
    house = House(ProgressManager(store="memory://"), history=Unrecorded())
    tasks = [house.manager.create_task() for _ in range(20)]

    def come_and_go(times: int) -> None:
        for number in range(times):
            name = f"viewer {number}"
            house.connect(name)
            for task_id in tasks:
                assert house.join(name, task_id, log_from=1)["ok"]
            house.driver.turn()
            house.leave(name, tasks[0])
            house.disconnect(name)

    come_and_go(200)
    before = resident_mib()
    come_and_go(1_000)

    grown = resident_mib() - before
    watched = house.hub.counts()
    house.close()
    assert grown < 3, f"{grown:.1f} MiB"
    assert watched == (0, 0)


def test_joins_of_a_hundred_thousand_ids_that_are_made_up_keep_no_state() -> None:
    house = House(ProgressManager(store="memory://"), history=Unrecorded())
    onlooker = house.connect("guesser")
    assert not house.ask("guesser", "join", {"task_id": "guess"})["ok"]
    before = resident_mib()

    for number in range(100_000):
        answer = house.ask("guesser", "join", {"task_id": f"guessed-id-number-{number:09}", "log_from": 1})
        assert answer["error"]["code"] == "task_not_found"

    grown = resident_mib() - before
    watched = house.hub.counts()
    house.close()
    assert grown < 3, f"{grown:.1f} MiB"
    assert watched == (0, 0)
    assert onlooker.errors == []

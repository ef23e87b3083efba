"""Viewers over restarts, upgrades and reconnects: what they saw in all holds the promise."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from headway import ProgressManager
from tests.contract.viewers import Viewer
from tests.helpers import eventually
from tests.integration.gateway_server import gateway_server
from tests.invariants import History

# python-engineio's client forgets sockets whose server died.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("how", ["terminate", "kill"])
@pytest.mark.parametrize(("transports", "fast"), [(("websocket", "polling"), True), (("websocket",), False)])
def test_a_restarted_server_has_its_viewers_back_with_the_current_state(
    tmp_path: Path, transports: tuple[str, ...], fast: bool, how: str
) -> None:
    store = tmp_path / "tasks.db"
    history = History()
    with (
        ProgressManager(store=f"sqlite:///{store}") as manager,
        gateway_server(store, fast=fast) as server,
        ExitStack() as watching,
    ):
        task_id = manager.create_task()
        viewers = [
            watching.enter_context(Viewer(server.url, transport=transport, history=history, name=transport))
            for transport in transports
        ]
        for viewer in viewers:
            viewer.join_on_each_connection(task_id)
        manager.add_log(task_id, "before")
        manager.update_progress(task_id, progress=10)
        for viewer in viewers:
            eventually(lambda viewer=viewer: viewer.states() and viewer.states()[-1]["progress"] == 10)
        getattr(server, how)()
        manager.add_log(task_id, "while it was away")
        manager.update_progress(task_id, progress=60)
        manager.get_task(task_id)
        server.start()

        for viewer in viewers:
            eventually(lambda viewer=viewer: viewer.states()[-1]["progress"] == 60, 30)
        manager.complete_task(task_id)
        for viewer in viewers:
            viewer.end()
            eventually(lambda viewer=viewer: viewer.lines()[-1:] == [2])
        history.check()


def test_a_viewer_that_upgrades_in_the_middle_of_a_burst_misses_nothing_final_and_sees_nothing_twice(
    tmp_path: Path,
) -> None:
    store = tmp_path / "tasks.db"
    history = History()
    with ProgressManager(store=f"sqlite:///{store}") as manager, gateway_server(store) as server:
        for turn in range(5):
            task_id = manager.create_task()
            for progress in range(50):
                manager.update_progress(task_id, progress=progress)
            with Viewer(server.url, transport="upgrade", history=history, name=f"viewer-{turn}") as viewer:
                viewer.join(task_id)
                for progress in range(50, 99):
                    manager.update_progress(task_id, progress=progress)
                    manager.get_task(task_id)
                manager.complete_task(task_id)
                viewer.end(task_id)
                assert viewer.client.transport() in ("polling", "websocket")
    history.check()


def test_many_viewers_of_many_tasks_each_see_their_own(tmp_path: Path) -> None:
    store = tmp_path / "tasks.db"
    history = History()
    with ProgressManager(store=f"sqlite:///{store}") as manager, gateway_server(store) as server:
        tasks = [manager.create_task() for _ in range(5)]
        viewers = [Viewer(server.url, history=history, name=f"viewer-{n}") for n in range(10)]
        for n, viewer in enumerate(viewers):
            viewer.__enter__()
            viewer.join(tasks[n % 5], 1)
        for progress in range(100):
            for task_id in tasks:
                manager.update_progress(task_id, progress=progress)
                manager.add_log(task_id, f"{progress}")
        for task_id in tasks:
            manager.complete_task(task_id)
        for n, viewer in enumerate(viewers):
            viewer.end(tasks[n % 5])
            assert viewer.lines(tasks[n % 5]) == list(range(1, 101))
            viewer.__exit__(None, None, None)
    history.check()

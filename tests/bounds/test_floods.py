"""Who floods is refused, then closed; everybody else is served as if nothing were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import ProgressManager
from tests.contract.viewers import Viewer
from tests.helpers import ServerProcess, eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import RawClients, ends_by_sending, event

FLOODERS = 5
UPDATES = 200


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("floods") / "tasks.db"


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[ServerProcess]:
    with gateway_server(store) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-5000:]


@pytest.mark.parametrize(
    "flood",
    [
        event("ping", {"t": 1}),
        event("join", {"task_id": "x" * 22, "log_from": 1}, ack=1),
        event("join", {"task_id": "y" * 129}),
        '42/progress,["join",' + "[" * 5_000,
        event("nothing of ours", {"a": [1] * 500}),
    ],
    ids=["pings", "joins of what isn't there", "bad joins", "deep JSON", "unknown events"],
)
def test_a_flood_ends_the_flooders_and_holds_up_nobody(server: ServerProcess, store: Path, flood: str) -> None:
    with (
        ProgressManager(store=f"sqlite:///{store}") as manager,
        Viewer(server.url) as good,
        RawClients(server) as clients,
    ):
        task_id = manager.create_task(total=UPDATES)
        assert good.join(task_id, log_from=1)["ok"]
        ended: list[bool] = []
        flooders = [clients.socket() for _ in range(FLOODERS)]
        threads = [
            threading.Thread(target=lambda one=one: ended.append(ends_by_sending(one, lambda: one.send(flood), 20_000)))
            for one in flooders
        ]
        for thread in threads:
            thread.start()
        for number in range(1, UPDATES + 1):
            manager.update_progress(task_id, completed=number)
            manager.add_log(task_id, f"line {number}")
            manager.get_task(task_id)
        manager.complete_task(task_id)

        assert good.end(task_id)["state"] == "completed"
        eventually(lambda: good.lines() == list(range(1, UPDATES + 1)))
        for thread in threads:
            thread.join(60)
        assert ended == [True] * FLOODERS
        assert good.ask("ping") == {"ok": True}
        good.history.check()

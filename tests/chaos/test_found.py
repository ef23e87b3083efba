"""What chaos has found, each made small enough to be found again at once."""

from __future__ import annotations

import gc
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from headway import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import StoreUnavailable
from headway.model.ports import LogPage
from headway.runners import LocalRunner
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore
from tests.chaos import store_faults
from tests.chaos.inside import House
from tests.contract.viewers import Viewer
from tests.helpers import eventually
from tests.integration.gateway_server import gateway_server
from tests.integration.raw_sockets import NAMESPACE, RawClients, event
from tests.invariants import History


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

    pages = [event["payload"]["lines"] for event in house.history.events if event["kind"] == "log"]
    assert [line["n"] for page in pages for line in page] == [1, 2, 3, 4, 5]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "headway.db"


def test_a_store_restored_from_its_own_backup_is_another_history(path: Path, tmp_path: Path) -> None:
    manager = ProgressManager(store=SqliteStore(path))
    resets: list[str] = []
    with manager:
        task_id = manager.create_task()
        before = manager.get_task(task_id)
        store_faults.back_up(path, tmp_path / "backup.db")
        manager.update_progress(task_id, 60)
        assert manager.get_task(task_id).progress == 60
        manager.store.subscribe(lambda tasks: None, lambda: resets.append("reset"))

        store_faults.replace(path, tmp_path / "backup.db")

        eventually(lambda: resets)
        restored = manager.get_task(task_id)
        assert (restored.progress, restored.rev) == (0, before.rev)
        assert restored.epoch != before.epoch
        # Who reported goes on from what is stored now.
        assert manager.update_progress(task_id, 20)
        assert manager.get_task(task_id).progress == 20
    with ProgressManager(store=SqliteStore(path)) as again:
        assert again.store.epoch() == restored.epoch


def test_processes_that_find_a_restored_store_agree_on_its_history(path: Path, tmp_path: Path) -> None:
    stores = [SqliteStore(path) for _ in range(3)]
    epochs = {store.epoch() for store in stores}
    store_faults.back_up(path, tmp_path / "backup.db")

    store_faults.replace(path, tmp_path / "backup.db")

    eventually(lambda: not epochs & {store.epoch() for store in stores})
    assert len({store.epoch() for store in stores}) == 1
    for store in stores:
        store.close()


def test_a_store_that_is_moved_stays_the_same_history(path: Path, tmp_path: Path) -> None:
    with ProgressManager(store=SqliteStore(path)) as manager:
        manager.create_task()
        epoch = manager.store.epoch()
    path.rename(tmp_path / "elsewhere.db")

    with ProgressManager(store=SqliteStore(tmp_path / "elsewhere.db")) as manager:
        assert manager.store.epoch() == epoch


def test_a_poll_whose_connection_was_cut_takes_nothing_with_it(path: Path) -> None:
    with gateway_server(path) as server, RawClients(server) as clients, ProgressManager(store=f"sqlite:///{path}") as m:
        task_id = m.create_task()
        session, url = clients.polling()
        session.post(url, data=f"40{NAMESPACE},", timeout=10)
        session.post(url, data=event("join", {"task_id": task_id}), timeout=10)
        seen = ""
        while "pending" not in seen:
            seen += session.get(url, timeout=10).text
        waiting = clients.tcp(f"GET {url.removeprefix(server.url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        again = clients.tcp(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert again.recv(100).startswith(b"HTTP/1.1 200"), "the server has had time to begin with the poll as well"

        waiting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        waiting.close()
        m.complete_task(task_id)

        # Either the session is over, and the viewer joins again; or it goes on, and what came meanwhile is not lost.
        answer = session.get(url, timeout=10)
        assert answer.status_code == 400 or "completed" in answer.text


class ToldWhoCloses:
    """A store that notes which thread closes it."""

    def __init__(self) -> None:
        self._inner = MemoryStore()
        self.closed_by: list[threading.Thread] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def close(self) -> None:
        self.closed_by.append(threading.current_thread())
        self._inner.close()


def test_a_manager_that_is_collected_is_closed_by_a_thread_that_holds_no_locks() -> None:
    # The collector runs in whichever thread comes along, perhaps in the middle of what closing would wait for.
    store: Any = ToldWhoCloses()
    manager = ProgressManager(store=store)
    manager.create_task()

    del manager
    gc.collect()

    [closer] = eventually(lambda: store.closed_by)
    assert closer is not threading.current_thread()


def test_a_closed_manager_that_is_collected_leaves_a_shared_store_alone() -> None:
    store: Any = ToldWhoCloses()
    first = ProgressManager(store=store)
    first.create_task()
    first.close()
    second = ProgressManager(store=store)
    told: list[Any] = []
    second.subscribe(told.extend, lambda: None)

    del first
    gc.collect()

    second.create_task()
    assert len(told) == 1
    assert len(store.closed_by) == 1
    second.close()


def test_a_manager_that_is_used_again_after_it_was_closed_is_closed_again_when_collected() -> None:
    store: Any = ToldWhoCloses()
    manager = ProgressManager(store=store)
    manager.create_task()
    manager.close()
    manager.create_task()

    del manager
    gc.collect()

    eventually(lambda: len(store.closed_by) == 2)


def test_viewers_on_different_transports_watch_one_task_side_by_side(path: Path) -> None:
    history = History()
    with (
        gateway_server(path) as server,
        ProgressManager(store=f"sqlite:///{path}") as manager,
        Viewer(server.url, transport="websocket", name="by websocket", history=history) as one,
        Viewer(server.url, transport="polling", name="by polling", history=history) as other,
    ):
        task_id = manager.create_task(total=40)
        for viewer in (one, other):
            assert viewer.join(task_id, log_from=1)["ok"]
        for number in range(1, 41):
            manager.update_progress(task_id, completed=number)
            manager.add_log(task_id, f"line {number}")
            manager.get_task(task_id)
        manager.complete_task(task_id)

        for viewer in (one, other):
            assert viewer.end(task_id)["state"] == "completed"
            eventually(lambda viewer=viewer: viewer.lines() == list(range(1, 41)))
        history.check()
        assert "Traceback" not in server.log


def restored(path: Path, back_to: Path, manager: ProgressManager) -> None:
    before = manager.store.epoch()
    store_faults.replace(path, back_to)
    eventually(lambda: manager.store.epoch() != before)


def test_work_that_ended_after_the_backup_is_not_shown_as_running_for_ever(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with ProgressManager(store=SqliteStore(path), lease_s=0.5) as manager:
        with manager.task("by a block") as ended, manager.task("goes on") as running:
            by_calls = manager.create_task("by calls")
            manager.update_progress(by_calls, 10)
            manager.get_task(by_calls)
            store_faults.back_up(path, backup)
            with ended:
                ended.update(50)
            manager.complete_task(by_calls)

            restored(path, backup, manager)

            for task_id in (ended.task_id, by_calls):
                eventually(lambda task_id=task_id: manager.get_task(task_id).has_ended)
                task = manager.get_task(task_id)
                assert (task.state, task.error and task.error.code) == ("failed", "worker_lost")
            assert running.update(70)
        assert manager.get_task(running.task_id).state == "completed"


def waits_for(reporter: Reporter, gate: threading.Event) -> None:
    gate.wait(120)


def test_what_a_queue_has_done_since_the_backup_is_not_shown_as_waiting_for_ever(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    gates = [threading.Event() for _ in range(3)]
    with ProgressManager(store=SqliteStore(path), lease_s=0.5) as manager, LocalRunner(manager, workers=1) as runner:
        first, second, third = [runner.submit(waits_for, gate) for gate in gates]
        eventually(lambda: manager.get_task(first).state == "running")
        store_faults.back_up(path, backup)
        gates[0].set()
        gates[1].set()
        for task_id in (first, second):
            eventually(lambda task_id=task_id: manager.get_task(task_id).state == "completed")
        eventually(lambda: manager.get_task(third).state == "running")

        restored(path, backup, manager)

        for task_id in (first, second):
            eventually(lambda task_id=task_id: manager.get_task(task_id).state == "failed")
        gates[2].set()
        eventually(lambda: manager.get_task(third).has_ended)


def test_what_waits_in_a_queue_still_when_a_backup_is_restored_is_run(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    gates = [threading.Event() for _ in range(2)]
    with ProgressManager(store=SqliteStore(path), lease_s=0.5) as manager, LocalRunner(manager, workers=1) as runner:
        first, second = [runner.submit(waits_for, gate) for gate in gates]
        lost = manager.create_task(runner=runner.name)
        eventually(lambda: manager.get_task(first).state == "running")
        store_faults.back_up(path, backup)

        restored(path, backup, manager)

        # For longer than it takes to give up what is in no queue.
        eventually(lambda: manager.get_task(lost).state == "failed")
        assert manager.get_task(second).state == "pending"
        for gate in gates:
            gate.set()
        for task_id in (first, second):
            eventually(lambda task_id=task_id: manager.get_task(task_id).state == "completed")


def test_a_poll_that_is_sent_again_ends_the_session_instead_of_losing_what_it_was_answered(path: Path) -> None:
    # Browsers repeat a GET by themselves when a kept connection breaks before the answer; what a proxy had is lost.
    with gateway_server(path) as server, RawClients(server) as clients, ProgressManager(store=f"sqlite:///{path}") as m:
        task_id = m.create_task()
        session, url = clients.polling()
        session.post(url, data=f"40{NAMESPACE},", timeout=10)
        session.post(url, data=event("join", {"task_id": task_id}), timeout=10)
        assert session.get(f"{url}&t=one", timeout=10).status_code == 200
        assert session.get(f"{url}&t=two", timeout=10).status_code == 200

        assert session.get(f"{url}&t=two", timeout=10).status_code == 400

        assert session.get(f"{url}&t=three", timeout=10).status_code == 400


def test_who_had_joined_and_could_not_be_answered_again_still_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = house.manager.create_task()
    house.connect("ann")
    assert house.join("ann", task_id)["ok"]

    def refuse(_: object) -> None:
        raise StoreUnavailable("refused by the test")

    with monkeypatch.context() as patch:
        patch.setattr(house.manager.store, "get_many", refuse)
        house.hub.heal()
        assert house.join("ann", task_id)["error"]["code"] == "unavailable"
    house.manager.complete_task(task_id)
    house.settle()

    house.history.check()

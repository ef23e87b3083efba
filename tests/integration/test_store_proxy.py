"""Child processes on a store that only their parent has."""

from __future__ import annotations

import logging
import multiprocessing
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headway.model.errors import StoreError, StoreUnavailable, TaskExists
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.memory import MemoryStore
from headway.stores.proxy import ProxyStore
from headway.stores.proxy_channel import Channel
from headway.stores.proxy_server import StoreServer
from tests.helpers import eventually


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def server(store: MemoryStore) -> Iterator[StoreServer]:
    server = StoreServer(store)
    yield server
    server.close()
    server.close()


def a_task(task_id: str = "task-1") -> Task:
    return Task(task_id=task_id, created_at=1_800_000_000.0)


def work(store: ProxyStore) -> None:
    """What a child does: it watches, and answers what the parent does to the task."""
    cancelled = threading.Event()
    store.subscribe(lambda tasks: cancelled.set() if tasks[-1].message == "stop" else None, lambda: None)
    task = store.create(a_task())
    if not cancelled.wait(30):
        raise SystemExit("not told within 30 s")
    task = store.get("task-1")
    store.swap(Swap(task, task.cancelled(store.now())))
    try:
        store.create(a_task())
    except TaskExists as error:
        if error.task_id != "task-1":
            raise
    store.close()


def test_a_child_process_works_on_its_parents_store(store: MemoryStore, server: StoreServer) -> None:
    told: list[Task] = []
    store.subscribe(told.extend, lambda: None)
    child = multiprocessing.get_context("spawn").Process(target=work, args=(ProxyStore(server.address, server.key),))
    child.start()
    eventually(lambda: told, timeout=30)

    task = store.get("task-1")
    store.swap(Swap(task, replace(task, message="stop")))

    child.join(30)
    assert child.exitcode == 0
    assert store.get("task-1").state == "cancelled"
    assert [task.state for task in told] == ["pending", "pending", "cancelled"]


def test_who_does_not_know_the_key_is_shown_the_door(server: StoreServer) -> None:
    stranger = Channel.connect(server.address, b"x" * 32)
    stranger_without = socket.socket(socket.AF_UNIX)
    stranger_without.connect(server.address)

    with pytest.raises(EOFError):
        stranger.receive()

    stranger.hang_up()
    stranger_without.close()
    friend = ProxyStore(server.address, server.key)
    assert friend.epoch()
    friend.close()


def test_only_this_user_may_enter_the_folder_of_the_address(server: StoreServer) -> None:
    folder = Path(server.address).parent

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    server.close()
    assert not folder.exists()


def test_a_parent_that_is_gone_is_an_unavailable_store(server: StoreServer) -> None:
    proxy = ProxyStore(server.address, server.key)
    proxy.create(a_task())

    server.close()

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            proxy.get("task-1")
    proxy.close()


def test_the_key_shows_in_no_text(server: StoreServer) -> None:
    proxy = ProxyStore(server.address, server.key)

    assert proxy.url is None
    assert repr(server.key) not in repr(proxy)
    assert server.key.hex() not in repr(proxy)


def test_what_goes_wrong_in_the_parent_is_told_to_both(server: StoreServer, caplog: pytest.LogCaptureFixture) -> None:
    channel = Channel.connect(server.address, server.key)
    with caplog.at_level(logging.ERROR):
        channel.send(("close", (), {}))
        refused = channel.receive()
        channel.send(("get", (), {}))
        failed = channel.receive()
    channel.hang_up()

    assert refused[0] is False
    assert isinstance(refused[1], StoreError)
    assert failed[0] is False
    assert "TypeError" in str(failed[1])
    assert "a child's call of get failed" in caplog.text


def test_many_threads_share_a_few_connections(server: StoreServer) -> None:
    proxy = ProxyStore(server.address, server.key)
    proxy.create(a_task())

    def read() -> None:
        for _ in range(50):
            assert proxy.get("task-1").task_id == "task-1"

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert proxy.get_many(["task-1"])
    proxy.close()

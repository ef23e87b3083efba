"""A Redis store when Redis is stopped, emptied, read-only or forgetful; and what it leaves in Redis."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis as client

from headway import ProgressManager
from headway.compose import open_store
from headway.model.errors import InvalidValue, StoreError, StoreUnavailable, TaskNotFound
from headway.model.ports import Swap, TaskQuery
from headway.model.task import Task
from headway.stores.redis import RedisStore
from headway.stores.redis_address import Address
from headway.stores.redis_client import RedisClient
from tests.helpers import ROOT, eventually, free_port
from tests.redis_server import RedisServer

Open = Callable[..., RedisStore]


@pytest.fixture
def open_redis(redis_server: RedisServer) -> Iterator[Open]:
    opened: list[RedisStore] = []

    def opening(query: str = "") -> RedisStore:
        opened.append(RedisStore(redis_server.url + query))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(open_redis: Open) -> RedisStore:
    return open_redis()


@pytest.fixture
def direct(redis_server: RedisServer) -> Iterator[Any]:
    """Redis without Headway."""
    connection = client.Redis.from_url(redis_server.url, decode_responses=True)
    yield connection
    connection.close()


class Watcher:
    """What a subscriber was told."""

    def __init__(self, store: RedisStore) -> None:
        self.tasks: list[Task] = []
        self.resets = 0
        store.subscribe(self.tasks.extend, self._reset)

    def _reset(self) -> None:
        self.resets += 1


def a_task(task_id: str = "task-1", created_at: float = 1_800_000_000.0) -> Task:
    return Task(task_id=task_id, created_at=created_at)


def changed(store: RedisStore, task: Task, message: str) -> Task:
    stored = store.swap(Swap(task, replace(task, message=message)))
    assert stored is not None
    return stored


def completed(store: RedisStore, task: Task) -> Task:
    stored = store.swap(Swap(task, task.completing(store.now(), result="1", message=None)))
    assert stored is not None
    return stored


# --- What it leaves in Redis -----------------------------------------------------------------------------------------


def test_constructing_connects_to_nothing() -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0")

    assert abs(store.now() - store.now()) < 60
    store.close()


def test_all_keys_are_under_the_prefix_and_a_tasks_share_one_slot(open_redis: Open, direct: Any) -> None:
    store = open_redis("?prefix=my-app")
    task = store.create(a_task("a"))
    store.swap(Swap(task, replace(task, holder="h", log_count=1, has_large_result=True), (), '"x"'))
    store.delete_task(completed(store, store.create(a_task("b"))).task_id)

    keys = direct.keys()

    assert keys
    assert [key for key in keys if not key.startswith(("{my-app}:", "{my-app:"))] == []
    of_task = [key for key in keys if key.startswith("{my-app:a}")]
    assert len(of_task) == 2
    assert len({client.cluster.key_slot(key.encode()) for key in of_task}) == 1


def test_two_prefixes_are_two_stores(open_redis: Open) -> None:
    one, other = open_redis("?prefix=one"), open_redis("?prefix=other")
    watcher = Watcher(other)
    one.create(a_task())
    other.create(a_task("mine"))

    eventually(lambda: watcher.tasks)
    assert [task.task_id for task in watcher.tasks] == ["mine"]
    assert one.epoch() != other.epoch()
    with pytest.raises(TaskNotFound):
        other.get("task-1")


def test_a_deleted_task_leaves_a_tombstone_that_expires(store: RedisStore, direct: Any) -> None:
    store.delete_task(completed(store, store.create(a_task("b"))).task_id)

    left = [key for key in direct.scan_iter() if ":b}" in key or direct.type(key) == "zset"]

    assert left == ["{headway:b}:gone"]
    assert 0 < direct.ttl(left[0]) <= 86_400


def test_retention_lets_redis_forget_what_has_ended(open_redis: Open, direct: Any) -> None:
    store = open_redis("?retention_s=100")
    task = store.create(a_task())
    assert direct.ttl("{headway:task-1}:task") == -1

    done = completed(store, task)
    assert 0 < direct.ttl("{headway:task-1}:task") <= 100

    store.swap(Swap(done, replace(done, state="pending", finished_at=None, attempt=2)))
    assert direct.ttl("{headway:task-1}:task") == -1


def test_what_has_expired_leaves_the_indexes(open_redis: Open, direct: Any) -> None:
    store = open_redis("?retention_s=100")
    task = store.create(a_task(created_at=store.now() - 50_000))
    store.swap(Swap(task, task.completing(store.now() - 40_000, result=None, message=None)))
    direct.delete("{headway:task-1}:task")  # As if its time had come.

    watcher = Watcher(store)

    eventually(lambda: not [key for key in direct.scan_iter() if direct.type(key) == "zset"])
    assert watcher.resets == 0


def test_an_index_entry_without_a_task_is_left_out_and_tidied_up(store: RedisStore, direct: Any) -> None:
    store.create(a_task("here"))
    direct.zadd("{headway}:state:pending", {"long-gone": 1_700_000_000.0, "being-made": store.now()})
    direct.zadd("{headway}:state:failed", {"here": 1_800_000_000.0})

    assert [task.task_id for task in store.list(TaskQuery())] == ["here"]
    assert store.list(TaskQuery(states=("failed",))).tasks == ()
    assert direct.zrange("{headway}:state:pending", 0, -1) == ["being-made", "here"]


def test_a_page_of_many_created_in_one_instant_is_whole(store: RedisStore) -> None:
    made = {store.create(a_task(f"task-{number:03}")).task_id for number in range(120)}
    found: list[str] = []
    query = TaskQuery(limit=7)
    while True:
        page = store.list(query)
        found += [task.task_id for task in page]
        if page.next_cursor is None:
            break
        query = replace(query, cursor=page.next_cursor)

    assert found == sorted(made, reverse=True)


def test_a_tick_of_many_tasks_is_one_round_trip(store: RedisStore, direct: Any) -> None:
    tasks = [store.create(a_task(f"task-{number}")) for number in range(300)]
    running = store.swap_many([Swap(task, task.starting(1.0, holder="h")) for task in tasks])
    swaps = [Swap(task, replace(task, message="tick")) for task in running if task is not None]
    sent: list[int] = []
    run = store._client._sent
    store._client._sent = lambda commands: sent.append(len(commands)) or run(commands)  # type: ignore[method-assign]

    assert all(store.swap_many(swaps))

    assert sent == [300]


def test_a_tick_asks_redis_for_nothing_but_the_swaps(store: RedisStore, direct: Any) -> None:
    tasks = [store.create(a_task(f"task-{number}")) for number in range(1_000)]
    running = store.swap_many([Swap(task, task.starting(1.0, holder="h")) for task in tasks])
    swaps = [Swap(task, replace(task, message="tick")) for task in running if task is not None]
    direct.config_resetstat()

    assert all(store.swap_many(swaps))

    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in direct.info("commandstats").items()}
    # What a script does itself is counted as well.
    assert [calls.pop(name) for name in ("evalsha", "hmget", "hset", "publish")] == [1_000] * 4
    assert calls.keys() <= {"config|resetstat", "info"}


def test_a_worker_with_a_thousand_active_tasks_makes_one_round_trip_a_tick(
    redis_server: RedisServer, open_redis: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = open_redis()
    sent: list[int] = []
    run = RedisClient._sent

    def counted(self: RedisClient, commands: Any) -> Any:
        sent.append(len(commands))
        return run(self, commands)

    with ProgressManager(store=redis_server.url) as manager:
        tasks = [manager.create_task() for _ in range(1_000)]
        for task_id in tasks:
            manager.update_progress(task_id, progress=1)
        eventually(lambda: {task.progress for task in stored.get_many(tasks).values()} == {1})
        # Redis holds its breath, so that all of them have news when the next tick comes.
        os.kill(redis_server.pid, signal.SIGSTOP)
        try:
            monkeypatch.setattr(RedisClient, "_sent", counted)
            for n in (2, 3):
                for task_id in tasks:
                    manager.update_progress(task_id, progress=n)
        finally:
            os.kill(redis_server.pid, signal.SIGCONT)
        eventually(lambda: {task.progress for task in stored.get_many(tasks).values()} == {3})

    # What the first tick took when Redis stopped is on its way already; all the rest goes together.
    assert max(sent) > 900


def test_the_stores_time_is_rediss(redis_server: RedisServer) -> None:
    class Slow:
        def time(self) -> float:
            return 1_000.0

        def monotonic(self) -> float:
            return 1_000.0

    store = RedisStore(redis_server.url, clock=Slow())
    other = RedisStore(redis_server.url)

    created = store.create(a_task())

    assert abs(store.now() - other.now()) < 60
    assert abs(created.rev / 1000 - other.now()) < 60
    store.close()
    other.close()


# --- When Redis is not well ------------------------------------------------------------------------------------------


def test_without_redis_everything_is_unavailable() -> None:
    store = RedisStore(f"redis://:hunter2@127.0.0.1:{free_port()}/0")

    calls: list[Callable[[], object]] = [
        lambda: store.get("task-1"),
        lambda: store.create(a_task()),
        lambda: store.swap_many([Swap(a_task(), a_task())]),
        lambda: store.list(TaskQuery()),
        lambda: store.held(),
        lambda: store.epoch(),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match="can't be reached") as caught:
            call()
        assert "hunter2" not in str(caught.value)
    store.close()


def test_a_redis_that_comes_back_is_used_again_and_watchers_read_again(
    store: RedisStore, redis_server: RedisServer
) -> None:
    old = store.create(a_task())
    watcher = Watcher(store)

    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        changed(store, old, "lost")
    redis_server.start()

    eventually(lambda: watcher.resets)
    assert store.epoch() != old.epoch
    store.create(a_task("new"))
    eventually(lambda: [task.task_id for task in watcher.tasks][-1:] == ["new"])
    other = RedisStore(redis_server.url)
    other.create(a_task("from-elsewhere"))
    eventually(lambda: [task.task_id for task in watcher.tasks][-1:] == ["from-elsewhere"])
    other.close()


def test_an_emptied_redis_is_another_history(store: RedisStore, redis_server: RedisServer) -> None:
    old = store.create(a_task())
    watcher = Watcher(store)

    redis_server.flush()

    eventually(lambda: watcher.resets)
    assert store.epoch() != old.epoch
    assert store.swap(Swap(old, replace(old, message="no"))) is None
    assert store.create(a_task()).epoch == store.epoch()


def test_lost_connections_are_made_again_without_a_word(store: RedisStore, direct: Any) -> None:
    task = store.create(a_task())
    watcher = Watcher(store)

    for number in range(5):
        direct.client_kill_filter(_type="normal", skipme=True)
        task = changed(store, task, str(number))

    assert store.get("task-1").message == "4"
    direct.client_kill_filter(_type="pubsub")
    eventually(lambda: watcher.resets == 1)


def test_a_swap_that_is_sent_twice_is_done_once(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    task = store.create(a_task())
    run = store._client._sent

    def twice(commands: Any) -> Any:
        run(commands)
        return run(commands)

    # As after a connection that broke before the answer came.
    monkeypatch.setattr(store._client, "_sent", twice)
    again = changed(store, task, "once")
    created = store.create(a_task("task-2"))

    assert store.get("task-1") == replace(again, server_time=None)
    assert created.task_id == "task-2"


def test_scripts_are_loaded_again_where_redis_forgot_them(store: RedisStore, direct: Any) -> None:
    task = store.create(a_task())
    direct.script_flush()

    assert changed(store, task, "still").message == "still"


def test_a_redis_without_memory_is_unavailable_until_it_has_some(store: RedisStore, direct: Any) -> None:
    task = store.create(a_task())
    direct.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable, match="refuses"):
            changed(store, task, "no room")
        assert store.get("task-1").message == ""
    finally:
        direct.config_set("maxmemory", "0")

    assert changed(store, task, "room").message == "room"


def test_a_key_of_another_program_is_called_so(store: RedisStore, direct: Any) -> None:
    direct.set("{headway:task-1}:task", "not ours")

    with pytest.raises(StoreError, match="can't do that") as caught:
        store.get("task-1")

    assert not isinstance(caught.value, StoreUnavailable)


def test_who_watches_a_redis_that_is_away_is_told_once_it_is_there(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()
    store = RedisStore(redis_server.url)
    with caplog.at_level(logging.WARNING):
        watcher = Watcher(store)
        redis_server.start()
        eventually(lambda: watcher.resets == 1)

    assert "can't be seen for now" in caplog.text
    store.create(a_task())
    assert [task.task_id for task in watcher.tasks] == ["task-1"]
    store.close()


FORK = """
import os, sys, threading
from headway.model.task import Task
from headway.stores.redis import RedisStore
store = RedisStore(sys.argv[1])
told = []
store.subscribe(told.extend, lambda: None)
store.create(Task(task_id="before", created_at=1.0))
child = os.fork()
if not child:
    store.create(Task(task_id="child", created_at=1.0))
    own = []
    store.subscribe(own.extend, lambda: None)
    store.create(Task(task_id="child-again", created_at=1.0))
    ok = [task.task_id for task in own] == ["child-again"]
    store.close()
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0
store.create(Task(task_id="parent", created_at=1.0))
for _ in range(500):
    if {task.task_id for task in told} >= {"before", "child", "child-again", "parent"}:
        break
    threading.Event().wait(0.01)
else:
    sys.exit(f"told only of {told}")
store.close()
"""


@pytest.mark.parametrize("patch", ["", "from gevent import monkey; monkey.patch_all()"], ids=["threads", "gevent"])
def test_a_forked_child_has_connections_and_subscribers_of_its_own(redis_server: RedisServer, patch: str) -> None:
    options = ["-W", "ignore::DeprecationWarning"]
    command = [sys.executable, *options, "-c", f"{patch}\n{FORK}", redis_server.url]

    subprocess.run(command, check=True, cwd=ROOT, timeout=60, env=os.environ)


def test_threads_race_for_one_rev_over_two_connections(open_redis: Open) -> None:
    one, other = open_redis(), open_redis()
    one.create(a_task())

    def add(store: RedisStore) -> None:
        for _ in range(25):
            while True:
                old = store.get("task-1")
                if store.swap(Swap(old, replace(old, completed=(old.completed or 0) + 1))):
                    break

    threads = [threading.Thread(target=add, args=(store,)) for store in (one, one, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert one.get("task-1").completed == 100


# --- The URL ---------------------------------------------------------------------------------------------------------


def test_urls_of_redis_and_valkey_open_the_same_store(redis_server: RedisServer) -> None:
    for scheme in ("redis", "valkey"):
        store = open_store(f"{scheme}://127.0.0.1:{redis_server.port}/0?prefix=x")
        assert isinstance(store, RedisStore)
        assert store.epoch() == store.epoch()
        store.close()


def test_a_url_is_read_whole() -> None:
    address = Address.parse(
        "valkeys://me:secret@db.example:6380/0?prefix=p&retention_s=60&cluster=yes&socket_timeout=1"
    )

    assert address.url == "rediss://me:secret@db.example:6380/0?socket_timeout=1"
    assert (address.prefix, address.retention_s, address.is_cluster) == ("p", 60.0, True)
    assert "secret" not in address.shown
    assert Address.parse("redis://:p%40x@localhost/3").client_options()["password"] == "p@x"
    assert Address.parse("unix:///run/redis.sock?db=1").url == "unix:///run/redis.sock?db=1"


@pytest.mark.parametrize(
    "query", ["?prefix=", "?prefix=a b", "?prefix=a*", "?retention_s=0", "?retention_s=1d", "?cluster=maybe", "?db=x"]
)
def test_a_url_that_makes_no_sense_is_refused(query: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        RedisStore(f"redis://localhost/0{query}")

    assert caught.value.field == "store"


def test_a_store_that_is_closed_while_it_listens_says_nothing(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        store = RedisStore(redis_server.url)
        end = store.subscribe(lambda tasks: None, lambda: None)
        end()
        store.close()

    assert [record.message for record in caplog.records] == []


def test_only_what_is_watched_is_asked_of_redis(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    try:
        following = store.subscribe(lambda tasks: None, lambda: None, selective=True)
        assert redis_server.ask("PUBSUB NUMPAT") == ":0\r\n"

        following.watch("watched")
        eventually(lambda: "headway:change:watched" in redis_server.ask("PUBSUB CHANNELS headway:change:*"))

        following.unwatch("watched")
        eventually(lambda: redis_server.ask("PUBSUB CHANNELS headway:change:*") == "*0\r\n")
    finally:
        store.close()

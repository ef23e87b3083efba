"""A Redis Cluster of three nodes: what only several of them can do. The store's contract is kept on one by
tests/contract/test_stores.py."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis as client

from headway import ProgressManager
from headway.model.errors import InvalidValue, StoreUnavailable, TaskNotFound
from headway.model.ports import Swap, TaskQuery
from headway.model.task import Task
from headway.stores.redis import RedisStore
from tests.chaos.inside import House
from tests.helpers import eventually, free_port
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer

INDEXES = "{headway}:epoch"


@pytest.fixture(params=[30.0])
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RedisCluster]:
    started = RedisCluster(tmp_path, gives_up_after_s=request.param, save="3600 1").start()
    yield started
    started.kill()


@pytest.fixture
def store(cluster: RedisCluster) -> Iterator[RedisStore]:
    opened = RedisStore(cluster.url)
    yield opened
    opened.close()


def key_of(task_id: str) -> str:
    return f"{{headway:{task_id}}}:task"


def id_on(cluster: RedisCluster, node: RedisServer) -> str:
    return next(name for n in range(1_000) if cluster.node_of(key_of(name := f"task-{n}")) is node)


def calls(cluster: RedisCluster) -> dict[str, int]:
    """How often all nodes together were asked for each command."""
    counted: dict[str, int] = {}
    for node in cluster.nodes:
        with client.Redis.from_url(node.url, decode_responses=True) as connection:
            for name, stat in connection.info("commandstats").items():
                counted[name.removeprefix("cmdstat_")] = counted.get(name.removeprefix("cmdstat_"), 0) + stat["calls"]
    return counted


def test_a_tick_asks_the_nodes_for_nothing_but_the_swaps(cluster: RedisCluster, store: RedisStore) -> None:
    """redis-py's own pipeline asks for the keys of each script: a round trip a task."""
    tasks = [store.create(Task(task_id=f"task-{n}", created_at=1.0)) for n in range(300)]
    assert all(store.swap_many([Swap(task, replace(task, message="first")) for task in tasks]))  # Loads the scripts.
    tasks = list(store.get_many([task.task_id for task in tasks]).values())
    before = calls(cluster)

    assert all(store.swap_many([Swap(task, replace(task, message="next")) for task in tasks]))

    after = calls(cluster)
    assert after["evalsha"] - before["evalsha"] == 300
    # What the scripts do themselves counts as well; and the test looks at the nodes.
    of_the_script = {"evalsha", "hmget", "hset", "publish", "info", "hello", "client|setinfo"}
    assert {name for name in after if after[name] != before.get(name, 0)} <= of_the_script


def test_a_task_is_not_stored_while_the_node_of_the_indexes_is_away(cluster: RedisCluster, tmp_path: Path) -> None:
    """Else no list would ever show it, and nobody would notice that its worker is gone."""
    indexes = cluster.node_of(INDEXES)
    elsewhere = id_on(cluster, next(node for node in cluster.nodes if node is not indexes))
    store = RedisStore(f"{cluster.url}&socket_timeout=0.3")
    store.create(Task(task_id="before", created_at=1.0))
    indexes.ask("SAVE")

    os.kill(indexes.pid, signal.SIGSTOP)
    with pytest.raises(StoreUnavailable):
        store.create(Task(task_id=elsewhere, created_at=2.0))
    indexes.kill()
    indexes.start()

    def listed() -> list[str] | None:
        try:
            return [task.task_id for task in store.list(TaskQuery())]
        except StoreUnavailable:
            return None  # The cluster has not yet agreed that the node is back.

    assert eventually(listed, 20) == ["before"]
    with pytest.raises(TaskNotFound):
        store.get(elsewhere)
    store.close()


def test_a_closed_store_has_left_its_connections(cluster: RedisCluster) -> None:
    def connections() -> list[str]:
        return [node.info("clients", "connected_clients") for node in cluster.nodes]

    before = connections()
    store = RedisStore(cluster.url)
    for n in range(30):
        store.create(Task(task_id=f"task-{n}", created_at=1.0))
    assert connections() != before

    store.close()

    assert eventually(lambda: connections() == before)


@pytest.mark.parametrize("cluster", [2.0], indirect=True)
def test_a_replica_stands_in_for_a_node_that_died_and_viewers_see_the_end(
    cluster: RedisCluster, tmp_path: Path
) -> None:
    dying = cluster.node_of(INDEXES)
    replica = cluster.add_replica(dying, tmp_path / "replica")
    with ProgressManager(store=cluster.url) as worker, closing(House(ProgressManager(store=cluster.url))) as house:
        house.connect("viewer")
        tasks = [worker.create_task() for _ in range(30)]
        for task_id in tasks:
            house.join("viewer", task_id)

        def shows(progress: float, *, healing: bool = True) -> bool:
            """Messages may get lost between the nodes while these lose and find each other: that is what healing is
            for."""
            if healing:
                house.hub.heal()
            house.driver.turn()
            seen = {event["task_id"]: event["payload"] for event in house.history.events if event["kind"] == "progress"}
            return {seen[task_id]["progress"] for task_id in tasks} == {progress}

        for task_id in tasks:
            worker.update_progress(task_id, progress=10)
        eventually(lambda: shows(10))
        eventually(lambda: replica.has_all_of(dying))  # Redis acknowledges before that.

        dying.kill()
        for task_id in tasks:
            assert worker.update_progress(task_id, progress=20)

        eventually(lambda: shows(20), 60)
        for task_id in tasks:
            assert worker.complete_task(task_id)
        eventually(lambda: shows(100))
        house.history.check()

        # And hears of changes again without looking.
        tasks = [worker.create_task()]
        house.join("viewer", tasks[0])
        steps = iter(range(1, 100))

        def is_heard() -> bool:
            step = next(steps)
            worker.update_progress(tasks[0], progress=step)
            return bool(eventually(lambda: shows(step, healing=False), 1))

        eventually(is_heard)


def test_a_slot_that_moves_to_another_node_is_followed(cluster: RedisCluster, store: RedisStore) -> None:
    source, target = cluster.nodes[0], cluster.nodes[1]
    task_id = id_on(cluster, source)
    task = store.create(Task(task_id=task_id, created_at=1.0))

    cluster.begin_to_move(key_of(task_id), target)
    assert store.get(task_id).task_id == task_id  # Not gone yet.
    cluster.move(key_of(task_id), target)

    moved = store.swap(Swap(task, replace(task, message="there")))
    assert moved is not None
    assert store.get(task_id).message == "there"


def test_who_creates_a_task_in_a_slot_that_is_just_moving_is_told(cluster: RedisCluster, store: RedisStore) -> None:
    """A script with several keys can't run there before all of them have moved: Redis says 'try again'."""
    source, target = cluster.nodes[0], cluster.nodes[1]
    task_id = id_on(cluster, source)
    store.epoch()

    cluster.begin_to_move(key_of(task_id), target)
    with pytest.raises(StoreUnavailable, match="refuses"):
        store.create(Task(task_id=task_id, created_at=1.0))
    cluster.move(key_of(task_id), target)

    assert store.create(Task(task_id=task_id, created_at=1.0)).task_id == task_id


def test_a_cluster_that_is_not_there_is_unavailable_and_its_store_is_closed_all_the_same() -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0?cluster=yes")

    with pytest.raises(StoreUnavailable, match="can't be reached"):
        store.epoch()

    store.close()


@pytest.mark.parametrize("url", ["redis://localhost/1?cluster=yes", "unix:///run/redis.sock?cluster=yes"])
def test_a_cluster_has_one_database_and_no_file(url: str) -> None:
    with pytest.raises(InvalidValue, match="one database"):
        RedisStore(url)

"""Several gateways on one Redis: `headway gateway --store redis://…`, each in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis as client

from headway import ProgressManager, StoreUnavailable
from tests.helpers import ServerProcess, eventually
from tests.integration.audience import Audience
from tests.integration.cli_process import Cli
from tests.redis_server import RedisServer

VIEWERS = 120
TASKS = 10
BARS_DELAY_S = 3.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Keeps what is stored over `stop` and `start`, and over `kill` what was there when it was asked to SAVE."""
    server = RedisServer(tmp_path, save="3600 1").start()
    yield server
    server.kill()


@pytest.fixture
def open_gateway(redis: RedisServer, tmp_path: Path) -> Iterator[Callable[[], ServerProcess]]:
    cli = Cli(tmp_path)
    with ExitStack() as running:

        def opening() -> ServerProcess:
            command = cli.command("gateway", "--store", redis.url, "--port", "{port}")
            return running.enter_context(ServerProcess(*command, env=cli.env, cwd=tmp_path))

        yield opening


@pytest.fixture
def manager(redis: RedisServer) -> Iterator[ProgressManager]:
    with ProgressManager(store=redis.url) as opened:
        yield opened


def test_any_viewer_may_be_on_any_gateway(manager: ProgressManager, open_gateway: Callable[[], ServerProcess]) -> None:
    gateways = [open_gateway(), open_gateway()]
    tasks = [manager.create_task(), manager.create_task()]

    with Audience([gateway.port for gateway in gateways], [tasks[0], tasks[0], tasks[1]], 12) as audience:
        eventually(lambda: audience.joined() == 12)
        for n in range(1, 30):
            for task_id in tasks:
                manager.update_progress(task_id, progress=n)
        for task_id in tasks:
            manager.complete_task(task_id)

        eventually(lambda: audience.have_ended() == 12)
    audience.history.check()


def test_a_gateway_asks_redis_only_for_what_its_own_viewers_watch(
    redis: RedisServer, open_gateway: Callable[[], ServerProcess]
) -> None:
    first, second = open_gateway(), open_gateway()
    with ProgressManager(store=redis.url) as creating:
        tasks = [creating.create_task() for _ in range(3)]

    with Audience([first.port], [tasks[0]], 3), Audience([second.port], [tasks[1]], 3):
        eventually(lambda: listeners(redis, tasks) == [1, 1, 0])
        assert redis.ask("PUBSUB NUMPAT") == ":0\r\n"

    eventually(lambda: listeners(redis, tasks) == [0, 0, 0])


def test_the_viewers_of_a_gateway_killed_under_work_are_back_on_another_and_see_the_end(
    redis: RedisServer, manager: ProgressManager, open_gateway: Callable[[], ServerProcess]
) -> None:
    """kill -9 while all tasks are reported; `make bench-scale` does it to 1,000 viewers."""
    doomed, other = open_gateway(), open_gateway()
    tasks = [manager.create_task() for _ in range(TASKS)]
    ended_meanwhile, rest = tasks[: TASKS // 2], tasks[TASKS // 2 :]
    all_are_back = threading.Event()

    def work() -> None:
        percent = 0.0
        while not all_are_back.wait(0.02):
            percent = min(percent + 0.1, 98)
            for task_id in rest:
                manager.update_progress(task_id, progress=percent)

    with Audience([doomed.port, other.port], tasks, VIEWERS, delay_s=BARS_DELAY_S) as audience:
        eventually(lambda: audience.joined() == VIEWERS, 30)
        moving = [viewer for viewer in audience.viewers if viewer.port == doomed.port]
        assert len(moving) == VIEWERS // 2
        working = threading.Thread(target=work)
        working.start()
        try:
            eventually(lambda: all((state.get("progress") or 0) > 0 for state in audience.last()[TASKS // 2 : TASKS]))
            before = reads(redis)
            doomed.kill()
            for task_id in ended_meanwhile:
                manager.complete_task(task_id)
            eventually(lambda: audience.at(other.port) == VIEWERS, 30)
            asked = reads(redis) - before
        finally:
            all_are_back.set()
            working.join(10)
        eventually(lambda: audience.have_ended() == VIEWERS // 2)
        # Each has joined twice: where it was, and where it is.
        assert {viewer.connects for viewer in moving} == {2}
        # What they ask of the store is bounded: a read for each, beside what the other gateway compares all the time.
        assert asked <= len(moving) * 2 + 100
        for task_id in rest:
            manager.complete_task(task_id)
        eventually(lambda: audience.have_ended() == VIEWERS)
    audience.history.check()


def test_while_redis_is_away_work_goes_on_and_pages_are_told_and_then_everything_heals(
    redis: RedisServer, manager: ProgressManager, open_gateway: Callable[[], ServerProcess]
) -> None:
    gateways = [open_gateway(), open_gateway()]
    plain = manager.create_task()
    is_away, may_end = threading.Event(), threading.Event()
    raised: list[BaseException] = []
    ids: list[str] = []

    def work() -> None:
        try:
            with manager.task("Import", total=1_000) as task:
                ids.append(task.task_id)
                task.advance(10)
                is_away.wait(60)
                task.advance(490)
                may_end.wait(60)
                task.advance(500)
        except StoreUnavailable as error:
            raised.append(error)

    working = threading.Thread(target=work)
    working.start()
    eventually(lambda: ids)
    with Audience([gateway.port for gateway in gateways], [plain, ids[0]], 20) as audience:
        eventually(lambda: audience.joined() == 20)
        manager.update_progress(plain, progress=10)
        eventually(lambda: {state.get("progress") for state in audience.last()} == {10, 1})

        redis.stop()
        is_away.set()
        for n in range(11, 50):
            assert manager.update_progress(plain, progress=n)
        eventually(lambda: audience.were_told("unavailable") == 20, 30)
        with pytest.raises(StoreUnavailable):
            manager.fail_task(plain, "no")
        may_end.set()
        working.join(30)
        assert not working.is_alive()
        # The caller has heard of it; and as the work is over, its end is tried again all the same.
        assert [type(error) for error in raised] == [StoreUnavailable]
        redis.start()

        eventually(lambda: {state.get("progress") for state in audience.last()} == {49, 100}, 30)
        assert manager.complete_task(plain)
        eventually(lambda: audience.have_ended() == 20)
        assert {state["state"] for state in audience.last()} == {"completed"}
    audience.history.check()


def test_viewers_of_a_redis_that_was_emptied_begin_with_the_new_history(
    redis: RedisServer, manager: ProgressManager, open_gateway: Callable[[], ServerProcess]
) -> None:
    gateway = open_gateway()
    task_id = manager.create_task(task_id="the-same-id", public=True)

    with Audience([gateway.port], [task_id], 5) as audience:
        manager.update_progress(task_id, progress=60)
        eventually(lambda: {state.get("progress") for state in audience.last()} == {60})
        epoch = audience.last()[0]["epoch"]

        # Else it might look in between, and rightly tell them that there is no such task.
        os.kill(gateway.pid, signal.SIGSTOP)
        redis.flush()
        with ProgressManager(store=redis.url) as other:
            other.create_task(task_id=task_id, public=True)
            os.kill(gateway.pid, signal.SIGCONT)
            other.update_progress(task_id, progress=5)

            eventually(lambda: {state.get("progress") for state in audience.last()} == {5})
            assert epoch not in {state["epoch"] for state in audience.last()}
            other.complete_task(task_id)
            eventually(lambda: audience.have_ended() == 5)
    audience.history.check()


def test_after_a_fail_over_that_lost_the_last_writes_viewers_move_on(
    redis: RedisServer, manager: ProgressManager, open_gateway: Callable[[], ServerProcess]
) -> None:
    gateways = [open_gateway(), open_gateway()]
    task_id = manager.create_task()

    with Audience([gateway.port for gateway in gateways], [task_id], 10) as audience:
        eventually(lambda: audience.joined() == 10)
        manager.update_progress(task_id, progress=10)
        eventually(lambda: {state.get("progress") for state in audience.last()} == {10})
        redis.ask("SAVE")
        for n in (20, 30, 40):
            manager.update_progress(task_id, progress=n)
            eventually(lambda n=n: {state.get("progress") for state in audience.last()} == {n})  # type: ignore[misc]

        redis.kill()
        redis.start()
        manager.update_progress(task_id, progress=50)

        eventually(lambda: {state.get("progress") for state in audience.last()} == {50}, 30)
        manager.complete_task(task_id)
        eventually(lambda: audience.have_ended() == 10)
    audience.history.check()


def test_an_end_that_a_fail_over_lost_is_written_again(
    redis: RedisServer, manager: ProgressManager, open_gateway: Callable[[], ServerProcess]
) -> None:
    gateway = open_gateway()
    task_id = manager.create_task()
    manager.update_progress(task_id, progress=10)
    manager.get_task(task_id)

    with Audience([gateway.port], [task_id], 2) as audience:
        redis.ask("SAVE")
        manager.complete_task(task_id, result=7)
        eventually(lambda: audience.have_ended() == 2)
        redis.kill()
        redis.start()

        with ProgressManager(store=redis.url) as other:
            eventually(lambda: other.get_task(task_id).state == "completed")
            assert other.get_result(task_id) == 7
    audience.history.check()


def listeners(redis: RedisServer, task_ids: list[str]) -> list[int]:
    with client.Redis.from_url(redis.url, decode_responses=True) as connection:
        return [count for _, count in connection.pubsub_numsub(*(f"headway:change:{task_id}" for task_id in task_ids))]


def reads(redis: RedisServer) -> int:
    """How many tasks Redis was asked for: each by an HMGET. A swap's script makes one, too."""
    with client.Redis.from_url(redis.url, decode_responses=True) as connection:
        stats = connection.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
    return int(calls.get("hmget", 0)) - int(calls.get("evalsha", 0))

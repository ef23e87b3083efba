"""A real fail-over: the primary is killed with writes that its replica never got, and the replica is promoted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from headway import ProgressManager, TaskNotFound
from headway.core import slots
from tests.helpers import ServerProcess, eventually
from tests.integration.audience import Audience
from tests.integration.cli_process import Cli
from tests.integration.switch import Switch
from tests.redis_server import RedisServer

VIEWERS = 20


@dataclass
class Pair:
    """`url` leads to the primary, and after the fail-over to what was its replica."""

    primary: RedisServer
    replica: RedisServer
    address: Switch
    link: Switch

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.address.port}/0"

    def replicate(self) -> None:
        """Until the replica has all that was written."""
        eventually(lambda: self.replica.has_all_of(self.primary))

    def cut_replication(self) -> None:
        self.link.lead_nowhere()
        eventually(lambda: self.replica.info("replication", "master_link_status") == "down")

    def fail_over(self) -> None:
        self.primary.kill()
        assert self.replica.ask("REPLICAOF NO ONE") == "+OK\r\n"
        self.address.lead_to(self.replica.port)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    primary, replica = (RedisServer(tmp_path / name, repl_diskless_sync_delay="0") for name in ("primary", "replica"))
    with ExitStack() as stack:
        for server in (primary, replica):
            server.folder.mkdir()
            stack.callback(server.kill)
            server.start()
        address, link = (stack.enter_context(Switch(primary.port)) for _ in range(2))
        assert replica.ask(f"REPLICAOF 127.0.0.1 {link.port}") == "+OK\r\n"
        eventually(lambda: replica.info("replication", "master_link_status") == "up")
        yield Pair(primary, replica, address, link)


def test_after_a_fail_over_that_lost_writes_viewers_move_forward_and_ends_are_written_again(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The process that reports lives on, and so it knows more than the store."""
    monkeypatch.setattr(slots, "KEPT_RESULTS", 30_000)
    cli = Cli(tmp_path)
    gateway = cli.command("gateway", "--store", pair.url, "--port", "{port}")
    failed_over, may_end = threading.Event(), threading.Event()
    ids: list[str] = []

    with ExitStack() as running:
        gateways = [running.enter_context(ServerProcess(*gateway, env=cli.env, cwd=tmp_path)) for _ in range(2)]
        manager = running.enter_context(ProgressManager(store=pair.url))
        plain, ended, large, too_large = (manager.create_task() for _ in range(4))

        def work() -> None:
            with manager.task("Import", total=100) as task:
                ids.append(task.task_id)
                task.advance(10)
                failed_over.wait(60)
                task.advance(40)
                may_end.wait(60)
                task.set_result({"rows": 100})

        working = threading.Thread(target=work)
        working.start()
        running.callback(working.join, 30)
        running.callback(may_end.set)
        running.callback(failed_over.set)
        eventually(lambda: ids)
        tasks = [plain, ended, large, too_large, ids[0]]
        with Audience([one.port for one in gateways], tasks, VIEWERS) as audience:
            eventually(lambda: audience.joined() == VIEWERS, 30)
            for task_id in tasks[:4]:
                manager.update_progress(task_id, progress=10)
            eventually(lambda: {state.get("progress") for state in audience.last()} == {10}, 30)
            pair.replicate()
            pair.cut_replication()

            # All this is acknowledged, and seen; and the replica knows nothing of it.
            manager.update_progress(plain, progress=40)
            manager.complete_task(ended, result=7)
            manager.complete_task(too_large, result="y" * 20_000)
            manager.complete_task(large, result="x" * 20_000)
            never_replicated = manager.create_task()
            seen = {plain: 40, ended: 100, large: 100, too_large: 100, ids[0]: 10}
            eventually(lambda: {state["task_id"]: state["progress"] for state in audience.last()} == seen, 30)
            revs = {state["task_id"]: state["rev"] for state in audience.last()}
            pair.fail_over()
            failed_over.set()

            manager.update_progress(plain, progress=50)
            seen = {plain: 50, ended: 100, large: 100, too_large: 100, ids[0]: 50}
            eventually(lambda: {state["task_id"]: state["progress"] for state in audience.last()} == seen, 30)
            moved = {state["task_id"]: state["rev"] for state in audience.last()}
            assert moved[plain] > revs[plain]
            assert moved[ids[0]] > revs[ids[0]]
            assert len({state["epoch"] for state in audience.last()}) == 1

            with ProgressManager(store=pair.url) as other:
                eventually(lambda: all(other.get_task(one).state == "completed" for one in tasks[1:4]), 30)
                assert other.get_result(ended) == 7
                assert other.get_result(large) == "x" * 20_000
                # Of large results only so much is kept in memory; who ran it is told, and nobody is promised it.
                assert not other.get_task(too_large).has_large_result
                lost = f"the result of task {too_large} was lost by the store"
                eventually(lambda: lost in caplog.text, saying="it is logged")
                # It is gone, and nobody pretends otherwise.
                with pytest.raises(TaskNotFound):
                    other.get_task(never_replicated)
                with pytest.raises(TaskNotFound):
                    manager.complete_task(never_replicated)
            may_end.set()
            working.join(30)
            assert manager.complete_task(plain)
            eventually(lambda: audience.have_ended() == VIEWERS, 30)
            assert {state["state"] for state in audience.last()} == {"completed"}
        audience.history.check()

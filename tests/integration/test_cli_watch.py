"""`headway watch`: the terminal's bar, from the store and from a server, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import ProgressManager
from tests.helpers import ServerProcess, eventually, free_port
from tests.integration.cli_process import Cli


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One store for all: each test watches tasks of its own."""
    return Cli(tmp_path_factory.mktemp("watch"))


@pytest.fixture
def manager(cli: Cli) -> Iterator[ProgressManager]:
    with cli.manager() as manager:
        yield manager


@pytest.fixture(scope="module")
def server(cli: Cli) -> Iterator[ServerProcess]:
    """A gateway over the same store."""
    command = cli.command("gateway", "--port", "{port}")
    with ServerProcess(*command, env=cli.env, cwd=cli.folder) as server:
        yield server


@pytest.fixture(params=["store", "server"])
def where(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "store":
        return []
    return ["--url", request.getfixturevalue("server").url]


def test_the_exit_code_says_how_the_task_has_ended(cli: Cli, manager: ProgressManager, where: list[str]) -> None:
    completed, failed, cancelled = (manager.create_task(name) for name in ("one", "two", "three"))
    manager.complete_task(completed)
    manager.fail_task(failed, {"code": "no_disk", "message": "the disk is full"})
    manager.cancel_task(cancelled)

    done = [cli("watch", task_id, *where) for task_id in (completed, failed, cancelled, "nothing")]

    assert [one.code for one in done] == [0, 1, 3, 4]
    assert done[0].out == "100 %  completed\n"
    assert done[1].out == "  0 %  failed: the disk is full (no_disk)\n"
    assert done[2].out == "  0 %  cancelled\n"
    assert done[3].err == "headway: there is no task 'nothing'\n"


def test_each_change_is_a_plain_line_until_the_end(cli: Cli, manager: ProgressManager, where: list[str]) -> None:
    task_id = manager.create_task("Import", total=200)
    with cli.start("watch", task_id, *where) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "  0 %  waiting\n"
        manager.update_progress(task_id, completed=50, status="reading", message="a quarter", details={"unit": "rows"})
        assert watching.stdout.readline() == " 25 %  reading: a quarter · 50/200 rows\n"
        manager.complete_task(task_id, message="all read")
        assert watching.stdout.readline() == "100 %  completed: all read · 50/200 rows\n"
        assert watching.wait(30) == 0


def test_the_log_goes_along_where_it_is_asked_for(cli: Cli, manager: ProgressManager, where: list[str]) -> None:
    task_id = manager.create_task()
    for line in ("first", "second"):
        manager.add_log(task_id, line)
    manager.complete_task(task_id)

    done = cli("watch", "--log", task_id, *where)

    assert done.out == "  | first\n  | second\n100 %  completed\n"


def test_programs_get_each_state_as_a_line_of_json(cli: Cli, manager: ProgressManager, where: list[str]) -> None:
    task_id = manager.create_task("导入")
    manager.complete_task(task_id, result={"rows": 3})

    done = cli("watch", "--json", task_id, *where)

    (state,) = (json.loads(line) for line in done.out.splitlines())
    assert (state["task_id"], state["name"], state["result"]) == (task_id, "导入", {"rows": 3})


def test_a_terminal_has_one_line_that_is_drawn_anew(cli: Cli, manager: ProgressManager) -> None:
    task_id = manager.create_task("老北京胡同", total=4)
    manager.update_progress(task_id, completed=1, message="title")

    terminal = Terminal(cli, "watch", task_id)
    terminal.wait_for("25 %")
    manager.update_progress(task_id, completed=2)
    terminal.wait_for("50 %")
    manager.complete_task(task_id)

    assert terminal.wait() == 0
    assert terminal.text.count("\n") == 1
    assert terminal.lines[-1].startswith("老北京胡同 ███████████████████ 100 %  2/4 · completed")


def test_a_terminal_is_not_steered_by_what_a_task_says(cli: Cli, manager: ProgressManager) -> None:
    task_id = manager.create_task("evil\x1b[2J\x07\nname")
    manager.update_progress(task_id, 10, message="\x1b]0;owned\x07 \u202eright\r\nleft")
    manager.complete_task(task_id, message="\x9b31m bye")

    terminal = Terminal(cli, "watch", task_id)

    assert terminal.wait() == 0
    assert set(terminal.text) & {"\x07", "\x9b", "\u202e"} == set()
    assert terminal.text.count("\x1b") == terminal.text.count("\r\x1b[K")


def test_ctrl_c_ends_the_watching_and_not_the_task(cli: Cli, manager: ProgressManager, where: list[str]) -> None:
    task_id = manager.create_task()
    with cli.start("watch", task_id, *where) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.send_signal(signal.SIGINT)

        assert watching.wait(30) == 130
        assert watching.stderr is not None
        assert watching.stderr.read() == ""
    assert manager.get_task(task_id).state == "pending"


def test_the_task_of_a_killed_worker_is_seen_to_fail(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    with cli.start("run", "--", "sh", "-c", "echo ready; exec sleep 600") as worker:
        task = cli.running_task()
        with cli.start("watch", task.task_id) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            worker.send_signal(signal.SIGKILL)

            assert watching.wait(30) == 1
            assert "(worker_lost)" in watching.stdout.read()


def test_a_server_that_goes_and_comes_back_is_followed_on(cli: Cli, manager: ProgressManager) -> None:
    port = free_port()
    command = cli.command("gateway", "--port", str(port))
    task_id = manager.create_task(total=10)
    with (
        ServerProcess(*command, env=cli.env, cwd=cli.folder, port=port) as server,
        cli.start("watch", task_id, "--url", server.url) as watching,
    ):
        assert watching.stdout is not None
        assert watching.stdout.readline() == "  0 %  waiting\n"
        server.kill()
        assert watching.stdout.readline().endswith("; trying again\n")
        manager.update_progress(task_id, completed=7)
        server.start()
        rest = iter(watching.stdout.readline, "")
        assert any(line.startswith(" 70 %") for line in rest)
        manager.complete_task(task_id)

        assert watching.wait(30) == 0


def test_a_server_that_is_not_there_is_named(cli: Cli) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    done = cli("watch", "--url", url, "task")

    assert (done.code, done.err) == (5, f"headway: {url} can't be reached: Connection refused\n")


def test_a_server_that_is_none_of_ours_is_told_apart(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "api" / "tasks").mkdir(parents=True)
    (tmp_path / "api" / "tasks" / "task").write_text("<html>")
    port = free_port()
    with ServerProcess.python(
        "-m", "http.server", "--bind", "127.0.0.1", str(port), cwd=tmp_path, port=port, ready="/"
    ):
        found = cli("watch", "--url", f"http://127.0.0.1:{port}", "task")
        missing = cli("watch", "--url", f"http://127.0.0.1:{port}", "other")

    assert found.code == 1
    assert found.err.endswith("does not answer as a Headway server does\n")
    assert missing.code == 1
    assert "answered 404" in missing.err


def test_a_signed_task_is_watched_with_the_token_of_the_environment(cli: Cli, manager: ProgressManager) -> None:
    from headway.web.access import SignedAccess

    secret = "a secret for this test alone"
    task_id = manager.create_task()
    manager.complete_task(task_id)
    token = SignedAccess(secret).issue_token(task_id, ["read"])
    command = cli.command("gateway", "--port", "{port}")
    with ServerProcess(
        *command, env=cli.env | {"HEADWAY_SECRET": secret, "HEADWAY_ACCESS": "signed"}, cwd=cli.folder
    ) as server:
        without = cli("watch", task_id, "--url", server.url)
        with_it = cli("watch", task_id, "--url", server.url, env={"HEADWAY_TOKEN": token})
        cancelled = cli("cancel", task_id, "--url", server.url, env={"HEADWAY_TOKEN": token})

        assert (without.code, with_it.code, cancelled.code) == (4, 0, 4)
        assert token not in server.log


class Terminal:
    """A command on a terminal of its own, 80 columns wide."""

    def __init__(self, cli: Cli, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            cli.command(*arguments),
            cwd=cli.folder,
            env=cli.env | {"COLUMNS": "80"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._seen = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """What was written, with the newlines that were written."""
        return self._seen.decode().replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """What each drawing of the line left."""
        return [line.strip("\r\n") for line in self.text.split("\x1b[K")]

    def wait_for(self, text: str) -> None:
        eventually(lambda: text in self.text, saying=f"{text!r} on the terminal")

    def wait(self) -> int:
        code = self._process.wait(30)
        self._reader.join(10)
        os.close(self._master)
        return code

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65_536):
                self._seen += data
        except OSError:
            return  # The terminal's other end is closed.

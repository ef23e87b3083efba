"""`headway tasks`, `cancel`, `gateway`, and what is said to who uses the command wrongly."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway import ProgressManager
from headway.cli import main
from tests.helpers import ServerProcess, free_port
from tests.integration.cli_process import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def manager(cli: Cli) -> Iterator[ProgressManager]:
    with cli.manager() as manager:
        yield manager


def test_tasks_are_a_table_with_the_newest_first(cli: Cli, manager: ProgressManager) -> None:
    first = manager.create_task("导入 A", total=4)
    manager.update_progress(first, completed=1, message="reading")
    second = manager.create_task("Import B")
    manager.fail_task(second, "no disk")

    done = cli("tasks")

    heading, *rows = [line.split(maxsplit=5) for line in done.out.splitlines()]
    assert heading == ["TASK", "STATE", "DONE", "AGE", "NAME"]
    assert [row[:2] for row in rows] == [[second, "failed"], [first, "running"]]
    assert "导入 A · reading" in done.out
    assert "Import B · no disk" in done.out


def test_the_columns_stand_below_each_other_in_chinese_too(cli: Cli, manager: ProgressManager) -> None:
    manager.create_task("短")
    manager.create_task("@")  # no id has that

    lines = cli("tasks").out.splitlines()

    assert len({line.index(name) for line, name in zip(lines, ("NAME", "@", "短"), strict=True)}) == 1


def test_a_listing_can_be_narrowed(cli: Cli, manager: ProgressManager) -> None:
    ids = [manager.create_task(f"task {n}") for n in range(5)]
    manager.complete_task(ids[0])

    assert [task["task_id"] for task in cli.listed("--limit", "2")] == [ids[4], ids[3]]
    assert [task["task_id"] for task in cli.listed("--state", "completed")] == [ids[0]]
    assert cli.listed("--state", "failed") == []


def test_a_listing_goes_on_beyond_one_page_of_the_store(cli: Cli, manager: ProgressManager) -> None:
    for n in range(501):
        manager.create_task(str(n))

    assert len(cli.listed("--limit", "1000")) == 501


def test_looking_at_tasks_makes_no_store(cli: Cli, tmp_path: Path) -> None:
    tasks, watch = cli("tasks"), cli("watch", "task")

    assert (tasks.code, watch.code) == (5, 4)
    assert tasks.err == (
        f"headway: there is no store at {tmp_path / 'tasks.db'}; say which with --store or HEADWAY_STORE, "
        "or name a server with --url\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_cancel_asks_once_and_says_when_it_is_too_late(cli: Cli, manager: ProgressManager) -> None:
    task_id = manager.create_task()

    asked = cli("cancel", task_id, "--reason", "not needed")
    late = cli("cancel", task_id)
    unknown = cli("cancel", "unknown")

    assert (asked.code, late.code, unknown.code) == (0, 1, 4)
    assert manager.get_task(task_id).cancel_reason == "not needed"


def test_a_gateway_serves_one_task_to_who_knows_it_and_lists_to_nobody(cli: Cli, manager: ProgressManager) -> None:
    task_id = manager.create_task()
    with ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=cli.folder) as server:
        asked = cli("cancel", task_id, "--url", server.url)
        late = cli("cancel", task_id, "--url", f"{server.url}/")
        listing = cli("tasks", "--url", server.url)
        code = server.terminate()

        assert (asked.code, late.code, listing.code, code) == (0, 1, 1, 0)
        assert "listing tasks needs an owner" in listing.err
        assert manager.get_task(task_id).state == "cancelled"
        assert "Traceback" not in server.log


def test_serve_is_the_demo_and_ends_in_order(cli: Cli) -> None:
    with ServerProcess(*cli.command("serve", "--port", "{port}"), env=cli.env, cwd=cli.folder) as server:
        with urllib.request.urlopen(f"{server.url}/", timeout=10) as page:
            assert b"<title>" in page.read()
        listing = cli("tasks", "--url", server.url)
        assert server.terminate() == 0
        assert "Traceback" not in server.log

    assert (listing.code, listing.err) == (0, "no tasks\n")


def test_a_gateway_ends_in_order_at_ctrl_c(cli: Cli) -> None:
    with ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=cli.folder) as server:
        os.kill(server.pid, signal.SIGINT)
        assert server.wait() == 0
        assert "Traceback" not in server.log


def test_a_taken_port_is_said_in_one_sentence(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = cli("gateway", "--port", str(port))

    assert (done.code, done.err) == (1, f"headway: can't serve on 127.0.0.1:{port}: Address already in use\n")


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out == f"headway {headway.__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("run", "ls"), ("watch", "id", "--token", "secret")], ids=" ".join)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("usage: headway")


@pytest.mark.parametrize("store", ["mysql://localhost", "sqlite://", "memory://"])
def test_a_store_that_there_is_not_exits_with_2_too(cli: Cli, store: str) -> None:
    done = cli("tasks", "--store", store)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("headway: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("run",),
        ("run", "--"),
        ("run", "--grace", "-1", "--", "ls"),
        ("run", "--grace", "nan", "--", "ls"),
        ("run", "--name", "x" * 201, "--", "ls"),
        ("watch",),
        ("watch", "no/id"),
        ("watch", "id", "--url", "ftp://host"),
        ("watch", "id", "--url", "http://"),
        ("watch", "id", "--url", "http://user:secret@host"),
        ("watch", "id", "--url", "http://host:99999"),
        ("watch", "id", "--url", "http://host", "--store", "sqlite:///x"),
        ("watch", "id", "--log", "--json"),
        ("tasks", "--state", "done"),
        ("tasks", "--limit", "0"),
        ("tasks", "--limit", "many"),
        ("tasks", "--sta", "failed"),
        ("cancel", "id", "--reason", "x" * 2001),
        ("gateway", "--port", "65536"),
        ("gateway", "--origin", "https://host/path"),
        ("serve", "--port", "http"),
    ],
    ids=" ".join,
)
def test_each_argument_is_checked_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: headway")


@pytest.mark.parametrize("command", ["", "serve", "gateway", "run", "watch", "tasks", "cancel", "doctor"])
def test_each_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*filter(None, [command]), "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: headway")


@pytest.mark.parametrize(
    ("name", "value"), [("HEADWAY_PORT", "http"), ("HEADWAY_ACCESS", "all"), ("HEADWAY_SECRET", "short")]
)
def test_a_wrong_setting_is_named(cli: Cli, name: str, value: str) -> None:
    done = cli("gateway", env={name: value})

    assert done.code == 2
    assert done.err.startswith(f"headway: {name}: ")


def test_a_doctor_finds_nothing_wrong_here(cli: Cli) -> None:
    done = cli("doctor", "--port", str(free_port()))

    assert done.code == 0, done.out
    assert done.out.endswith("nothing is wrong\n")
    assert not (cli.folder / "tasks.db").exists()


def test_a_doctor_says_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tasks.db").write_text("this is no database, but long enough to be taken for one" * 100)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = cli("doctor", "--port", str(port))

    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG")]
    assert done.code == 1
    assert len(wrong) == 2
    assert "store: " in wrong[0]
    assert f"port: 127.0.0.1:{port} can't be had" in wrong[1]


def test_a_doctor_knows_a_server_of_ours(cli: Cli, manager: ProgressManager) -> None:
    manager.create_task()
    with ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=cli.folder) as server:
        done = cli("doctor", "--port", str(server.port))

    assert done.code == 0, done.out
    assert f"Headway {headway.__version__} serves at 127.0.0.1:{server.port} already" in done.out
    assert "tasks.db can be read and written" in done.out


def test_a_doctor_names_wrong_settings(cli: Cli) -> None:
    done = cli("doctor", env={"HEADWAY_ACCESS": "signed"})

    assert done.code == 1
    assert "WRONG  settings: HEADWAY_SECRET" in done.out

"""`headway run -- COMMAND`: exits as the command did, and tells the task's viewers the truth about it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import eventually
from tests.integration.cli_process import Cli

STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); "
WAITS = "import sys, threading; print('ready', flush=True); threading.Event().wait()"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_the_output_goes_through_unchanged_and_is_the_tasks_log(cli: Cli) -> None:
    done = cli("run", "--", "sh", "-c", "printf 'one\\ntwo'; echo three >&2")

    task = cli.only_task()
    with cli.manager() as manager:
        lines = sorted(line.text for line in manager.read_log(task.task_id).lines)
    assert (done.code, done.out) == (0, "one\ntwo")
    assert done.err == f"headway: task {task.task_id}\nthree\n"
    assert lines == ["one", "three", "two"]
    assert (task.state, task.name, task.result) == ("completed", "sh", {"exit_code": 0})


def test_bytes_that_are_no_text_go_through_unchanged(cli: Cli) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes(range(256)))"

    done = subprocess.run(
        cli.command("run", "--", sys.executable, "-c", program),
        cwd=cli.folder,
        env=cli.env,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )

    assert done.stdout == bytes(range(256))
    assert cli.only_task().state == "completed"


def test_the_input_of_a_pipe_reaches_the_command(cli: Cli) -> None:
    done = cli("run", "--", "cat", given="through\n")

    assert (done.code, done.out) == (0, "through\n")


@pytest.mark.parametrize("code", [1, 3, 42, 255])
def test_it_exits_with_the_commands_code(cli: Cli, code: int) -> None:
    done = cli("run", "--", "sh", "-c", f"exit {code}")

    task = cli.only_task()
    assert done.code == code
    assert task.state == "failed"
    assert task.error is not None
    assert (task.error.code, task.error.message) == (
        "command_failed",
        f"the command ended with exit code {code}",
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_command_that_a_signal_ended_ends_us_by_the_same(cli: Cli, number: signal.Signals) -> None:
    done = cli("run", "--", "sh", "-c", f"kill -{int(number)} $$")

    task = cli.only_task()
    assert done.code == -number
    assert task.error is not None
    assert task.error.message == f"the command was ended by {number.name}"


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/etc/passwd", 126), ("/", 126)])
def test_a_command_that_cannot_be_run_is_a_failed_task(cli: Cli, command: str, code: int) -> None:
    done = cli("run", "--", command)

    task = cli.only_task()
    assert done.code == code
    assert f"headway: {command} can't be run" in done.err
    assert task.error is not None
    assert task.error.code == "not_started"


def test_progress_is_not_guessed_from_the_output(cli: Cli) -> None:
    cli("run", "--", "sh", "-c", "echo the disk is 93% full; exit 1")

    assert cli.only_task().progress is None


def test_percentages_are_progress_where_that_was_asked_for(cli: Cli) -> None:
    cli("run", "--percent", "--", "sh", "-c", "printf '10%%\\r20.5%%\\r'; printf 'now 55.5%%\\n'; echo 150%; exit 1")

    task = cli.only_task()
    with cli.manager() as manager:
        lines = [line.text for line in manager.read_log(task.task_id).lines]
    assert task.progress == 55.5
    assert lines == ["now 55.5%", "150%"]


def test_what_is_printed_is_seen_while_the_command_runs(cli: Cli) -> None:
    with cli.start("run", "--name", "导入", "--owner", "li", "--", sys.executable, "-c", WAITS) as process:
        task = cli.running_task()

        assert (task.name, task.owner, task.message, task.progress) == ("导入", "li", "ready", None)
        process.terminate()
        process.wait(30)


def test_a_cancel_ends_the_command_politely(cli: Cli) -> None:
    with cli.start("run", "--", sys.executable, "-c", WAITS) as process:
        task = cli.running_task()
        with cli.manager() as manager:
            assert manager.cancel_task(task.task_id, "enough")
        code = process.wait(30)

    with cli.manager() as manager:
        ended = manager.get_task(task.task_id)
        lines = [line.text for line in manager.read_log(task.task_id).lines]
    assert code == -signal.SIGTERM
    assert (ended.state, ended.cancel_reason) == ("cancelled", "enough")
    assert lines == [
        "ready",
        "asked to stop: SIGTERM was sent to the command",
        "the command was ended by SIGTERM after it was asked to stop",
    ]


def test_a_command_that_does_not_heed_is_ended_by_force(cli: Cli) -> None:
    program = STUBBORN + "time.sleep(600)"
    with cli.start("run", "--grace", "0.2", "--", sys.executable, "-c", program) as process:
        task = cli.running_task()
        with cli.manager() as manager:
            manager.cancel_task(task.task_id)
        code = process.wait(30)

    assert code == -signal.SIGKILL
    assert cli.only_task().state == "cancelled"


def test_a_cancel_reaches_what_the_command_has_started(cli: Cli, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; echo ready; wait"
    with cli.start("run", "--", "sh", "-c", script) as process:
        task = cli.running_task()
        with cli.manager() as manager:
            manager.cancel_task(task.task_id)
        process.wait(30)

    child = int(pid_file.read_text())
    eventually(lambda: not _is_alive(child))


def test_a_command_that_did_all_it_should_after_a_cancel_has_completed(cli: Cli) -> None:
    script = "trap 'echo done; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with cli.start("run", "--", "sh", "-c", script) as process:
        task = cli.running_task()
        with cli.manager() as manager:
            manager.cancel_task(task.task_id)
        code = process.wait(30)

    assert code == 0
    assert cli.only_task().state == "completed"


def test_ctrl_c_is_passed_on_and_cancels(cli: Cli) -> None:
    with cli.start("run", "--", "sh", "-c", "echo ready; sleep 600") as process:
        cli.running_task()
        process.send_signal(signal.SIGINT)
        code = process.wait(30)

    assert code == -signal.SIGINT
    assert cli.only_task().state == "cancelled"


def test_sigterm_is_passed_on_and_told_as_interrupted(cli: Cli) -> None:
    with cli.start("run", "--", "sh", "-c", "echo ready; sleep 600") as process:
        cli.running_task()
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)

    task = cli.only_task()
    assert code == -signal.SIGTERM
    assert task.error is not None
    assert task.error.code == "interrupted"


def test_a_killed_run_is_told_as_a_lost_worker(cli: Cli) -> None:
    with cli.start("run", "--", sys.executable, "-c", WAITS) as process:
        task = cli.running_task()
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert process.stdout is not None

        with cli.manager() as manager:
            manager.reap()
            ended = manager.get_task(task.task_id)

    assert ended.error is not None
    assert ended.error.code == "worker_lost"


def test_a_reader_that_has_left_ends_the_command_as_it_would_without_us(cli: Cli) -> None:
    with cli.start("run", "--", "yes") as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == "y\n"
        process.stdout.close()

        assert process.wait(30) == -signal.SIGPIPE


def test_a_line_without_an_end_takes_no_memory_of_ours(cli: Cli) -> None:
    program = "import sys; [sys.stdout.write('x' * 1_000_000) for _ in range(20)]"

    done = cli("run", "--", sys.executable, "-c", program)

    task = cli.only_task()
    with cli.manager() as manager:
        (line,) = manager.read_log(task.task_id).lines
    assert len(done.out) == 20_000_000
    assert line.text == "x" * 4096


def test_escape_codes_do_not_reach_viewers(cli: Cli) -> None:
    cli("run", "--", "printf", "\\033[31mred\\033[0m \\033]0;title\\007\\001ok\\n")

    task = cli.only_task()
    with cli.manager() as manager:
        (line,) = manager.read_log(task.task_id).lines
    assert line.text == "red  ok"


def test_where_the_store_cannot_be_opened_nothing_is_run(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    done = cli("run", "--store", f"sqlite:///{tmp_path}/file/tasks.db", "--", "touch", str(tmp_path / "ran"))

    assert done.code == 5
    assert "headway: " in done.err
    assert not (tmp_path / "ran").exists()


def test_a_store_in_memory_is_refused_since_nobody_could_see_the_task(cli: Cli) -> None:
    done = cli("run", "--store", "memory://", "--", "true")

    assert done.code == 2
    assert "memory://" in done.err


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False

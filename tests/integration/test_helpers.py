"""The helpers that other tests lean on, tried on real processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.helpers import ROOT, ServerProcess, eventually, run_async
from tests.redis_server import RedisServer


def test_eventually_gives_the_first_truthy_value() -> None:
    values = iter([None, 0, "there"])

    assert eventually(lambda: next(values)) == "there"


def test_eventually_says_what_it_waited_for_and_what_it_saw_last() -> None:
    def has_seven() -> bool:
        raise AssertionError("only six")

    with pytest.raises(AssertionError, match=r"not within 0\.05 s: .*has_seven; last seen: .*only six"):
        eventually(has_seven, 0.05)


def test_eventually_lets_other_errors_through() -> None:
    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 / 0)


def test_run_async_works_where_a_loop_is_running_already() -> None:
    async def outer() -> int:
        return run_async(asyncio.sleep(0, 7))

    assert run_async(outer()) == 7


def files_server(folder: Path) -> ServerProcess:
    return ServerProcess.python("-m", "http.server", "--bind", "127.0.0.1", "{port}", ready="/", cwd=folder)


def test_a_server_is_ready_when_it_answers_and_gone_after_the_block(tmp_path: Path) -> None:
    (tmp_path / "hello").write_text("world")

    with files_server(tmp_path) as server:
        with urllib.request.urlopen(server.url + "/hello") as response:
            assert response.read() == b"world"
        assert "GET /hello" in server.log

    assert not server.is_running()


def test_a_killed_server_starts_again_on_the_same_port(tmp_path: Path) -> None:
    with files_server(tmp_path) as server:
        first = server.pid
        assert server.kill() == -9
        assert not server.is_running()

        server.start()

        assert server.pid != first
        assert server.is_running()


WHAT_IT_IS = """
import json, os, signal, sys, threading
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv[1:], "path": sys.path[0], "cwd": os.getcwd(), "env": dict(os.environ),
    "file": globals().get("__file__"), "main": sys.modules["__main__"].__dict__ is globals(),
    "warnings": sys.warnoptions,
    "descriptors": sorted(os.listdir("/proc/self/fd")), "leads_its_session": os.getsid(0) == os.getpid(),
    "input": os.path.samestat(os.fstat(0), os.stat(os.devnull)), "threads": threading.active_count(),
    "child": str(signal.getsignal(signal.SIGCHLD)), "term": str(signal.getsignal(signal.SIGTERM)),
    "handler": str(signal.getsignal(signal.SIGINT)), "redis": "redis" in sys.modules and sys.modules["redis"] is None,
}))
sys.exit(7)
"""


@pytest.mark.parametrize("how", [["what_it_is.py"], ["-c", WHAT_IT_IS], ["-W", "error", "what_it_is.py"]])
def test_a_forked_server_is_what_it_would_be_if_it_had_been_started_by_itself(tmp_path: Path, how: list[str]) -> None:
    (tmp_path / "what_it_is.py").write_text(WHAT_IT_IS)
    links = tmp_path / "python"
    links.symlink_to(sys.executable)

    def told(program: str | Path) -> dict[str, object]:
        server = ServerProcess(program, *how, "an argument", env={"MARK": "1"}, port=1, cwd=tmp_path)
        server.start(wait=False)
        assert server.wait() == 7
        told: dict[str, object] = json.loads(server.log)
        server.close()
        return told

    forked, by_itself = told(sys.executable), told(links)

    # A program by another name is not forked; it tells that name.
    assert forked.pop("env") | {"_": ""} == by_itself.pop("env") | {"_": ""}  # type: ignore[operator, attr-defined]
    assert forked == by_itself


def test_a_server_that_cannot_start_tells_what_it_printed() -> None:
    server = ServerProcess.python("-c", "raise SystemExit('no such luck')")

    with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*no such luck"), server:
        pass


def test_what_a_server_printed_is_told_with_a_failure_in_its_block(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught, files_server(tmp_path):
        raise AssertionError("planted")

    assert "GET / HTTP" in caught.value.__notes__[0]


def test_redis_keeps_its_address_over_a_restart(redis_server: RedisServer) -> None:
    url = redis_server.url

    redis_server.kill()
    redis_server.start()
    redis_server.flush()

    assert redis_server.url == url


HARDLY_A_DESCRIPTOR = """
import os, sys
from tests.helpers import finished
print(finished([sys.executable, "said.py"], env=os.environ, cwd=sys.argv[1]))
"""


def test_a_program_with_hardly_a_descriptor_can_have_others_forked(tmp_path: Path) -> None:
    (tmp_path / "said.py").write_text("print('here')")

    command = [sys.executable, "-c", HARDLY_A_DESCRIPTOR, tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "code=0, out='here" in done.stdout, done.stdout + done.stderr

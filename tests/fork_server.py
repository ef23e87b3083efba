"""Where processes of tests are forked from: one that has imported what they all import, which is most of a start.

Its only argument is the number of a socket. A request is a line of JSON (`how`: `-m`, `-c` or a script; `what` comes
after the first two; `arguments`, `path`, `env`, `cwd`), and with it four descriptors: for input, output and errors, and
where the exit status is written to when the process has ended. The answer is a line with the pid. See tests/forked.py.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import types
from pathlib import Path
from typing import Any

PRELOADED = (
    "headway.cli.command",
    "headway.cli.serving",
    "headway.demo.server",
    "headway.stores.sqlite",
    # What uvicorn imports only when it starts.
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)
REQUEST_BYTES = 1 << 20


def main() -> None:
    for module in PRELOADED:
        __import__(module)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as tests:
        request = next_child(tests)
    if request is not None:
        run(request)


def next_child(tests: socket.socket) -> dict[str, Any] | None:
    """Serves requests. Returns twice, so to say: with a request in each child, with None when the tests have ended."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(waker)
    statuses: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([tests, woken], [], [])
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            reap(statuses)
        if tests in ready:
            data, descriptors, _, _ = socket.recv_fds(tests, REQUEST_BYTES, 4)
            if not data:
                return None
            while not data.endswith(b"\n"):
                data += tests.recv(REQUEST_BYTES)
            request = json.loads(data)
            pid = os.fork()
            if pid == 0:
                tests.close()  # Else its number, closed below, would be closed twice.
                become(request, descriptors)
                return dict(request)
            statuses[pid] = descriptors.pop()
            for descriptor in descriptors:
                os.close(descriptor)
            tests.sendall(b"%d\n" % pid)


def reap(statuses: dict[int, int]) -> None:
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        descriptor = statuses.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(descriptor, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(descriptor)


def become(request: dict[str, Any], descriptors: list[int]) -> None:
    """A process as if it had been started by itself: of what was here, only the modules are left."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])


def run(request: dict[str, Any]) -> None:
    how, what, arguments = request["how"], request["what"], request["arguments"]
    interpreter = sys.orig_argv[: -len(sys.argv)]
    sys.orig_argv = [*interpreter, *filter(None, (how, what)), *arguments]
    sys.argv = [how, *arguments]
    sys.path[1:1] = request["path"]
    if how == "-m":
        sys.path[0] = request["cwd"]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if how == "-c":
        sys.path[0], source, name = "", what, "<string>"
    else:
        script = Path(how).resolve()
        sys.path[0], source, name = str(script.parent), script.read_text("utf-8"), str(script)
        main.__file__ = name
    exec(compile(source, name, "exec"), main.__dict__)


if __name__ == "__main__":
    main()

"""Flask-SocketIO in threading or gevent mode: one `emit` to a room an update."""

from __future__ import annotations

import sys

if sys.argv[1] == "gevent":
    from gevent import monkey
    from gevent.fileobject import FileObject

    monkey.patch_all()
    # Reading the true one would hold up all greenlets.
    sys.stdin = FileObject(sys.stdin.fileno(), "r", close=False)

import socket
import time
from pathlib import Path

from flask import Flask
from flask_socketio import SocketIO, emit, join_room

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import answer_commands, paced
from benchmarks.servers.payload import payload


def main() -> None:
    app = Flask(__name__)
    sio = SocketIO(app, async_mode=sys.argv[1], cors_allowed_origins="*")

    @sio.on("join", namespace="/progress")
    def join(data: dict[str, str]) -> dict[str, bool]:
        join_room(data["task_id"])
        emit("progress", payload(data["task_id"], 1))
        return {"ok": True}

    def run(mode: str, rate: float, tasks: int, s: float) -> dict[str, object]:
        def report(index: int) -> None:
            task_id = f"bench-task-{index}"
            sio.emit("progress", payload(task_id, time.monotonic_ns()), to=task_id, namespace="/progress")

        return {"sent": paced(report, rate, tasks, s)}

    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    answer_commands({"create": lambda tasks: {}, "run": run}, port=port)
    sio.run(app, host="127.0.0.1", port=port, allow_unsafe_werkzeug=True, log_output=False)


if __name__ == "__main__":
    main()

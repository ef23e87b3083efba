"""python-socketio's AsyncServer under uvicorn: one `emit` to a room an update, as its documentation shows."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path

import socketio
import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.servers.commands import answer_commands, paced
from benchmarks.servers.payload import payload


def main() -> None:
    sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
    loops: list[asyncio.AbstractEventLoop] = []

    @sio.on("connect", namespace="/progress")
    async def connect(sid: str, environ: object, auth: object = None) -> None:
        if not loops:
            loops.append(asyncio.get_running_loop())

    @sio.on("join", namespace="/progress")
    async def join(sid: str, data: dict[str, str]) -> dict[str, bool]:
        await sio.enter_room(sid, data["task_id"], namespace="/progress")
        await sio.emit("progress", payload(data["task_id"], 1), to=sid, namespace="/progress")
        return {"ok": True}

    def run(mode: str, rate: float, tasks: int, s: float) -> dict[str, object]:
        def report(index: int) -> None:
            task_id = f"bench-task-{index}"
            emit = sio.emit("progress", payload(task_id, time.monotonic_ns()), room=task_id, namespace="/progress")
            # Waiting for it: an overloaded server is measured, not the memory that a backlog takes.
            asyncio.run_coroutine_threadsafe(emit, loops[0]).result()

        return {"sent": paced(report, rate, tasks, s)}

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    answer_commands({"create": lambda tasks: {}, "run": run}, port=bound.getsockname()[1])
    config = uvicorn.Config(socketio.ASGIApp(sio), log_level="warning", access_log=False, ws_ping_interval=None)
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()

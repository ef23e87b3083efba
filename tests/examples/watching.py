"""One viewer of one task, through a real Socket.IO client."""

from __future__ import annotations

import threading
from typing import Any

from tests.invariants import History
from tests.ordered_client import OrderedClient


def watch_to_the_end(url: str, task_id: str, *, path: str = "socket.io", timeout_s: float = 60) -> list[dict[str, Any]]:
    """All states that a viewer sees from now on, which keep the promises made to viewers."""
    history = History()
    seen: list[dict[str, Any]] = []
    ended = threading.Event()
    client = OrderedClient(reconnection=False)

    @client.on("progress", namespace="/progress")
    def on_progress(task: dict[str, Any]) -> None:
        history.progress("viewer", task)
        seen.append(task)
        if task["state"] in ("completed", "failed", "cancelled"):
            ended.set()

    client.connect(url, namespaces=["/progress"], transports=["websocket"], socketio_path=path)
    try:
        history.join("viewer", task_id)
        answer = client.call("join", {"task_id": task_id}, namespace="/progress", timeout=10)
        assert answer["ok"], answer
        assert ended.wait(timeout_s), seen[-3:]
    finally:
        client.disconnect()
        client.wait()
    history.check()
    return seen

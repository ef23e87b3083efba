"""One viewer of one task, through a real Socket.IO client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.invariants import History
from tests.ordered_client import OrderedClient


class Held:
    """The work of an example that is started with `env` stands still, once begun, until `go_on`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "held"
        self._file.touch()
        self.env = {"HEADWAY_TEST_HELD": str(self._file), "PYTHONPATH": str(Path(__file__).with_name("held"))}

    def go_on(self) -> None:
        self._file.unlink()


def watch_to_the_end(
    url: str, start: Callable[[], str], *, path: str = "socket.io", timeout_s: float = 60
) -> list[dict[str, Any]]:
    """All states that a viewer sees, which keep the promises made to viewers. `start` begins the task; its id."""
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
        # By a viewer who is there already: the task lasts a few seconds only.
        task_id = start()
        history.join("viewer", task_id)
        answer = client.call("join", {"task_id": task_id}, namespace="/progress", timeout=10)
        assert answer["ok"], answer
        assert ended.wait(timeout_s), seen[-3:]
    finally:
        client.disconnect()
        client.wait()
    history.check()
    return seen

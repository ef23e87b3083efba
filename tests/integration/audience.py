"""Many viewers at once, spread over several servers, who come back elsewhere when theirs is gone, as pages do."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tests.chaos.wire import Disconnected, WireConnection
from tests.invariants import FINAL_STATES, History
from tests.schemas import check_event

DELAY_S = 0.5


class Audience:
    """`viewers` viewers; the n-th watches the n-th of `task_ids`, round and round, first by the n-th of `ports`.

    Who has lost its connection waits `delay_s` ± 30 % and goes to the next port. A context manager: inside, all have
    joined; `history` has what they saw.
    """

    def __init__(
        self,
        ports: Sequence[int],
        task_ids: Sequence[str],
        viewers: int,
        *,
        path: str = "/socket.io/",
        delay_s: float = DELAY_S,
    ) -> None:
        self.history = History()
        # Each thing that was said, once: `history` makes sure that all who saw a rev saw the same.
        self._heard: dict[tuple[Any, ...], tuple[str, Any]] = {}
        self.viewers = [
            _Viewer(f"viewer {n}", task_ids[n % len(task_ids)], ports, n, self.history, self._hear, path, delay_s)
            for n in range(viewers)
        ]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="audience")

    def __enter__(self) -> Self:
        self._thread.start()
        self._running = [asyncio.run_coroutine_threadsafe(viewer.run(), self._loop) for viewer in self.viewers]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if error is None:
            for event, payload in self._heard.values():
                check_event(event, payload)

    def _hear(self, event: str, payload: Any) -> None:
        said = (event, *(payload.get(name) for name in ("task_id", "epoch", "rev", "code")))
        self._heard.setdefault(said, (event, payload))

    async def _end(self) -> None:
        """End the viewers' tasks, then what asyncio does after them."""
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def at(self, port: int) -> int:
        """How many have joined there."""
        return sum(viewer.port == port for viewer in self.viewers)

    def joined(self) -> int:
        return sum(viewer.port is not None for viewer in self.viewers)

    def last(self) -> list[dict[str, Any]]:
        """The state that each sees now; {} for who has seen none."""
        return [viewer.last for viewer in self.viewers]

    def have_ended(self) -> int:
        """How many see a final state."""
        return sum(viewer.last.get("state") in FINAL_STATES for viewer in self.viewers)

    def were_told(self, code: str) -> int:
        return sum(any(error["code"] == code for error in viewer.errors) for viewer in self.viewers)


class _Viewer:
    def __init__(
        self,
        name: str,
        task_id: str,
        ports: Sequence[int],
        n: int,
        history: History,
        hear: Callable[[str, Any], None],
        path: str,
        delay_s: float,
    ) -> None:
        self.port: int | None = None
        self.connects = 0
        self.last: dict[str, Any] = {}
        self.errors: list[dict[str, Any]] = []
        self._name = name
        self._task_id = task_id
        self._ports = ports
        self._next = n
        self._history = history
        self._hear = hear
        self._path = path
        self._delay_s = delay_s
        self._random = random.Random(n)

    async def run(self) -> None:
        connection: WireConnection | None = None
        try:
            while True:
                port = self._ports[self._next % len(self._ports)]
                self._next += 1
                with contextlib.suppress(Disconnected):
                    connection = await WireConnection.connect("127.0.0.1", port, self._saw, path=self._path)
                    self._history.join(self._name, self._task_id)
                    answer = await connection.call("join", {"task_id": self._task_id})
                    if answer["ok"]:
                        self.connects += 1
                        self.port = port
                        await connection.closed
                self.port = None
                self._history.disconnect(self._name)
                if connection is not None:
                    connection.abort()
                await asyncio.sleep(self._delay_s * self._random.uniform(0.7, 1.3))
        finally:
            if connection is not None:
                connection.close()

    def _saw(self, event: str, payload: Any) -> None:
        self._hear(event, payload)
        if event == "progress":
            self._history.progress(self._name, payload)
            self.last = payload
        elif event == "error":
            self.errors.append(payload)

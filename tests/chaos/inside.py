"""Manager, store, hub and protocol in one process without a network: viewers are objects, and time is what is called.

The driver turns only when told to, so that a test decides what happens between what.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from headway import ProgressManager
from headway.web.access import CapabilityAccess
from headway.web.frames import Frame, Outlet
from headway.web.hub import Hub
from headway.web.protocol import Connection, Event, Protocol
from headway.web.request import Request
from tests.invariants import History


class ManualDriver:
    """A hub's driver: what would be done in the background waits for `turn`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._work: deque[Callable[[], None]] = deque()
        self.must_heal = False
        hub.driven_by(self)

    def wake(self) -> None:
        """Nobody sleeps here."""

    def heal_soon(self) -> None:
        self.must_heal = True

    def background(self, work: Callable[[], None]) -> None:
        self._work.append(work)

    def deliver(self) -> float | None:
        """Send what is due. In how many seconds there is more."""
        return self._hub.deliver(10)

    def turn(self) -> None:
        """All that can be done now: background work, healing, delivery."""
        while True:
            while self._work:
                self._work.popleft()()
            if self.must_heal:
                self.must_heal = False
                self._hub.heal()
            self.deliver()
            if not self._work and not self.must_heal:
                return


class Onlooker:
    """A viewer in memory, and the outlet to it. While it `is_slow` it takes no frames."""

    def __init__(self, name: str, history: History) -> None:
        self.name = name
        self.history = history
        self.is_slow = False
        self.is_closed = False
        self.answers: dict[str, dict[str, Any]] = {}
        self.errors: list[dict[str, Any]] = []

    def offer(self, frame: Frame) -> bool:
        if self.is_slow:
            return False
        if not self.is_closed:
            self.take(frame.event, json.loads(frame.payload))
        return True

    def take(self, event: str, payload: dict[str, Any]) -> None:
        if event == "progress":
            self.history.progress(self.name, payload)
        elif event == "log":
            self.history.log(self.name, payload)

    def emit(self, event: str, payload: str) -> None:
        decoded = json.loads(payload)
        if event == "error":
            self.errors.append(decoded)
            if decoded["code"] == "task_not_found" and "task_id" in decoded:
                self.history.leave(self.name, decoded["task_id"])

    def acknowledge(self, ack_id: str, payload: str) -> None:
        self.answers[ack_id] = json.loads(payload)

    def close(self) -> None:
        self.is_closed = True


class SteppedClock:
    """Wall time that jumps where it is told, monotonic time that passes when it is told."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.passed = 0.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.passed


class House:
    """The parts, put together. `outlet` may put something of its own between the hub and an onlooker."""

    def __init__(
        self,
        manager: ProgressManager,
        *,
        history: History | None = None,
        outlet: Callable[[Onlooker], Outlet] = lambda onlooker: onlooker,
        max_rate: float | None = None,
        new_protocol: type[Protocol] = Protocol,
        clock: SteppedClock | None = None,
    ) -> None:
        self.manager = manager
        self.clock = clock or SteppedClock()
        self.history = history or History()
        self.hub = Hub(manager, namespace="/progress", max_rate=max_rate, clock=self.clock)
        self.driver = ManualDriver(self.hub)
        self.protocol = new_protocol(manager, self.hub, CapabilityAccess())
        self._outlet = outlet
        self._connections: dict[str, tuple[Onlooker, Connection]] = {}

    def connect(self, name: str) -> Onlooker:
        onlooker = Onlooker(name, self.history)
        connection = Connection(Request(), self._outlet(onlooker))
        self._connections[name] = (onlooker, connection)
        self.history.connect(name)
        self.protocol.greet(connection)
        return onlooker

    def onlooker(self, name: str) -> Onlooker:
        return self._connections[name][0]

    def disconnect(self, name: str) -> None:
        onlooker, connection = self._connections.pop(name)
        self.history.disconnect(name)
        onlooker.is_closed = True
        self.protocol.forget(connection)

    def join(self, name: str, task_id: str, log_from: int | None = None) -> dict[str, Any]:
        self.history.join(name, task_id, log_from)
        more = {} if log_from is None else {"log_from": log_from}
        answer = self.ask(name, "join", {"task_id": task_id} | more)
        # One who had joined before and could not be answered now still is.
        if not answer["ok"] and task_id not in self._connections[name][1].subscriptions:
            self.history.leave(name, task_id)
        return answer

    def leave(self, name: str, task_id: str) -> None:
        self.ask(name, "leave", {"task_id": task_id})
        self.history.leave(name, task_id)

    def ask(self, name: str, event: str, data: object) -> dict[str, Any]:
        """Send an event; its acknowledgement."""
        onlooker, connection = self._connections[name]
        onlooker.answers.clear()
        self.protocol.receive(connection, Event(event, data, "1"))
        return onlooker.answers["1"]

    def settle(self) -> None:
        """Everybody reads, and what is stored is shown."""
        for onlooker, _ in self._connections.values():
            onlooker.is_slow = False
        self.hub.heal()
        self.driver.turn()
        while (delay := self.driver.deliver()) is not None:
            self.clock.passed += delay
            self.driver.turn()

    def check(self, *, unfinished: Collection[str] = ()) -> None:
        self.history.check(unfinished=unfinished)

    def close(self) -> None:
        self.hub.close()
        self.manager.close()

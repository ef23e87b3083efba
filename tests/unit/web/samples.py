"""What the web room's unit tests share: golden payloads as tasks, a manager in memory, a viewer that remembers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.core.progress_manager import ProgressManager
from headway.model.task import Stage, Task, TaskError
from headway.testing import FakeClock, memory_manager
from headway.web.access import Access, CapabilityAccess
from headway.web.frames import Frame
from headway.web.hub import Hub
from headway.web.protocol import Connection, Protocol
from headway.web.rates import Bounds
from headway.web.request import Request

WIRE = Path(__file__).parents[2] / "wire"
PAYLOADS = sorted(path.stem for path in WIRE.glob("progress-*.json"))


def golden(name: str) -> Any:
    return json.loads((WIRE / f"{name}.json").read_text("utf-8"))


def task_of(payload: dict[str, Any]) -> Task:
    """The task that a golden payload shows."""
    details = dict(payload["details"])
    amounts = {name: details.pop(name, None) for name in ("completed", "total", "unit")}
    same = ("task_id", "name", "state", "progress", "message", "eta_s", "rate", "epoch", "rev", "attempt", "worker")
    times = ("cancel_requested_at", "cancel_reason", "created_at", "started_at", "updated_at", "finished_at")
    return Task(
        **{name: payload[name] for name in (*same, *times)},
        **amounts,
        stage=None if payload["status"] == payload["state"] else payload["status"],
        caller_details=json.dumps(details, ensure_ascii=False),
        stages=None if payload["stages"] is None else tuple(Stage(**stage) for stage in payload["stages"]),
        inline_result=None if payload["result"] is None else json.dumps(payload["result"]),
        has_large_result=payload["result_url"] is not None,
        error=None if payload["error"] is None else TaskError(**payload["error"]),
    )


@dataclass
class FakeOutlet:
    """A client: what it was sent, in order. `is_slow` makes it refuse frames."""

    is_slow: bool = False
    is_closed: bool = False
    sent: list[tuple[str, Any]] = field(default_factory=list)

    def offer(self, frame: Frame) -> bool:
        if self.is_slow:
            return False
        self.sent.append((frame.event, json.loads(frame.payload)))
        return True

    def emit(self, event: str, payload: str) -> None:
        self.sent.append((event, json.loads(payload)))

    def acknowledge(self, ack_id: str, payload: str) -> None:
        self.sent.append((f"ack {ack_id}", json.loads(payload)))

    def close(self) -> None:
        self.is_closed = True

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.sent if name == event]

    @property
    def states(self) -> list[Any]:
        return self.of("progress")

    @property
    def lines(self) -> list[int]:
        return [line["n"] for page in self.of("log") for line in page["lines"]]


class FakeDriver:
    """Counts wakes; background work is done at once."""

    def __init__(self) -> None:
        self.wakes = 0
        self.heals = 0

    def wake(self) -> None:
        self.wakes += 1

    def heal_soon(self) -> None:
        self.heals += 1

    def background(self, work: Callable[[], None]) -> None:
        work()


@dataclass
class World:
    """A manager in memory with a hub and a protocol around it, and the clock of all."""

    manager: ProgressManager
    hub: Hub
    protocol: Protocol
    clock: FakeClock
    driver: FakeDriver

    def connect(self, **request: Any) -> Connection:
        return Connection(Request(**request), FakeOutlet())

    def join(self, task_id: str, log_from: int | None = None) -> FakeOutlet:
        """A viewer of the task, which has its first state."""
        connection = self.connect()
        self.protocol.join(connection, Request(), task_id, log_from)
        self.deliver()
        return outlet_of(connection)

    def say(self, connection: Connection, packet: str) -> None:
        """As an adapter does with what a client sends."""
        self.say_any(connection, packet)

    def say_any(self, connection: Connection, packet: object) -> None:
        event = self.protocol.admit(connection, packet)
        if event is not None:
            self.protocol.receive(connection, event)
        self.deliver()

    def deliver(self) -> float | None:
        """All that is due now."""
        while (delay := self.hub.deliver(60)) == 0:
            pass
        return delay

    def report(self, task_id: str, **values: Any) -> None:
        """An update, stored now and delivered where it may be."""
        self.manager.update_progress(task_id, **values)
        self.manager.get_task(task_id)
        self.deliver()


def outlet_of(connection: Connection) -> FakeOutlet:
    assert isinstance(connection.outlet, FakeOutlet)
    return connection.outlet


@contextmanager
def world(access: Access | None = None, bounds: Bounds | None = None, max_rate: float | None = None) -> Iterator[World]:
    clock = FakeClock()
    with memory_manager(clock=clock) as manager:
        hub = Hub(manager, max_rate=max_rate, clock=clock)
        driver = FakeDriver()
        hub.driven_by(driver)
        protocol = Protocol(manager, hub, access or CapabilityAccess(), bounds=bounds, clock=clock)
        yield World(manager, hub, protocol, clock, driver)
        hub.close()

"""Deliberately broken variants of outlet, store, hub and protocol: what the checker must catch, one promise each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headway import ProgressManager
from headway.model.ports import Store, Swap, TaskQuery
from headway.model.task import FINAL, Task
from headway.stores.memory import MemoryStore
from headway.web.frames import Frame, Outlet
from headway.web.protocol import Connection, Protocol
from tests.chaos.inside import House, Onlooker

# ── between the hub and a viewer ─────────────────────────────────────────────────────────────────────────────────


class Faithful:
    """Hands everything on. What is broken overrides `offer`."""

    def __init__(self, onlooker: Onlooker) -> None:
        self.onlooker = onlooker

    def offer(self, frame: Frame) -> bool:
        return self.onlooker.offer(frame)

    def emit(self, event: str, payload: str) -> None:
        self.onlooker.emit(event, payload)

    def acknowledge(self, ack_id: str, payload: str) -> None:
        self.onlooker.acknowledge(ack_id, payload)

    def close(self) -> None:
        self.onlooker.close()


def is_final(frame: Frame) -> bool:
    return frame.event == "progress" and json.loads(frame.payload)["state"] in FINAL


class ForgetsTheFinal(Faithful):
    def offer(self, frame: Frame) -> bool:
        return True if is_final(frame) else super().offer(frame)


class DropsLogPages(Faithful):
    """Every second one."""

    pages = 0

    def offer(self, frame: Frame) -> bool:
        if frame.event == "log":
            self.pages += 1
            if self.pages % 2 == 0:
                return True
        return super().offer(frame)


class Duplicates(Faithful):
    def offer(self, frame: Frame) -> bool:
        super().offer(frame)
        return super().offer(frame)


class DuplicatesLogs(Faithful):
    def offer(self, frame: Frame) -> bool:
        if frame.event == "log":
            super().offer(frame)
        return super().offer(frame)


class Reorders(Faithful):
    """Each frame comes after the next one."""

    held: Frame | None = None

    def offer(self, frame: Frame) -> bool:
        held, self.held = self.held, frame
        if held is not None:
            super().offer(frame)
            self.held = None
            return super().offer(held)
        return True


class GoesBackwards(Faithful):
    """Says again, with a rev that rises, what it said two states ago."""

    said: list[Frame]

    def __init__(self, onlooker: Onlooker) -> None:
        super().__init__(onlooker)
        self.said = []

    def offer(self, frame: Frame) -> bool:
        if frame.event == "progress" and not is_final(frame):
            self.said.append(frame)
            if len(self.said) > 3:
                payload = json.loads(self.said[-3].payload) | {"rev": frame.rev}
                return super().offer(Frame("progress", json.dumps(payload), epoch=frame.epoch, rev=frame.rev))
        return super().offer(frame)


class ForgetsToRaiseRevs(Faithful):
    """Every state of a task is told under the first rev."""

    def __init__(self, onlooker: Onlooker) -> None:
        super().__init__(onlooker)
        self.first: dict[str, int] = {}

    def offer(self, frame: Frame) -> bool:
        payload = json.loads(frame.payload)
        if frame.event == "progress":
            payload["rev"] = self.first.setdefault(payload["task_id"], payload["rev"])
        return super().offer(Frame(frame.event, json.dumps(payload), epoch=frame.epoch, rev=frame.rev))


class SpeaksAfterTheEnd(Faithful):
    def offer(self, frame: Frame) -> bool:
        taken = super().offer(frame)
        if is_final(frame):
            payload = json.loads(frame.payload) | {"rev": frame.rev + 1, "state": "running", "progress": 100}
            super().offer(Frame("progress", json.dumps(payload), epoch=frame.epoch, rev=frame.rev + 1))
        return taken


class Lies(Faithful):
    """Done before it is."""

    def offer(self, frame: Frame) -> bool:
        if frame.event != "progress" or is_final(frame):
            return super().offer(frame)
        payload = json.loads(frame.payload)
        if self.onlooker.name == "bob" and payload["progress"]:
            payload |= {"progress": payload["progress"] + 1}
        return super().offer(Frame("progress", json.dumps(payload), epoch=frame.epoch, rev=frame.rev))


class Leaks:
    """What one viewer is sent, all are."""

    def __init__(self) -> None:
        self._all: list[Onlooker] = []

    def __call__(self, onlooker: Onlooker) -> Outlet:
        self._all.append(onlooker)
        everybody = self._all

        class Leaking(Faithful):
            def offer(self, frame: Frame) -> bool:
                for one in everybody:
                    one.offer(frame)
                return True

        return Leaking(onlooker)


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────


class Wrapped:
    """A store around another one."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def recovered(self) -> Store:
        """What is found after a crash."""
        return self.inner


class AcknowledgesBeforeWriting(Wrapped):
    """Ends are told at once, and written later; then the power goes."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._unwritten: dict[str, Task] = {}
        self._tell: list[Callable[[Sequence[Task]], None]] = []

    def swap(self, swap: Swap) -> Task | None:
        if not swap.new.has_ended:
            return self.inner.swap(swap)
        self._unwritten[swap.new.task_id] = stored = replace(swap.new, epoch=swap.old.epoch, rev=swap.old.rev + 1)
        for tell in self._tell:
            tell([stored])
        return stored

    def get(self, task_id: str) -> Task:
        return self._unwritten.get(task_id) or self.inner.get(task_id)

    def get_many(self, task_ids: Any) -> dict[str, Task]:
        return self.inner.get_many(task_ids) | {
            task_id: task for task_id, task in self._unwritten.items() if task_id in task_ids
        }

    def subscribe(self, on_change: Any, on_reset: Any, *, selective: bool = False) -> Any:
        self._tell.append(on_change)
        return self.inner.subscribe(on_change, on_reset, selective=selective)


class LosesWhatItCreates(Wrapped):
    """The newest tasks are not there after a crash."""

    def recovered(self) -> Store:
        return MemoryStore()


class RevivesTheEnded(Wrapped):
    """After a crash an ended task runs again."""

    def recovered(self) -> Store:
        for task in self.inner.list(TaskQuery(limit=500)):
            if task.has_ended:
                self.inner.swap(Swap(task, replace(task, state="running", finished_at=None)))
        return self.inner


class LetsProgressFall(Wrapped):
    """Every second change of a task stores half of what was reported."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._changes: Counter[str] = Counter()

    def swap_many(self, swaps: Sequence[Swap]) -> Any:
        return self.inner.swap_many([swap if swap.new.has_ended else self._falling(swap) for swap in swaps])

    def _falling(self, swap: Swap) -> Swap:
        self._changes[swap.new.task_id] += 1
        share = 1 if self._changes[swap.new.task_id] % 2 else 0.5
        return swap._replace(new=replace(swap.new, progress=(swap.new.progress or 0) * share))


# ── hub and protocol ─────────────────────────────────────────────────────────────────────────────────────────────


class ForgetsToLeave(Protocol):
    def _leave(self, connection: Connection, data: object) -> Any:
        return {"ok": True}


class JoinsWithoutTheState(Protocol):
    """Only what comes later is sent."""

    def join(self, connection: Connection, *arguments: Any, **more: Any) -> Task:
        task = super().join(connection, *arguments, **more)
        subscription = connection.subscriptions[task.task_id]
        subscription.is_owed, subscription.epoch, subscription.rev = False, task.epoch, task.rev
        return task


class JoinsTheWrongTask(Protocol):
    """Whatever is asked for, the first task of all is sent as well."""

    def _join(self, connection: Connection, data: object) -> Any:
        oldest = list(self.manager.list_tasks())[-1]
        self.join(connection, connection.request, oldest.task_id, None)
        return super()._join(connection, data)


class DropsConnectionsSilently(Protocol):
    """A connection is forgotten though it is there."""

    def _ping(self, connection: Connection, data: object) -> Any:
        self.hub.drop(connection)
        return super()._ping(connection, data)


@dataclass(frozen=True)
class Variant:
    """How to build a house, and the rule that its history must break."""

    breaks: str
    outlet: Callable[[Onlooker], Outlet] | None = None
    store: Callable[[Store], Any] | None = None
    protocol: type[Protocol] = Protocol

    def house(self) -> House:
        store = (self.store or Wrapped)(MemoryStore())
        outlet = self.outlet() if self.outlet is Leaks else self.outlet  # type: ignore[call-arg]
        return House(ProgressManager(store=store), outlet=outlet or Faithful, new_protocol=self.protocol)


VARIANTS: dict[str, Variant] = {
    "forgets the final": Variant("final", ForgetsTheFinal),
    "drops pages of the log": Variant("log", DropsLogPages),
    "duplicates": Variant("rev", Duplicates),
    "duplicates pages of the log": Variant("log", DuplicatesLogs),
    "reorders": Variant("rev", Reorders),
    "goes backwards": Variant("progress", GoesBackwards),
    "speaks after the end": Variant("final", SpeaksAfterTheEnd),
    "says something else to one viewer": Variant("agree", Lies),
    "leaks": Variant("joined", Leaks),  # type: ignore[arg-type]
    "acknowledges before the write": Variant("acknowledged", store=AcknowledgesBeforeWriting),
    "loses what it creates": Variant("acknowledged", store=LosesWhatItCreates),
    "revives the ended": Variant("acknowledged", store=RevivesTheEnded),
    "forgets to raise revs": Variant("rev", ForgetsToRaiseRevs),
    "lets progress fall": Variant("progress", store=LetsProgressFall),
    "forgets to leave": Variant("joined", protocol=ForgetsToLeave),
    "joins without the state": Variant("final", protocol=JoinsWithoutTheState),
    "joins the wrong task": Variant("joined", protocol=JoinsTheWrongTask),
    "drops connections silently": Variant("final", protocol=DropsConnectionsSilently),
}

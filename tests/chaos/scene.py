"""What one run of chaos shares: who judges, which tasks there are, when to stop."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from typing import Any

from tests.chaos.ledger import Entry, Ledger
from tests.invariants import FINAL_STATES, Checker, Event, Kind

RECENT = 60
TRAIL = 100


class Scene:
    """On one loop."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.checker = Checker()
        self.ledger = Ledger()
        self.stopping = asyncio.Event()
        """No new tasks any more, no faults; what runs may end."""
        self.has_begun = asyncio.Event()
        """Somebody has seen something."""
        self.counts: Counter[str] = Counter()
        self.online: set[str] = set()
        self.heard: list[dict[str, Any]] = []
        """Reports that were taken from workers who had been told that it is over."""
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._names: set[str] = set()
        self._trails: dict[str, deque[Event]] = {}
        self.found: list[str] = []
        """What the checker has found so far, and what that viewer did and saw before."""
        self._attempts: dict[str, int] = {}
        self._epochs: dict[str, str] = {}
        self._ended: set[str] = set()

    def journal(self, entry: dict[str, Any]) -> None:
        """From a worker or the server."""
        if entry["op"] == "heard":
            self.heard.append(entry)
            return
        self.ledger.take(entry)  # type: ignore[arg-type]  # an Entry, as JSON gives it
        if entry["op"] == "create":
            self._recent.append(entry["task_id"])

    def some_task(self, rng: random.Random) -> str | None:
        """Mostly one that is alive, as far as anybody has seen."""
        alive = [task_id for task_id in self._recent if task_id not in self._ended]
        tasks = alive if alive and rng.random() < 0.9 else self._recent
        return rng.choice(tasks) if tasks else None

    def names(self) -> set[str]:
        """Of all viewers so far."""
        return self._names

    def viewer_did(
        self, kind: Kind, viewer: str, task_id: str | None = None, payload: dict[str, Any] | None = None
    ) -> None:
        self._names.add(viewer)
        if kind == "connect":
            self.online.add(viewer)
        elif kind == "disconnect":
            self.online.discard(viewer)
        self._take(Event(viewer=viewer, kind=kind, task_id=task_id, payload=payload or {}))

    def viewer_saw(self, kind: Kind, viewer: str, payload: dict[str, Any]) -> None:
        task_id = payload["task_id"]
        if kind == "progress":
            self._attempts[task_id] = payload["attempt"]
            self._epochs[task_id] = payload["epoch"]
            if payload["state"] in FINAL_STATES:
                self._ended.add(task_id)
            else:
                self._ended.discard(task_id)
        self.counts[kind] += 1
        self.has_begun.set()
        self._take(Event(viewer=viewer, kind=kind, task_id=task_id, payload=payload))

    def _take(self, event: Event) -> None:
        before = len(self.checker.found)
        self.checker.take(event)
        trail = self._trails.setdefault(event["viewer"], deque(maxlen=TRAIL))
        trail.append(event)
        if len(self.checker.found) > before:
            self.found += [f"{violation}" for violation in self.checker.found[before:]]
            of_this = [one for one in trail if one["task_id"] in (None, event["task_id"])]
            self.found.append("    " + " | ".join(_brief(one) for one in of_this))

    def acknowledged(self, op: str, task_id: str, epoch: str, attempt: int) -> None:
        """To a viewer, who knew this attempt when it asked."""
        self.counts[op] += 1
        entry = Entry(op=op, task_id=task_id, epoch=epoch, attempt=attempt)  # type: ignore[typeddict-item]
        self.ledger.take(entry)

    def known(self, task_id: str) -> tuple[str, int] | None:
        """The epoch and attempt that viewers have seen last."""
        if task_id not in self._attempts:
            return None
        return self._epochs[task_id], self._attempts[task_id]


def _brief(event: Event) -> str:
    payload = event["payload"]
    match event["kind"]:
        case "progress":
            rev = f"{payload['epoch'][:4]}:{payload['rev']}/{payload['attempt']}"
            return f"{payload['state']} {payload['progress']} {rev}"
        case "log":
            numbers = [line["n"] for line in payload["lines"]]
            return f"log {payload['epoch'][:4]} {numbers[:1]}…{numbers[-1:]} {payload.get('truncated_before', '')}"
        case "join":
            return f"join {payload.get('log_from', '')}"
        case kind:
            return kind

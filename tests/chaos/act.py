"""One act of chaos: a store, a server, workers and viewers, what is done to them, and the judgement in the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.model.task import Task
from headway.stores.sqlite import SqliteStore
from headway.web.wire import task_payload_json
from tests.chaos import power, store_faults
from tests.chaos.clock import set_offset
from tests.chaos.ledger import mark_in
from tests.chaos.plan import Plan, Step
from tests.chaos.processes import Killed, new_log
from tests.chaos.proxy import Proxy
from tests.chaos.scene import Scene
from tests.chaos.viewers import SocketIOViewer, StreamViewer, Viewer, WireViewer
from tests.helpers import free_port

SETTLED_S = 120.0
PLANNED = ("PlannedFailure",)


@dataclass
class Figures:
    """What an act, or several, have done and found."""

    seconds: float = 0.0
    events: int = 0
    faults: int = 0
    kills: int = 0
    acknowledged: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.seconds += other.seconds
        self.events += other.events
        self.faults += other.faults
        self.kills += other.kills
        self.acknowledged += other.acknowledged
        self.counts += other.counts
        self.problems += other.problems

    def line(self) -> str:
        return (
            f"{self.events:,} viewer events, {self.faults:,} faults, {self.kills:,} kills, "
            f"{self.acknowledged:,} acknowledgements held, {len(self.problems):,} violations in {self.seconds:.0f} s"
        )

    def table(self) -> str:
        return "\n".join(f"  {name:<24}{count:>12,}" for name, count in sorted(self.counts.items()))


class Act:
    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._path = folder / "headway.db"
        self._clock = folder / "clock"
        set_offset(self._clock, 0.0)
        self._sync_points = folder / "synced" if "power" in plan.every_s else None
        if self._sync_points is not None:
            self._sync_points.mkdir()
        self._scene = Scene(plan.seed)
        self._port = free_port()
        self._figures = Figures()
        self._log = new_log(folder, "processes")
        self._server = Killed("tests.chaos.server", self._server_arguments, self._log, self._scene.journal)
        self._workers = [
            Killed("tests.chaos.work", self._worker_arguments(number), self._log, self._scene.journal)
            for number in range(plan.workers)
        ]
        self._store_fault = asyncio.Lock()
        self._upkeep: dict[Killed, asyncio.Lock] = {killed: asyncio.Lock() for killed in (self._server, *self._workers)}
        self._blows: set[asyncio.Task[None]] = set()

    async def play(self) -> Figures:
        began = time.monotonic()
        viewers: list[asyncio.Task[None]] = []
        try:
            await self._start(self._server)
            for worker in self._workers:
                await worker.start()
            async with Proxy(self._port) as proxy:
                viewers = [asyncio.ensure_future(viewer.run()) for viewer in self._viewers(proxy.port)]
                await self._strike_all(proxy)
                self._figures.counts.update({f"net {fault}": count for fault, count in proxy.faults.items()})
                await self._settle(viewers)
                for viewer in viewers:
                    viewer.cancel()
                await asyncio.gather(*viewers, return_exceptions=True)
        finally:
            await self._end_processes()
            self._log.close()
        self._judge_log()
        figures, scene = self._figures, self._scene
        figures.seconds = time.monotonic() - began
        figures.events = scene.counts["progress"] + scene.counts["log"]
        figures.acknowledged = len(scene.ledger)
        figures.counts += scene.counts
        return figures

    # ── the cast ─────────────────────────────────────────────────────────────────────────────────────────────

    def _viewers(self, port: int) -> list[Viewer | Any]:
        seed, scene = self._plan.seed, self._scene
        others: list[Any] = [
            SocketIOViewer("socketio-websocket", scene, port, seed + 1, "websocket"),
            SocketIOViewer("socketio-polling", scene, port, seed + 2, "polling"),
            StreamViewer("stream-1", scene, port, seed + 3),
            StreamViewer("stream-2", scene, port, seed + 4),
        ]
        return others + [
            WireViewer(f"wire-{number}", scene, port, seed * 100 + number) for number in range(self._plan.viewers)
        ]

    def _server_arguments(self, starts: int) -> list[str]:
        seed = self._plan.seed * 100 + starts
        return [*self._common(), "--port", str(self._port), "--seed", str(seed)]

    def _worker_arguments(self, number: int) -> Any:
        return lambda starts: [*self._common(), "--seed", str(self._plan.seed * 1_000 + number * 300 + starts)]

    def _common(self) -> list[str]:
        common = ["--store", str(self._path), "--clock", str(self._clock)]
        return common if self._sync_points is None else [*common, "--sync-points", str(self._sync_points)]

    async def _start(self, server: Killed) -> None:
        await server.start()
        if server is self._server:
            # On a busy machine, and all of them at once after a power cut: Python alone takes a while.
            async with asyncio.timeout(SETTLED_S):
                await server.is_ready.wait()

    # ── blows ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _strike_all(self, proxy: Proxy) -> None:
        began = time.monotonic()
        for step in self._plan.steps():
            await asyncio.sleep(max(0.0, began + step.at_s - time.monotonic()))
            blow = asyncio.ensure_future(self._strike(step, proxy))
            self._blows.add(blow)
        await asyncio.sleep(max(0.0, began + self._plan.seconds - time.monotonic()))
        with contextlib.suppress(TimeoutError):
            # On a busy machine the processes may only just have begun by then.
            async with asyncio.timeout(SETTLED_S):
                await self._scene.has_begun.wait()
        # What they raised is this program's own fault, not the system's.
        for blow in self._blows:
            await blow

    async def _strike(self, step: Step, proxy: Proxy) -> None:
        match step.blow:
            case "net" if step.what == "cut_all":
                proxy.cut_all()
                self._count("net cut_all")
            case "net":
                if proxy.inject(step.what, self._scene.rng, lasting_s=step.number):  # type: ignore[arg-type]
                    self._figures.faults += 1
            case "kill":
                await self._kill(step)
            case "pause":
                await self._pause(step)
            case "power":
                await self._cut_power(step, proxy)
            case "clock":
                set_offset(self._clock, step.number)
                self._count("clock jumps")
            case _:
                async with self._store_fault:
                    await self._hurt_store(step)

    def _whom(self, what: str) -> Killed:
        name, _, number = what.partition(" ")
        return self._server if name == "server" else self._workers[int(number.split()[0])]

    async def _kill(self, step: Step) -> None:
        killed = self._whom(step.what)
        number = signal.Signals[step.what.split()[-1]]
        async with self._upkeep[killed]:
            if number == signal.SIGKILL and self._sync_points is not None:
                await asyncio.to_thread(power.kill, [killed.pid], self._sync_points)
            await killed.signal(number)
            self._figures.kills += 1
            self._figures.counts[f"{step.what.split()[0]} {number.name}"] += 1
            await asyncio.sleep(step.number)
            await self._start(killed)

    async def _cut_power(self, step: Step, proxy: Proxy) -> None:
        """All at once; what was not synced is gone; after a while they come back."""
        assert self._sync_points is not None
        all_of_them = (self._server, *self._workers)
        async with contextlib.AsyncExitStack() as stack:
            for killed in all_of_them:
                await stack.enter_async_context(self._upkeep[killed])
            await asyncio.to_thread(power.kill, [killed.pid for killed in all_of_them], self._sync_points)
            for killed in all_of_them:
                await killed.ended()
            self._figures.kills += len(all_of_them)
            while self._scene.online:
                proxy.cut_all()
                await asyncio.sleep(0.05)
            if power.restore(self._path, self._sync_points):
                self._scene.checker.rewound()
                self._count("power cuts")
            await asyncio.sleep(step.number)
            for killed in all_of_them:
                await self._start(killed)

    async def _pause(self, step: Step) -> None:
        paused = self._whom(step.what)
        async with self._upkeep[paused]:
            os.kill(paused.pid, signal.SIGSTOP)
            await asyncio.sleep(step.number)
            os.kill(paused.pid, signal.SIGCONT)
            self._count("paused processes")

    async def _hurt_store(self, step: Step) -> None:
        match step.blow:
            case "lock":
                await self._while(store_faults.locked(self._path), step.number)
                self._count("store locked")
            case "full":
                pids = [killed.pid for killed in (self._server, *self._workers) if killed.is_running()]
                await self._while(store_faults.no_room(pids, self._path), step.number)
                self._count("disk full")
            case "readonly" if store_faults.can_make_read_only(self._folder):
                await self._while(store_faults.read_only(self._path), step.number)
                self._count("store read-only")
            case "delete":
                store_faults.delete(self._path)
                self._scene.checker.replaced()
                self._count("store deleted")
            case "replace":
                copy = self._folder / "backup.db"
                try:
                    await asyncio.to_thread(store_faults.back_up, self._path, copy)
                except sqlite3.Error:
                    return  # It was deleted a moment ago.
                await asyncio.sleep(step.number)
                store_faults.replace(self._path, copy)
                self._scene.checker.replaced()
                copy.unlink()
                self._count("store replaced")

    async def _while(self, fault: contextlib.AbstractContextManager[None], seconds: float) -> None:
        await asyncio.to_thread(fault.__enter__)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(fault.__exit__, None, None, None)

    def _count(self, what: str) -> None:
        self._figures.faults += 1
        self._figures.counts[what] += 1

    # ── judgement ────────────────────────────────────────────────────────────────────────────────────────────

    async def _settle(self, viewers: list[asyncio.Task[None]]) -> None:
        """Nothing is begun any more: what runs ends, and every viewer sees it."""
        self._scene.stopping.set()
        for killed in (self._server, *self._workers):
            killed.finish()
        deadline = time.monotonic() + SETTLED_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_S):
                for worker in self._workers:
                    await worker.ended(timeout=SETTLED_S)
        store = SqliteStore(self._path)
        try:
            while True:
                stored, epoch = await asyncio.to_thread(self._stored, store)
                alive = {task_id for task_id, task in stored.items() if not task.has_ended}
                # Nobody has begun them, and nobody holds them: who would have was killed.
                forgotten = {
                    task_id for task_id in alive if stored[task_id].state == "pending" and not stored[task_id].holder
                }
                truth = {task_id: _payload(task) for task_id, task in stored.items() if task.has_ended}
                missing = self._scene.checker.awaited(unfinished=forgotten, truth=truth)
                if (not missing and alive == forgotten) or time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.2)
            self._judge(store, stored, epoch, forgotten, truth)
        finally:
            await asyncio.to_thread(store.close)
        for viewer in viewers:
            if viewer.done():
                self._problem(f"a viewer ended: {viewer.exception()!r}")

    def _stored(self, store: SqliteStore) -> tuple[dict[str, Task], str]:
        epoch = store.epoch()
        ids = self._scene.ledger.about(epoch) | {
            task_id for viewer in self._scene.names() for task_id in self._scene.checker.joined(viewer)
        }
        return store.get_many(ids), epoch

    def _judge(
        self, store: SqliteStore, stored: dict[str, Task], epoch: str, forgotten: set[str], truth: dict[str, Any]
    ) -> None:
        scene = self._scene
        for task_id, task in stored.items():
            if not task.has_ended and task_id not in forgotten:
                self._problem(f"stuck: {task}")

        def mark_of(task: Task) -> str | None:
            text = store.large_result(task.task_id) if task.has_large_result else task.inline_result
            return mark_in(json.loads(text)) if text else None

        for broken in scene.ledger.broken(epoch, stored, mark_of):
            self._problem(f"acknowledged, but {broken.text}: {broken.entry}")
        self._figures.problems += scene.found
        before = len(scene.checker.found)
        for violation in scene.checker.finish(unfinished=forgotten, truth=truth)[before:]:
            self._problem(f"{violation}")
        for heard in scene.heard:
            self._problem(f"heard after its end: {heard}")

    def _judge_log(self) -> None:
        log = (self._folder / "processes.log").read_text(errors="replace")
        for block in re.split(r"\n(?=[A-Z]+ )", log):
            if "Traceback" in block and not any(name in block for name in PLANNED):
                self._problem(f"in the log: {block[:200]} … {block[-600:]}")
        words = Counter(line.partition(" ")[0] for line in log.splitlines())
        warnings = {word: words[word] for word in ("WARNING", "ERROR")}
        self._figures.counts.update({f"log {name}": count for name, count in warnings.items()})

    def _problem(self, text: str) -> None:
        self._figures.problems.append(text)

    async def _end_processes(self) -> None:
        for killed in (self._server, *self._workers):
            if killed.is_running():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(killed.pid, signal.SIGCONT)
                await killed.signal(signal.SIGKILL)


def _payload(task: Task) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(task_payload_json(task, 0.0))
    return payload

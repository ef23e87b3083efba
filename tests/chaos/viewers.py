"""Viewers who come and go: cheap ones on raw WebSockets, real Socket.IO clients, and event streams.

Each keeps to its tasks over all its connections, so that the checker holds what it sees after a reconnect against what
it saw before.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from typing import Any

import aiohttp
import socketio

from tests.chaos.scene import Scene
from tests.chaos.wire import NAMESPACE, Disconnected, WireConnection
from tests.invariants import FINAL_STATES

WATCHED = 6
PATIENCE_S = 6.0


class Viewer:
    """What all viewers have in common: which tasks they watch, and what they tell the scene."""

    def __init__(self, name: str, scene: Scene, port: int, seed: int) -> None:
        self.name = name
        self.scene = scene
        self.port = port
        self.rng = random.Random(seed)
        self.watched: dict[str, int | None] = {}
        """By task the log line due next, or None where the log is not followed."""
        self.ended: dict[str, str] = {}

    def saw(self, event: str, payload: Any) -> None:
        match event:
            case "progress":
                self.scene.viewer_saw("progress", self.name, payload)
                task_id, state = payload["task_id"], payload["state"]
                if state in FINAL_STATES:
                    self.ended[task_id] = state
                else:
                    self.ended.pop(task_id, None)
            case "log":
                self.scene.viewer_saw("log", self.name, payload)
                if payload["lines"] and payload["task_id"] in self.watched:
                    self.watched[payload["task_id"]] = payload["lines"][-1]["n"] + 1
            case "error" if payload["code"] == "task_not_found" and payload.get("task_id"):
                self.gone(payload["task_id"])
            case "error":
                self.scene.counts[f"told {payload['code']}"] += 1

    def gone(self, task_id: str) -> None:
        """There is no such task any more, or it can't be joined now."""
        self.scene.viewer_did("leave", self.name, task_id)
        self.watched.pop(task_id, None)
        self.ended.pop(task_id, None)

    def joining(self, task_id: str) -> dict[str, Any]:
        """Note that a join is about to be sent; its payload."""
        start = self.watched.setdefault(task_id, 1 if self.rng.random() < 0.4 else None)
        asked = {} if start is None else {"log_from": start}
        self.scene.viewer_did("join", self.name, task_id, asked)
        return {"task_id": task_id} | asked

    def answered_join(self, task_id: str, answer: dict[str, Any]) -> None:
        if not answer["ok"]:
            self.scene.counts[f"refused {answer['error']['code']}"] += 1
            self.gone(task_id)

    def connected(self) -> None:
        self.scene.counts["connects"] += 1
        self.scene.viewer_did("connect", self.name)

    def disconnected(self) -> None:
        self.scene.viewer_did("disconnect", self.name)

    def next_task(self) -> str | None:
        """One more to watch, if any."""
        if self.scene.stopping.is_set() or len(self.watched) >= WATCHED:
            return None
        task_id = self.scene.some_task(self.rng)
        return None if task_id in self.watched else task_id


class WireViewer(Viewer):
    """On a raw WebSocket. Besides watching it cancels, retries, leaves, vanishes, and comes back before it has gone."""

    async def run(self) -> None:
        while True:
            self._current: WireConnection | None = None
            try:
                await self._watch(await self._connect())
            except Disconnected:
                self._abandon()
                await asyncio.sleep(self.rng.uniform(0.1, 1.0))

    async def _connect(self) -> WireConnection:
        mine: list[WireConnection] = []

        def on_event(name: str, payload: Any) -> None:
            if mine and mine[0] is self._current:
                self.saw(name, payload)

        connection = await WireConnection.connect("127.0.0.1", self.port, on_event)
        mine.append(connection)
        self._current = connection
        self.connected()
        for task_id in list(self.watched):
            await self._join(connection, task_id)
        return connection

    def _abandon(self) -> None:
        """Look at this connection no more. Sometimes the server still has it when the next one comes."""
        old, self._current = self._current, None
        self.disconnected()
        if old is not None:
            asyncio.get_running_loop().call_later(self.rng.choice((0, 0, 0, 3)), old.abort)

    async def _watch(self, connection: WireConnection) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(connection.closed), self.rng.uniform(0.1, 0.6))
                raise Disconnected("by the server")
            task_id = self.next_task()
            if task_id is not None:
                await self._join(connection, task_id)
            await self._do_something(connection)

    async def _do_something(self, connection: WireConnection) -> None:
        chance = self.rng.random()
        watched = self.rng.choice(list(self.watched)) if self.watched else None
        if chance < 0.02 and not self.scene.stopping.is_set():
            raise Disconnected("on a whim")
        if chance < 0.25:
            await connection.call("ping", {"t": 1}, timeout=PATIENCE_S)
        elif watched is None:
            return
        elif watched in self.ended and not self.scene.stopping.is_set():
            if self.ended[watched] != "completed" and chance < 0.4:
                await self._ask(connection, "retry", watched)
            elif chance < 0.6:
                await connection.call("leave", {"task_id": watched})
                self.gone(watched)
        elif chance > 0.985:
            await self._ask(connection, "cancel", watched)

    async def _ask(self, connection: WireConnection, what: str, task_id: str) -> None:
        known = self.scene.known(task_id)
        answer = await connection.call(f"{what}_task", {"task_id": task_id})
        if answer["ok"] and known is not None:
            self.scene.acknowledged(what, task_id, *known)

    async def _join(self, connection: WireConnection, task_id: str) -> None:
        self.answered_join(task_id, await connection.call("join", self.joining(task_id)))


class SocketIOViewer(Viewer):
    """python-socketio's client, on WebSocket or long polling."""

    def __init__(self, name: str, scene: Scene, port: int, seed: int, transport: str) -> None:
        super().__init__(name, scene, port, seed)
        self._transport = transport
        self._client: socketio.AsyncClient | None = None

    async def run(self) -> None:
        quiet = logging.getLogger("tests.chaos.socketio")
        quiet.setLevel(logging.CRITICAL)
        while True:
            self._client = client = socketio.AsyncClient(reconnection=False, logger=quiet, engineio_logger=quiet)
            for event in ("progress", "log", "error"):
                client.on(event, self._handler(event, client), namespace=NAMESPACE)
            try:
                await client.connect(
                    f"http://127.0.0.1:{self.port}",
                    namespaces=[NAMESPACE],
                    transports=[self._transport],
                    wait_timeout=10,
                )
                self.connected()
                await self._watch(client)
            except (socketio.exceptions.SocketIOError, aiohttp.ClientError, Disconnected, OSError, ValueError):
                pass
            finally:
                self._client = None
                self.disconnected()
                http = client.eio.http
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(client.disconnect(), 2)
                if http is not None:
                    await http.close()
            await asyncio.sleep(self.rng.uniform(0.1, 0.5))

    def _handler(self, event: str, client: socketio.AsyncClient) -> Any:
        async def handle(payload: Any) -> None:
            if client is self._client:
                self.saw(event, payload)

        return handle

    async def _watch(self, client: socketio.AsyncClient) -> None:
        for task_id in list(self.watched):
            await self._join(client, task_id)
        while client.connected:
            task_id = self.next_task()
            if task_id is not None:
                await self._join(client, task_id)
            for ended in [task_id for task_id in self.ended if self.rng.random() < 0.1]:
                if not self.scene.stopping.is_set():
                    await client.call("leave", {"task_id": ended}, namespace=NAMESPACE, timeout=PATIENCE_S)
                    self.gone(ended)
            await client.call("ping", {}, namespace=NAMESPACE, timeout=PATIENCE_S)
            await asyncio.sleep(self.rng.uniform(0.2, 0.6))

    async def _join(self, client: socketio.AsyncClient, task_id: str) -> None:
        answer = await client.call("join", self.joining(task_id), namespace=NAMESPACE, timeout=PATIENCE_S)
        self.answered_join(task_id, answer)


class StreamViewer(Viewer):
    """Server-Sent Events of one task after the other, resumed by Last-Event-ID."""

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=20)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                task_id = self.next_task() if not self.watched else next(iter(self.watched))
                if task_id is None:
                    await asyncio.sleep(0.2)
                    continue
                await self._follow(session, task_id)

    async def _follow(self, session: aiohttp.ClientSession, task_id: str) -> None:
        last_id = ""
        payload = self.joining(task_id)
        while task_id in self.watched:
            query = {"log_from": str(payload["log_from"])} if "log_from" in payload else {}
            url = f"http://127.0.0.1:{self.port}/api/tasks/{task_id}/events"
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                async with session.get(url, params=query, headers=headers) as response:
                    if response.status in (204, 404):
                        self.gone(task_id)
                        return
                    response.raise_for_status()
                    self.connected()
                    last_id = await self._read(response, last_id)
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(self.rng.uniform(0.1, 0.4))
            if task_id in self.watched:
                self.disconnected()
                payload = self.joining(task_id)

    async def _read(self, response: aiohttp.ClientResponse, last_id: str) -> str:
        """The id of the last event that came whole: half an event counts for nothing."""
        event = data = coming_id = ""
        try:
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: "):
                    data = line[6:]
                elif line.startswith("id: "):
                    coming_id = line[4:]
                elif not line and data:
                    self.saw(event, json.loads(data))
                    last_id, data = coming_id, ""
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        return last_id

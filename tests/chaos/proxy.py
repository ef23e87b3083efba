"""A TCP proxy on the loop of who uses it, which can do to a connection what networks do.

cut        both sides are reset
stall      nothing passes for a while, in one direction or both; then it goes on
half_open  the client is gone, and the server is never told (until the fault ends)
delay      everything arrives late
drip       a few bytes at a time
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Literal

Fault = Literal["cut", "stall", "half_open", "delay", "drip"]
FAULTS: tuple[Fault, ...] = ("cut", "stall", "half_open", "delay", "drip")
CHUNK = 64 * 1024


class Proxy:
    """Forwards to a port of this machine. As an async context manager."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.faults: Counter[str] = Counter()
        self.came: Counter[str] = Counter()
        """Bytes from either side, by the way they go: `up`, `down`. Whether they go on, a fault may decide."""
        self._target_port = target_port
        self._accepted_count = 0
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        return len(self._pairs)

    def inject(self, fault: Fault, rng: random.Random, *, lasting_s: float = 1.0) -> bool:
        """Do it to one connection that is whole; False where there is none."""
        whole = [pair for pair in self._pairs if pair.is_whole]
        if not whole:
            return False
        pair = rng.choice(sorted(whole, key=lambda pair: pair.number))
        self.faults[fault] += 1
        match fault:
            case "cut":
                pair.cut()
            case "stall":
                self._later(pair.stall(rng.choice(("down", "up", "both")), lasting_s))
            case "half_open":
                self._later(pair.half_open(lasting_s))
            case "delay":
                self._later(pair.slowed(lasting_s, delay_s=rng.uniform(0.02, 0.3)))
            case "drip":
                self._later(pair.slowed(lasting_s, chunk=rng.choice((1, 7, 64)), delay_s=0.002))
        return True

    def lead_to(self, target_port: int) -> None:
        """Where new connections go."""
        self._target_port = target_port

    def cut_all(self) -> None:
        for pair in list(self._pairs):
            pair.cut()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._later(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._accepted_count += 1
        pair = _Pair(self._accepted_count, (reader, writer), to_server, self.came)
        self._pairs.add(pair)
        try:
            await pair.run()
        finally:
            self._pairs.discard(pair)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pair:
    """One connection through the proxy: a side to the client, and one to the server."""

    def __init__(self, number: int, client: Streams, server: Streams, came: Counter[str]) -> None:
        self.number = number
        self._came = came
        self._client = client
        self._server = server
        self._passes = {"up": asyncio.Event(), "down": asyncio.Event()}
        for passes in self._passes.values():
            passes.set()
        self._delay_s = 0.0
        self._chunk = CHUNK
        self._holds_server = asyncio.Event()
        self._holds_server.set()
        self.is_whole = True

    async def run(self) -> None:
        up = asyncio.ensure_future(self._pump(self._client[0], self._server[1], "up"))
        down = asyncio.ensure_future(self._pump(self._server[0], self._client[1], "down"))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            await self._holds_server.wait()
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            self.cut()

    def cut(self) -> None:
        self.is_whole = False
        self._holds_server.set()
        self._client[1].transport.abort()
        self._server[1].transport.abort()

    async def stall(self, which: Literal["up", "down", "both"], lasting_s: float) -> None:
        self.is_whole = False
        ways = ("up", "down") if which == "both" else (which,)
        for way in ways:
            self._passes[way].clear()
        await asyncio.sleep(lasting_s)
        for way in ways:
            self._passes[way].set()
        self.is_whole = True

    async def half_open(self, lasting_s: float) -> None:
        self.is_whole = False
        self._holds_server.clear()
        for passes in self._passes.values():
            passes.clear()
        self._client[1].transport.abort()
        await asyncio.sleep(lasting_s)
        self.cut()

    async def slowed(self, lasting_s: float, *, delay_s: float, chunk: int = CHUNK) -> None:
        self.is_whole = False
        self._delay_s, self._chunk = delay_s, chunk
        await asyncio.sleep(lasting_s)
        self._delay_s, self._chunk = 0.0, CHUNK
        self.is_whole = True

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        passes = self._passes[way]
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                self._came[way] += len(data)
                start = 0
                while start < len(data):
                    if self._delay_s:
                        await asyncio.sleep(self._delay_s)
                    if not passes.is_set():
                        await passes.wait()
                    some = data[start : start + self._chunk]
                    writer.write(some)
                    await writer.drain()
                    start += len(some)

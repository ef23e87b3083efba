"""A POST that is answered by a stream of server-sent events, read so that it can be left at any moment.

The request runs on an event loop in a thread of its own: a blocking read could not be given up before its time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from headway.demo.errors import GeneratorError
from headway.demo.generators import failures
from headway.demo.generators.base import Wait
from headway.model.errors import MissingExtra

try:
    import httpx
except ImportError as error:
    raise MissingExtra("httpx", "demo") from error

# How soon a cancel is noticed while nothing arrives.
_GLANCE_S = 0.05
# One line of a stream; and an answer that is no stream.
_LONGEST_LINE = 1 << 20


class EventStream:
    """The data of each event, as text. A context manager: leaving it ends the request."""

    def __init__(
        self,
        url: str,
        *,
        body: dict[str, Any],  # Any: JSON
        headers: dict[str, str],
        connect_s: float,
        read_s: float,
        whole_s: float,
        language: str,
    ) -> None:
        self._url = url
        self._body = body
        self._headers = headers
        self._timeout = httpx.Timeout(read_s, connect=connect_s)
        self._whole_s = whole_s
        self._language = language
        self._arrived: SimpleQueue[str | GeneratorError | None] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = Thread(target=self._run, name="headway-text-service", daemon=True)

    def __enter__(self) -> Self:
        self._task = self._loop.create_task(self._request())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            with suppress(RuntimeError):  # the loop has closed: the request is over
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join()

    def events(self, wait: Wait) -> Iterator[str]:
        """Raises `GeneratorError`, and what `wait` raises."""
        while True:
            wait(0)
            try:
                item = self._arrived.get(timeout=_GLANCE_S)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, GeneratorError):
                raise item
            yield item

    def _run(self) -> None:
        assert self._task is not None
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _request(self) -> None:
        try:
            async with asyncio.timeout(self._whole_s):
                await self._receive()
            self._arrived.put(None)
        except GeneratorError as error:
            self._arrived.put(error)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            self._fail("generator_timeout")
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
            httpx.ProxyError,
        ):
            self._fail("generator_unreachable")
        except httpx.HTTPError:
            # Cut off, reset, or no HTTP at all. What httpx says may have the address in it, so it is not passed on.
            self._fail("generator_cut")

    def _fail(self, code: str) -> None:
        self._arrived.put(failures.failure(code, self._language))

    async def _receive(self) -> None:
        async with (
            httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client,
            client.stream("POST", self._url, json=self._body, headers=self._headers) as response,
        ):
            if response.status_code != 200:
                raise failures.of_status(response.status_code, self._language)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":  # a service that does not stream
                self._arrived.put("".join([line async for line in self._lines(response)]))
                self._arrived.put("[DONE]")
                return
            if kind != "text/event-stream":
                raise failures.failure("generator_bad_output", self._language)
            data: list[str] = []
            async for line in self._lines(response):
                if not line and data:
                    self._arrived.put("\n".join(data))
                    data = []
                elif line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
            if data:
                self._arrived.put("\n".join(data))

    async def _lines(self, response: httpx.Response) -> AsyncIterator[str]:
        """Lines as SSE has them, of bounded length."""
        rest = b""
        async for chunk in response.aiter_bytes():
            *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace").removesuffix("\r")
            if len(rest) > _LONGEST_LINE:
                raise failures.failure("generator_bad_output", self._language)
        if rest:
            yield rest.decode("utf-8", "replace")

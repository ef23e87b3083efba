"""HTTP on ASGI for the gateway: reading bounded bodies, writing responses, streaming events. No thread a viewer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

from headway.model.errors import HeadwayError
from headway.web import headers, sse
from headway.web.rates import Bounds
from headway.web.request import Request, bearer, headers_by_name
from headway.web.rest import Api, Response
from headway.web.wire import WireError

Scope = MutableMapping[str, Any]  # ASGI's own loose types
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client went away before its request was complete."""


def path_of(scope: Scope) -> str:
    """The path below where the app is mounted. ASGI ≥ 2.3 keeps the mount in `path`, older servers take it off."""
    path: str = scope["path"]
    mount: str = scope.get("root_path") or ""
    return path[len(mount) :] or "/" if mount and path.startswith(mount) else path


def request_of(scope: Scope, *, body: bytes = b"") -> Request:
    by_name = headers_by_name(scope["headers"])
    client = scope.get("client")
    return Request(
        method=scope.get("method", "GET"),
        path=path_of(scope),
        query_string=(scope.get("query_string") or b"").decode("latin-1"),
        headers=by_name,
        scheme=scope.get("scheme") or "http",
        remote=client[0] if client else None,
        mount=(scope.get("root_path") or "").rstrip("/"),
        body=body,
        token=bearer(by_name),
    )


async def read_body(scope: Scope, receive: Receive, limit: int, within_s: float) -> bytes:
    """The whole body, bounded in size and time. Raises `WireError` (`too_large`, `invalid_request`), `ClientGone`."""
    declared = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limit:
        raise WireError("too_large", f"the body must be up to {limit:,} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise WireError("too_large", f"the body must be up to {limit:,} bytes")
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        raise WireError("invalid_request", f"the body must arrive within {within_s:g} s") from None


async def respond(send: Send, response: Response, *, head: bool = False) -> None:
    has_body = response.status not in (204, 304)
    fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if has_body:
        fields.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if head or not has_body else response.body})


def abort(send: Send) -> None:
    """Drop the connection with all that waits to be sent: ASGI has no word for it, uvicorn's transport has."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if isinstance(transport, asyncio.Transport):
        transport.abort()


class EventStreams:
    """Serves /api/tasks/ID/events on the loop."""

    def __init__(self, api: Api, executor: Executor, bounds: Bounds) -> None:
        self._api = api
        self._executor = executor
        self._bounds = bounds
        self._open: set[sse.Opened] = set()

    def close(self) -> None:
        """End all streams: the server is about to stop."""
        for opened in list(self._open):
            opened.stream.close()

    async def serve(self, request: Request, task_id: str, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # The loop has been closed.
                loop.call_soon_threadsafe(news.set)

        def open_stream() -> sse.Opened | None:
            self._api.origins.check(request)
            return sse.open_stream(self._api.protocol, request, task_id, wake)

        try:
            opened = await loop.run_in_executor(self._executor, open_stream)
        except HeadwayError as error:
            await respond(send, self._api.refusal(request, error))
            return
        if opened is None:
            await respond(send, Response(204, headers=headers.SECURITY))
            return
        self._open.add(opened)
        watcher = asyncio.ensure_future(_until_gone(receive, opened.stream))
        try:
            await self._stream(request, opened, news, receive, send)
        finally:
            watcher.cancel()
            self._open.discard(opened)
            opened.close()

    async def _stream(
        self, request: Request, opened: sse.Opened, news: asyncio.Event, receive: Receive, send: Send
    ) -> None:
        extra = (("Headway-Actions", opened.actions), *headers.SECURITY, *self._api.cors_headers(request))
        fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in (*sse.HEADERS, *extra)]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        chunk = sse.OPENING
        try:
            while True:
                if chunk:
                    async with asyncio.timeout(self._bounds.body_within_s):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                has_ended = opened.has_ended()
                chunk = opened.stream.take()
                if chunk:
                    continue
                if has_ended:
                    break
                chunk = await _news_or_heartbeat(news, opened, receive)
        except TimeoutError:
            abort(send)  # It doesn't read at all. A viewer would come back, by Last-Event-ID.
        else:
            await send({"type": "http.response.body", "body": b""})


async def _news_or_heartbeat(news: asyncio.Event, opened: sse.Opened, receive: Receive) -> bytes:
    loop = asyncio.get_running_loop()
    until = loop.time() + sse.HEARTBEAT_S
    while not news.is_set():
        try:
            async with asyncio.timeout(min(1.0, until - loop.time())):
                await news.wait()
        except TimeoutError:
            # uvicorn, when it stops, waits for streams to end by themselves; this is how its connections tell.
            if getattr(getattr(receive, "__self__", None), "keep_alive", True) is False:
                opened.stream.close()
                return b""
            if loop.time() >= until:
                return sse.HEARTBEAT
    news.clear()
    return b""


async def _until_gone(receive: Receive, stream: sse.EventStream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()

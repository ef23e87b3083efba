"""A WSGI app beside the gateway, by a2wsgi, with the care that it needs.

Threads are few, so none is taken before the whole body is here (bounded in size and time), and none is kept by a client
that has gone or does not read: its stream is told to end at the next chunk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from headway.web.gateway_http import ClientGone, Message, Receive, Scope, Send, abort, read_body

log = logging.getLogger(__name__)

WORKERS = 40

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]  # PEP 3333's own loose types


class WsgiMount:
    """Serves `app` on ASGI. `body_limit` bytes of body, which must arrive `within_s` seconds."""

    def __init__(self, app: WsgiApp, *, workers: int, body_limit: int, within_s: float) -> None:
        self._asgi: Any = WSGIMiddleware(cast(Any, _ending_when_gone(app)), workers=workers)
        self._body_limit = body_limit
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `WireError` for a body over its limits."""
        try:
            body = await read_body(scope, receive, self._body_limit, self._within_s)
        except ClientGone:
            return
        client = _Client(receive, send, body, self._within_s)
        watcher = asyncio.ensure_future(client.watch())
        try:
            await self._asgi({**scope, "headway.client": client}, client.receive, client.send)
        finally:
            watcher.cancel()

    def close(self) -> None:
        self._asgi.executor.shutdown(wait=False, cancel_futures=True)


class _Client:
    """Stands between a2wsgi and the server: hands out the body, and notices when nobody is there any more."""

    def __init__(self, receive: Receive, send: Send, body: bytes, within_s: float) -> None:
        self.is_gone = False
        self._receive = receive
        self._send = send
        self._body: bytes | None = body
        self._within_s = within_s

    async def receive(self) -> Message:
        body, self._body = self._body, b""
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(self, message: Message) -> None:
        """Drops what nobody reads: were it to raise, a2wsgi's thread would wait for its queue for ever."""
        if self.is_gone:
            return
        try:
            async with asyncio.timeout(self._within_s):
                await self._send(message)
        except TimeoutError:
            self.is_gone = True
            abort(self._send)
        except Exception:
            log.debug("a client left in the middle of an answer", exc_info=True)
            self.is_gone = True

    async def watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True


def _ending_when_gone(app: WsgiApp) -> WsgiApp:
    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        client: _Client = environ["asgi.scope"]["headway.client"]
        return _Chunks(app(environ, start_response), client)

    return wrapped


class _Chunks:
    """The app's chunks, up to where the client has gone. `close` reaches the app's own (PEP 3333)."""

    def __init__(self, chunks: Iterable[bytes], client: _Client) -> None:
        self._chunks = chunks
        self._client = client

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if self._client.is_gone:
                return
            yield chunk

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

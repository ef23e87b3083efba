"""`Gateway`: everything for viewers as one ASGI app, with an existing WSGI app beside it if there is one.

    app = Gateway(manager, app=flask_app)        # uvicorn module:app
    fastapi_app.mount("/progress-bar", Gateway(manager))

Below where it is mounted it serves Socket.IO at /socket.io, /api/tasks…, /healthz, /metrics and /static/; everything
else goes to the WSGI app.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from headway.core.progress_manager import ProgressManager
from headway.model.errors import HeadwayError
from headway.web import headers
from headway.web.access import Access, HostRule, access_for
from headway.web.drivers import AsyncioDriver
from headway.web.gateway_engine import Engine
from headway.web.gateway_http import (
    ClientGone,
    EventStreams,
    Receive,
    Scope,
    Send,
    path_of,
    read_body,
    request_of,
    respond,
)
from headway.web.gateway_sockets import Sockets
from headway.web.gateway_wsgi import WORKERS, WsgiApp, WsgiMount
from headway.web.hub import Hub
from headway.web.origins import Origins
from headway.web.packets import checked_namespace
from headway.web.protocol import Protocol
from headway.web.rates import Bounds
from headway.web.rest import Api, Operator, Owner
from headway.web.static_files import PREFIX, StaticFiles
from headway.web.transport import Transport, transport_of
from headway.web.wire import WireError

log = logging.getLogger(__name__)

STORE_THREADS = 16


class Gateway:
    """An ASGI app. Constructing opens and starts nothing.

    `access`: `capability`, `signed` (with `secrets`, by default HEADWAY_SECRET), or a callable (request, action, task)
    -> bool; by default what the manager was given. `owner` and `operator` tell from a request who may list what.
    `origins`: other sites whose pages may connect. `fast=False` takes the ordinary road for WebSockets, too.
    `wsgi_body_limit` bounds the bodies of the WSGI app's requests.
    """

    def __init__(
        self,
        manager: ProgressManager,
        *,
        app: WsgiApp | None = None,
        access: str | HostRule | Access | None = None,
        secrets: str | Sequence[str] | None = None,
        owner: Owner | None = None,
        operator: Operator | None = None,
        origins: Iterable[str] = (),
        namespace: str = "/progress",
        static: bool = True,
        bounds: Bounds | None = None,
        heartbeat_s: float = 25,
        fast: bool = True,
        max_rate: float | None = 20,
        wsgi_workers: int = WORKERS,
        wsgi_body_limit: int | None = None,
    ) -> None:
        self.manager = manager
        self.access = access_for(manager.access, access, secrets)
        self.bounds = bounds or Bounds()
        self.hub = Hub(manager, namespace=checked_namespace(namespace), max_rate=max_rate)
        self.protocol = Protocol(manager, self.hub, self.access, bounds=self.bounds, heartbeat_s=heartbeat_s)
        self.origins = Origins(origins)
        self._api = Api(self.protocol, self.origins, owner=owner, operator=operator)
        self._files = StaticFiles() if static else None
        self._executor = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="headway-web")
        self._driver = AsyncioDriver(self.hub, self._executor)
        self._engine = Engine(self.protocol, self._executor)
        self._sockets = Sockets(self.protocol, self._executor) if fast else None
        self._streams = EventStreams(self._api, self._executor, self.bounds)
        self._wsgi: WsgiMount | None = None
        if app is not None:
            limit = self.bounds.message_bytes if wsgi_body_limit is None else wsgi_body_limit
            self._wsgi = WsgiMount(app, workers=wsgi_workers, body_limit=limit, within_s=self.bounds.body_within_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        self._driver.start(asyncio.get_running_loop())
        path = path_of(scope)
        if path == "/socket.io" or path.startswith("/socket.io/"):
            await self._socket_io(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            try:
                await self._http(scope, receive, send, path)
            except ClientGone:
                log.debug("a client left in the middle of its request")
            except HeadwayError as error:
                await self._refuse(scope, send, error)

    async def close(self) -> None:
        """End streams and sockets, stop listening to the store. The manager stays open."""
        self.drain()
        if self._sockets is not None:
            self._sockets.close()
        self._engine.stop()
        self._driver.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._wsgi is not None:
            self._wsgi.close()

    def drain(self) -> None:
        """End event streams and sockets, on the loop: a server that stops gracefully waits for them."""
        self._streams.close()
        self._engine.disconnect_all()
        if self._sockets is not None:
            self._sockets.drain()

    def restart_hub(self) -> None:
        """From any thread: end all event streams and sockets, and take up the store's changes anew. May block.

        What the store tells meanwhile is missed, as in a restart of the server; the viewers come back and are told.
        """
        self.hub.close()
        self._driver.on_loop(self._drop)
        self.hub.open()

    def _drop(self) -> None:
        self._streams.close()
        self._engine.disconnect_all()
        if self._sockets is not None:
            self._sockets.close()

    # ── the roads ────────────────────────────────────────────────────────────────────────────────────────────

    async def _socket_io(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        if not self.hub.mount and request.mount:
            self.hub.mount = request.mount
        try:
            self.origins.check(request)
        except WireError as error:
            await self._refuse_socket(scope, receive, send, error)
            return
        cors = self._api.cors_headers(request) if scope["type"] == "http" else ()
        if cors and request.method == "OPTIONS":
            await respond(send, self._api.handle(request))
            return
        transport = self._fast_road(scope, send)
        if self._sockets is not None and transport is not None:
            serving = self._sockets.serve(request, scope, receive, send, transport)
            del request  # Its headers would live as long as the socket.
            await serving
            return
        try:
            sending = _with_headers(send, (*headers.SECURITY, *cors)) if scope["type"] == "http" else send
            await self._engine.handle(scope, receive, sending)
        except ClientGone:
            log.debug("a client left in the middle of its request")
        except WireError as error:
            await self._refuse(scope, send, error)

    async def _refuse(self, scope: Scope, send: Send, error: HeadwayError) -> None:
        """What is left of the request's body is not waited for."""
        refusal = self._api.refusal(request_of(scope), error)
        await respond(send, replace(refusal, headers=(*refusal.headers, ("Connection", "close"))))

    def _fast_road(self, scope: Scope, send: Send) -> Transport | None:
        """For a WebSocket that begins as such; one that goes on from polling stays on the ordinary road."""
        query = scope.get("query_string") or b""
        if self._sockets is None or scope["type"] != "websocket" or b"sid=" in query or b"EIO=4" not in query:
            return None
        transport = transport_of(send)
        if transport is None:
            self._sockets = None
            log.warning("this server's transport can't be reached: WebSockets take the ordinary road")
        return transport

    async def _refuse_socket(self, scope: Scope, receive: Receive, send: Send, error: WireError) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await respond(send, self._api.refusal(request_of(scope), error))

    async def _http(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        if self._api.serves(path):
            await self._api_call(scope, receive, send)
        elif not await self._static(scope, send, path):
            if self._wsgi is None:
                raise WireError("not_found", "there is nothing at this address")
            await self._wsgi(scope, receive, send)

    async def _api_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_body = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        bounds = self.bounds
        body = await read_body(scope, receive, bounds.message_bytes, bounds.body_within_s) if has_body else b""
        request = request_of(scope, body=body)
        if not self.hub.mount and request.mount:
            self.hub.mount = request.mount
        task_id = self._api.stream_of(request)
        if task_id is not None:
            await self._streams.serve(request, task_id, receive, send)
            return
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._executor, self._api.handle, request)
        await respond(send, response, head=request.method == "HEAD")

    async def _static(self, scope: Scope, send: Send, path: str) -> bool:
        if self._files is None or not path.startswith(PREFIX) or scope["method"] not in ("GET", "HEAD"):
            return False
        request = request_of(scope)
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(
            self._executor, self._files.get, path.removeprefix(PREFIX), request.headers
        )
        if response is None:
            return False
        await respond(send, response, head=scope["method"] == "HEAD")
        return True

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._driver.start(asyncio.get_running_loop())
                # The store is opened, and watched for workers that are gone, before the first viewer comes.
                self._executor.submit(self._open_hub)
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _open_hub(self) -> None:
        try:
            self.hub.open()
        except HeadwayError as error:
            log.warning("the store can't be opened yet: %s", error)


def _with_headers(send: Send, extra: Sequence[tuple[str, str]]) -> Send:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in extra]

    async def sending(message: Scope) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *encoded]}
        await send(message)

    return sending

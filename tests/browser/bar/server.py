"""A small server that speaks Headway's wire and does what a test tells it: the bar's other side, scripted.

Real Socket.IO, real HTTP and Server-Sent Events, on a real port; only the tasks are make-believe. `World` may be used
from the test's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import mimetypes
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import socketio
import uvicorn

from tests.helpers import ROOT, eventually, free_port

STATIC = ROOT / "src" / "headway" / "static"
PAGES = Path(__file__).parent
CSP = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'self'"
)
FINAL = {"completed", "failed", "cancelled"}

Payload = dict[str, Any]
Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


def blank(task_id: str) -> Payload:
    """A pending task, as the server would send it."""
    golden: Payload = json.loads((ROOT / "tests" / "wire" / "progress-pending.json").read_text("utf-8"))
    return golden | {"task_id": task_id, "name": None, "stages": None}


class World:
    """The scripted server. `with World() as world:` runs it; `stop()` and `start()` restart it on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._forget()
        self._rev = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def _forget(self) -> None:
        self.tasks: dict[str, Payload] = {}
        self.logs: dict[str, list[Payload]] = {}
        self.epoch = "epochA1b2"
        # What the server is to do wrong, or not at all.
        self.answers_pings = True
        self.allows_websockets = True
        self.has_api = True
        self.shareable = True
        self.refuses_late = False
        self._may_refuse = asyncio.Event()
        self.has_streams = True
        self.confirms_cancel = True
        self.hangs_up_on_cancel = False
        self.token: str | None = None
        self.actions = ["cancel", "retry"]
        self.errors: dict[str, Payload] = {}
        # Files of the test's own, by their path.
        self.files: dict[str, bytes] = {}
        # What it has seen.
        self.heard: list[tuple[str, Payload]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.count: Counter[str] = Counter()

    def reset(self) -> None:
        """Ready for the next test: running, without tasks, viewers and faults."""
        if self._server is None:
            self._forget()
            self.start()
            return
        self._run(self._end_all())
        self._forget()

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        eventually(lambda: self._server is not None and self._server.started)

    def stop(self) -> None:
        """Gone at once, with all its connections."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        eventually(self._has_ended, 10, saying="the server has stopped")
        self._server = self._loop = None

    def _has_ended(self) -> bool:
        """Since Python 3.12 a server waits for its connections, and a stream is one that never ends by itself.

        Not before it has stopped listening: they would be back.
        """
        assert self._thread is not None
        assert self._loop is not None
        assert self._server is not None
        if self._thread.is_alive() and not any(one.is_serving() for one in self._server.servers):
            with contextlib.suppress(RuntimeError):  # It has ended this moment.
                self._loop.call_soon_threadsafe(self._abort_all)
        self._thread.join(0.05)
        return not self._thread.is_alive()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._streams: set[asyncio.Queue[tuple[str, Payload] | None]] = set()
        self._sio = socketio.AsyncServer(async_mode="asgi", namespaces=["/progress"], cors_allowed_origins="*")
        self._bind(self._sio)
        engine = socketio.ASGIApp(self._sio, other_asgi_app=self._http)

        async def app(scope: Scope, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket" and not self.allows_websockets:
                await receive()
                await send({"type": "websocket.close"})
                return
            await engine(scope, receive, send)

        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        started.set()
        await self._server.serve()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
            task.cancel()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            work.close()
            return None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # ── what a test does ─────────────────────────────────────────────────────────────────────────────────────────

    def put(self, task_id: str, **changes: Any) -> Payload:
        """Change a task and tell all who watch it. `silently=True` tells nobody."""
        silently = changes.pop("silently", False)
        old = self.tasks.get(task_id) or blank(task_id)
        now = time.time()
        self._rev = max(self._rev + 1, int(now * 1000))
        fixed = {"task_id": task_id, "epoch": self.epoch, "rev": self._rev, "server_time": now}
        task = old | {"updated_at": now} | fixed | changes
        if "state" in changes and "status" not in changes:
            task["status"] = changes["state"]
        self.tasks[task_id] = task
        if not silently:
            self._run(self._tell("progress", task))
        return task

    def emit(self, event: str, payload: Payload) -> None:
        """Send what was made up, as it is, to all."""
        self._run(self._tell(event, payload, everybody=True))

    def add_log(self, task_id: str, *texts: str, level: str = "info", hide: bool = False) -> None:
        lines = self.logs.setdefault(task_id, [])
        new = [{"n": len(lines) + 1 + i, "t": time.time(), "level": level, "text": t} for i, t in enumerate(texts)]
        lines.extend(new)
        if not hide:
            self._run(self._tell("log", {"task_id": task_id, "epoch": self.epoch, "lines": new}))

    def drop_sockets(self) -> None:
        """Cut all TCP connections, as a proxy that restarts would."""

        self._run(self._hang_up())

    async def _end_all(self) -> None:
        """Also the sessions of pages that polled and are gone: nothing else would tell of them for a minute."""
        await self._hang_up()
        for sid, _ in list(self._sio.manager.get_participants("/progress", None)):
            await self._sio.disconnect(sid, namespace="/progress")

    async def _hang_up(self) -> None:
        self._abort_all()

    def _abort_all(self) -> None:
        assert self._server is not None
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # type: ignore[union-attr]

    def refuse_now(self) -> None:
        """Where it `refuses_late`."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._may_refuse.set)

    @property
    def sockets(self) -> int:
        """Sockets that are in the namespace now."""
        if self._loop is None:
            return 0

        async def count() -> int:
            return len(list(self._sio.manager.get_participants("/progress", None)))

        return int(self._run(count()))

    def joined(self, task_id: str) -> int:
        async def count() -> int:
            try:
                return len(list(self._sio.manager.get_participants("/progress", task_id)))
            except KeyError:
                return 0

        return int(self._run(count()))

    def heard_of(self, event: str) -> list[Payload]:
        return [payload for name, payload in self.heard if name == event]

    # ── Socket.IO ────────────────────────────────────────────────────────────────────────────────────────────────

    def _bind(self, sio: socketio.AsyncServer) -> None:
        async def connect(sid: str, environ: Any, auth: Any = None) -> None:
            self.count["connect"] += 1
            hello = {"protocol": 1, "server_time": time.time(), "heartbeat_s": 30, "shareable": self.shareable}
            await sio.emit("connected", hello, to=sid, namespace="/progress")

        async def join(sid: str, data: Payload) -> Payload:
            self.heard.append(("join", data))
            task_id = data["task_id"]
            refusal = self._refusal("join", task_id, data.get("token"))
            if refusal:
                if self.refuses_late:
                    await self._may_refuse.wait()
                self.count["refused"] += 1
                return {"ok": False, "error": refusal}
            await sio.enter_room(sid, task_id, namespace="/progress")
            await sio.emit("progress", self._present(task_id), to=sid, namespace="/progress")
            if data.get("log_from") is not None:
                await sio.emit("log", self._log_from(task_id, data["log_from"]), to=sid, namespace="/progress")
            return {"ok": True, "actions": self.actions}

        async def leave(sid: str, data: Payload) -> Payload:
            self.heard.append(("leave", data))
            await sio.leave_room(sid, data["task_id"], namespace="/progress")
            return {"ok": True}

        async def cancel_task(sid: str, data: Payload) -> Payload:
            self.heard.append(("cancel_task", data))
            if self.hangs_up_on_cancel:
                await self._hang_up()
            refusal = self._refusal("cancel_task", data["task_id"], data.get("token"))
            if refusal:
                return {"ok": False, "error": refusal}
            await self._cancel(data["task_id"], data.get("reason"))
            return {"ok": True}

        async def retry_task(sid: str, data: Payload) -> Payload:
            self.heard.append(("retry_task", data))
            refusal = self._refusal("retry_task", data["task_id"], data.get("token"))
            if refusal:
                return {"ok": False, "error": refusal}
            await self._retry(data["task_id"])
            return {"ok": True}

        async def ping(sid: str, data: Payload | None = None) -> None:
            self.heard.append(("ping", data or {}))
            if self.answers_pings:
                answer = {"t": (data or {}).get("t"), "server_time": time.time()}
                await sio.emit("pong", answer, to=sid, namespace="/progress")

        for handler in (connect, join, leave, cancel_task, retry_task, ping):
            sio.on(handler.__name__, handler, namespace="/progress")

    def _refusal(self, event: str, task_id: str, token: str | None) -> Payload | None:
        if event in self.errors:
            return {"message": "", "task_id": task_id} | self.errors[event]
        if task_id not in self.tasks or (self.token is not None and token != self.token):
            return {"code": "task_not_found", "message": "no such task", "task_id": task_id}
        return None

    def _present(self, task_id: str) -> Payload:
        return self.tasks[task_id] | {"server_time": time.time()}

    def _log_from(self, task_id: str, first: int) -> Payload:
        lines = [line for line in self.logs.get(task_id, []) if line["n"] >= first and not line.get("gone")]
        payload = {"task_id": task_id, "epoch": self.epoch, "lines": lines}
        gone = [line["n"] for line in self.logs.get(task_id, []) if line.get("gone")]
        return payload | ({"truncated_before": max(gone) + 1} if gone else {})

    async def _cancel(self, task_id: str, reason: str | None) -> None:
        change = {"state": "cancelling", "cancel_requested_at": time.time(), "cancel_reason": reason}
        await self._change(task_id, **change)
        if self.confirms_cancel:
            await self._change(task_id, state="cancelled", finished_at=time.time())

    async def _retry(self, task_id: str) -> None:
        attempt = self.tasks[task_id]["attempt"] + 1
        await self._change(task_id, state="pending", attempt=attempt, progress=0, error=None, finished_at=None)

    async def _change(self, task_id: str, **changes: Any) -> None:
        await self._tell("progress", self.put(task_id, silently=True, **changes))

    async def _tell(self, event: str, payload: Payload, *, everybody: bool = False) -> None:
        room = None if everybody else payload.get("task_id")
        await self._sio.emit(event, payload, room=room, namespace="/progress")
        for queue in list(self._streams):
            queue.put_nowait((event, payload))

    # ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _http(self, scope: Scope, receive: Callable[[], Coroutine[Any, Any, Payload]], send: Send) -> None:
        path, query = scope["path"], parse_qs(scope["query_string"].decode())
        headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
        self.requests.append((scope["method"], path + ("?" + scope["query_string"].decode()).rstrip("?"), headers))
        if scope["type"] != "http":
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "tasks"] and self.has_api and len(parts) >= 3:
            token = headers.get("authorization", "").removeprefix("Bearer ") or None
            await self._api(parts[2], parts[3:], query, token, receive, send)
        elif path in self.files:
            await _answer(send, 200, self.files[path], mimetypes.guess_type(path)[0] or "text/javascript")
        elif path.startswith("/static/"):
            await self._file(STATIC / path.removeprefix("/static/"), send)
        elif path.startswith("/bar/"):
            await self._file(PAGES / path.removeprefix("/bar/"), send)
        else:
            await _answer(send, 404, b"<h1>Not found</h1>", "text/html")

    async def _api(
        self,
        task_id: str,
        rest: list[str],
        query: dict[str, list[str]],
        token: str | None,
        receive: Callable[[], Coroutine[Any, Any, Payload]],
        send: Send,
    ) -> None:
        event = {"cancel": "cancel_task", "retry": "retry_task"}.get("".join(rest), "join")
        refusal = self._refusal(event, task_id, token)
        if refusal:
            status = {"unavailable": 503, "not_cancellable": 409, "not_retryable": 409}.get(refusal["code"], 404)
            return await _json(send, status, {"error": refusal})
        if rest == ["events"] and self.has_streams:
            return await self._stream(task_id, query, receive, send)
        if rest == ["log"]:
            return await _json(send, 200, self._log_from(task_id, int(query.get("from", ["1"])[0])))
        if rest == ["cancel"]:
            await self._cancel(task_id, None)
        elif rest == ["retry"]:
            await self._retry(task_id)
        elif rest:
            return await _answer(send, 404, b"nothing here", "text/plain")
        return await _json(send, 202 if rest else 200, self._present(task_id), actions=", ".join(self.actions))

    async def _stream(
        self,
        task_id: str,
        query: dict[str, list[str]],
        receive: Callable[[], Coroutine[Any, Any, Payload]],
        send: Send,
    ) -> None:
        self.count["stream"] += 1
        queue: asyncio.Queue[tuple[str, Payload] | None] = asyncio.Queue()
        self._streams.add(queue)
        headers = [(b"content-type", b"text/event-stream"), (b"headway-actions", ", ".join(self.actions).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        queue.put_nowait(("progress", self._present(task_id)))
        if "log_from" in query:
            queue.put_nowait(("log", self._log_from(task_id, int(query["log_from"][0]))))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while not gone.done():
                getting = asyncio.ensure_future(queue.get())
                await asyncio.wait({getting, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    break
                item = getting.result()
                if item is None:
                    break
                event, payload = item
                if payload.get("task_id") != task_id:
                    continue
                text = f"id: {self.epoch}:1:0\nevent: {event}\ndata: {json.dumps(payload)}\n\n"
                # In two pieces, cut where no reader expects it.
                half = len(text.encode()) // 2
                for piece in (text.encode()[:half], text.encode()[half:]):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                if event == "progress" and payload["state"] in FINAL:
                    break
        finally:
            gone.cancel()
            self._streams.discard(queue)
            await send({"type": "http.response.body", "body": b""})

    async def _file(self, path: Path, send: Send) -> None:
        content = await asyncio.to_thread(_read, path)
        if content is None:
            await _answer(send, 404, b"no such file", "text/plain")
            return
        kind = "text/javascript" if path.suffix in {".js", ".mjs"} else mimetypes.guess_type(path.name)[0]
        await _answer(send, 200, content, kind or "application/octet-stream")


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


async def _gone(receive: Callable[[], Coroutine[Any, Any, Payload]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _json(send: Send, status: int, payload: Payload, *, actions: str = "") -> None:
    await _answer(send, status, json.dumps(payload).encode(), "application/json", actions)


async def _answer(send: Send, status: int, body: bytes, kind: str, actions: str = "") -> None:
    kind = f"{kind}; charset=utf-8" if kind.startswith(("text/", "application/json")) else kind
    headers = [(b"content-type", kind.encode()), (b"content-security-policy", CSP.encode())]
    if actions:
        headers.append((b"headway-actions", actions.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

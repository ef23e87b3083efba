"""A server for the tests: `adapter_server.py ADAPTER PORT STORE [OPTIONS as JSON]`.

ADAPTER is gateway, gateway-ordinary (WebSockets by python-socketio, too), threading, gevent or gevent-patched. Beside
it stands a Flask app with POST /work, which updates a task from a plain thread as SPEC 2 has it, and with what
integration tests need.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import sys

ADAPTER, PORT, STORE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
OPTIONS = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}

if ADAPTER == "gevent-patched":
    from gevent import monkey

    monkey.patch_all()

import _thread
import itertools
import threading
from collections.abc import Iterator

from flask import Flask, Response, request
from flask_socketio import SocketIO

from headway import ProgressManager, TaskStatus
from headway.web import sse
from headway.web.gateway import Gateway
from headway.web.rates import Bounds
from headway.web.socketio_handlers import SocketIOHandlers

app = Flask(__name__)
pause = threading.Event()


@app.post("/work")
def work() -> str:
    """Reports from a plain thread: {updates, pause_s, log}."""
    asked = request.get_json()
    task_id = progress_manager.create_task("work", total=asked["updates"])
    # Under gevent without patching `threading.Thread` is a true OS thread as well.
    _thread.start_new_thread(report, (task_id, asked))
    return task_id


def report(task_id: str, asked: dict) -> None:
    for n in range(asked["updates"]):
        progress_manager.update_progress(
            task_id=task_id,
            completed=n,
            status=TaskStatus.GENERATING_CONTENT,
            message="正在生成文案...",
            details={"current": "生成标题"},
        )
        if asked.get("log"):
            progress_manager.add_log(task_id, f"line {n}")
        pause.wait(asked["pause_s"])
    progress_manager.complete_task(task_id, result={"content": "..."})


@app.get("/")
def home() -> str:
    return "the app's own page"


@app.get("/endless")
def endless() -> Response:
    """A stream that never ends by itself: ?bytes= a chunk."""
    chunk = b"x" * int(request.args.get("bytes", 5))

    def chunks() -> Iterator[bytes]:
        streams.add(number := next(numbers))
        try:
            while True:
                yield chunk
                pause.wait(0.05)
        finally:
            streams.discard(number)

    return Response(chunks(), mimetype="text/plain")


@app.get("/streams")
def open_streams() -> str:
    return str(len(streams))


@app.post("/echo")
def echo() -> bytes:
    return request.get_data()


streams: set[int] = set()
numbers = itertools.count()
bounds = Bounds(**OPTIONS.get("bounds", {}))
sse.HEARTBEAT_S = OPTIONS.get("sse_heartbeat_s", sse.HEARTBEAT_S)

if ADAPTER.startswith("gateway"):
    progress_manager = ProgressManager(store=STORE)
    from headway.web.serve import serve

    is_fast = ADAPTER == "gateway"
    gateway = Gateway(progress_manager, app=app, bounds=bounds, fast=is_fast, **OPTIONS.get("gateway", {}))
    serve(gateway, port=PORT)
    progress_manager.close()
else:
    mode = "threading" if ADAPTER == "threading" else "gevent"
    socketio = SocketIO(app, async_mode=mode)
    progress_manager = ProgressManager(socketio, store=STORE)
    handlers = SocketIOHandlers(socketio, progress_manager, bounds=bounds)
    more = {"allow_unsafe_werkzeug": True} if mode == "threading" else {}
    socketio.run(app, host="127.0.0.1", port=PORT, **more)

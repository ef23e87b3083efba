"""Real viewers for the tests: Socket.IO by Python and by Node, Server-Sent Events by hand. Each records a history."""

from __future__ import annotations

import functools
import gc
import json
import queue
import shutil
import subprocess
import threading
import warnings
from types import TracebackType
from typing import Any, Self

import requests

from tests.helpers import ROOT, eventually
from tests.invariants import FINAL_STATES, History
from tests.ordered_client import OrderedClient
from tests.schemas import check, check_event

NAMESPACE = "/progress"


class Viewer:
    """A python-socketio client. A context manager; leaving it disconnects."""

    def __init__(
        self,
        url: str,
        *,
        transport: str = "websocket",
        history: History | None = None,
        name: str = "viewer",
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """`client`: more options of the Socket.IO client itself."""
        self.name = name
        self.history = history or History()
        self.events: list[tuple[str, Any]] = []
        self._url = url
        self._transports = [transport] if transport != "upgrade" else ["polling", "websocket"]
        self._options = options
        self.client = OrderedClient(
            reconnection_delay=0.1,
            reconnection_delay_max=0.3,
            # Else websocket-client adds an Origin of its own to the one that a test gives.
            websocket_extra_options={"suppress_origin": True},
            **(client or {}),
        )
        self.client.on("*", self._heard, namespace=NAMESPACE)
        self.client.on("connect", lambda: self.history.connect(name), namespace=NAMESPACE)
        self.client.on("disconnect", self._disconnected, namespace=NAMESPACE)

    def __enter__(self) -> Self:
        self.client.connect(self._url, namespaces=[NAMESPACE], transports=self._transports, **self._options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        websocket = getattr(self.client.eio, "ws", None)
        if websocket is not None:
            # It would wait three seconds for a close frame that Flask-SocketIO's servers don't send.
            websocket.close = functools.partial(websocket.close, timeout=0)
        session = getattr(self.client.eio, "http", None)
        if error is None:
            for event, payload in self.events:
                check_event(event, payload)
        if self.client.connected and self.client.eio.current_transport == "polling":
            # A client that is just sending would not say that it goes, and be told so by the next heartbeat only.
            eventually(lambda: not self.client.eio.queue.unfinished_tasks)
        self.client.disconnect()
        self.client.shutdown()
        if session is not None:
            session.close()
        with warnings.catch_warnings():
            # What python-engineio's client leaves open when a server dies under it.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def join(self, task_id: str, log_from: int | None = None, **data: Any) -> Any:
        self.history.join(self.name, task_id, log_from)
        more = {} if log_from is None else {"log_from": log_from}
        return self.ask("join", {"task_id": task_id, **more, **data})

    def join_on_each_connection(self, task_id: str) -> None:
        """With its log, now and whenever it is back: without an answer, which a connection that breaks would lose."""

        def join() -> None:
            self.history.connect(self.name)
            self.history.join(self.name, task_id, 1)
            self.emit("join", {"task_id": task_id, "log_from": 1})

        self.client.on("connect", join, namespace=NAMESPACE)
        join()

    def leave(self, task_id: str) -> Any:
        ack = self.ask("leave", {"task_id": task_id})
        self.history.leave(self.name, task_id)
        return ack

    def ask(self, event: str, data: Any = None) -> Any:
        ack = self.client.call(event, data, namespace=NAMESPACE, timeout=20)
        check("ack", ack)
        return ack

    def emit(self, event: str, data: Any = None) -> None:
        self.client.emit(event, data, namespace=NAMESPACE)

    def of(self, event: str, task_id: str | None = None) -> list[Any]:
        return [data for name, data in list(self.events) if name == event and task_id in (None, data.get("task_id"))]

    def states(self, task_id: str | None = None) -> list[Any]:
        return self.of("progress", task_id)

    def lines(self, task_id: str | None = None) -> list[int]:
        return [line["n"] for page in self.of("log", task_id) for line in page["lines"]]

    def end(self, task_id: str | None = None, timeout: float = 20) -> Any:
        """The final state, when it has come."""
        return eventually(
            lambda: next((state for state in self.states(task_id) if state["state"] in FINAL_STATES), None), timeout
        )

    def _heard(self, event: str, data: Any = None) -> None:
        if event == "progress":
            self.history.progress(self.name, data)
        elif event == "log":
            self.history.log(self.name, data)
        self.events.append((event, data))

    def _disconnected(self, reason: str = "") -> None:
        self.history.disconnect(self.name)


class NodeViewer:
    """socket.io-client under Node, driven over standard input (tests/contract/viewer.mjs)."""

    def __init__(self, url: str, transport: str = "websocket") -> None:
        node = shutil.which("node")
        assert node is not None, "Node is missing; `make test` says how to get it"
        self.events: list[tuple[str, Any]] = []
        self._acks: queue.Queue[Any] = queue.Queue()
        self._process = subprocess.Popen(
            [node, str(ROOT / "tests/contract/viewer.mjs"), url, transport],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        eventually(lambda: self.of("connect"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()
        if error is None:
            for event, payload in self.events:
                if event not in ("connect", "disconnect", "connect_error", "upgrade"):  # The client's own.
                    check_event(event, payload)

    def ask(self, event: str, data: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([event, data]) + "\n")
        self._process.stdin.flush()
        ack = self._acks.get(timeout=20)
        check("ack", ack)
        return ack

    def of(self, event: str) -> list[Any]:
        return [data for name, data in list(self.events) if name == event]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event, data = json.loads(line)
            if event == "ack":
                self._acks.put(data)
            else:
                self.events.append((event, data))


def read_stream(url: str, history: History | None = None, **options: Any) -> list[tuple[str, str, Any]]:
    """All (event, id, data) of an event stream, up to its end."""
    events = []
    with requests.get(url, stream=True, timeout=30, **options) as response:
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in response.iter_lines(chunk_size=1, decode_unicode=True):
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and "data" in fields:
                data = json.loads(fields["data"])
                check_event(fields["event"], data)
                events.append((fields["event"], fields.get("id", ""), data))
                if history is not None:
                    (history.log if fields["event"] == "log" else history.progress)("stream", data)
                fields = {}
    return events

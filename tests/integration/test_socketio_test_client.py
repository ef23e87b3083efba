"""Flask-SocketIO's own test client, which has no socket: what an app's tests would use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIO

from headway import ProgressManager
from headway.web.socketio_handlers import SocketIOHandlers
from tests.helpers import eventually

NAMESPACE = "/progress"


@dataclass
class App:
    socketio: SocketIO
    manager: ProgressManager
    connect: Callable[[], Any]

    def eventually(self, client: Any, name: str, **fields: Any) -> None:
        seen: list[dict[str, Any]] = []

        def has_come() -> bool:
            self.socketio.sleep(0.001)  # A greenlet of the same thread brings it.
            seen.extend(received(client, name))
            return any(all(payload[key] == value for key, value in fields.items()) for payload in seen)

        eventually(has_come)


def received(client: Any, name: str) -> list[dict[str, Any]]:
    return [event["args"][0] for event in client.get_received(NAMESPACE) if event["name"] == name]


@pytest.fixture(params=["threading", "gevent", "app comes later"])
def app(request: pytest.FixtureRequest) -> Iterator[App]:
    flask = Flask(__name__)
    mode = request.param if request.param == "gevent" else "threading"
    is_late = request.param == "app comes later"
    socketio = SocketIO(async_mode=mode) if is_late else SocketIO(flask, async_mode=mode)
    with ProgressManager(socketio, store="memory://") as manager:
        handlers = SocketIOHandlers(socketio, manager)
        if is_late:
            socketio.init_app(flask, async_mode=mode)
        yield App(socketio, manager, lambda: socketio.test_client(flask, namespace=NAMESPACE))
        handlers.close()
        socketio.sleep(0)


def test_it_is_greeted_joins_and_has_the_state_at_once(app: App) -> None:
    task_id = app.manager.create_task("Import")
    client = app.connect()
    assert client.is_connected(NAMESPACE)
    assert [greeting["protocol"] for greeting in received(client, "connected")] == [1]

    ack = client.emit("join", {"task_id": task_id}, namespace=NAMESPACE, callback=True)

    assert ack == {"ok": True, "actions": ["cancel"]}
    assert [state["state"] for state in received(client, "progress")] == ["pending"]


def test_it_is_told_of_reports_from_this_thread_and_from_others(app: App) -> None:
    task_id = app.manager.create_task()
    client = app.connect()
    client.emit("join", {"task_id": task_id}, namespace=NAMESPACE)

    app.manager.update_progress(task_id, 10)
    app.eventually(client, "progress", progress=10)
    other = threading.Thread(target=app.manager.update_progress, args=(task_id, 20))
    other.start()
    other.join()
    app.eventually(client, "progress", progress=20)
    app.manager.complete_task(task_id, result={"rows": 3})

    app.eventually(client, "progress", state="completed", result={"rows": 3})


def test_its_mistakes_are_answered_and_it_may_cancel(app: App) -> None:
    task_id = app.manager.create_task()
    client = app.connect()
    client.emit("join", {"task_id": "unknown"}, namespace=NAMESPACE)
    assert [error["code"] for error in received(client, "error")] == ["task_not_found"]

    ack = client.emit("join", {"task_id": 5}, namespace=NAMESPACE, callback=True)
    cancelled = client.emit("cancel_task", {"task_id": task_id}, namespace=NAMESPACE, callback=True)

    assert ack["error"]["code"] == "invalid_request"
    assert cancelled == {"ok": True}
    assert app.manager.get_task(task_id).state == "cancelled"


def test_a_message_over_the_limit_ends_it(app: App) -> None:
    client = app.connect()

    client.emit("ping", {"t": "x" * 70_000}, namespace=NAMESPACE)

    eventually(lambda: app.socketio.sleep(0.001) or not client.is_connected(NAMESPACE))


def test_one_that_leaves_is_told_nothing_more_and_another_is(app: App) -> None:
    task_id = app.manager.create_task()
    gone, stays = app.connect(), app.connect()
    for client in (gone, stays):
        client.emit("join", {"task_id": task_id}, namespace=NAMESPACE)
    gone.disconnect(NAMESPACE)

    app.manager.complete_task(task_id)

    app.eventually(stays, "progress", state="completed")
    assert not gone.is_connected(NAMESPACE)
    assert not any(event["args"][0].get("state") == "completed" for event in gone.queue)

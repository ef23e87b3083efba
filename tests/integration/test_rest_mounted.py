"""A gateway mounted below a path of another ASGI app, and `python -m uvicorn` on a gateway as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio

from headway import ProgressManager
from tests.contract.viewers import NAMESPACE, read_stream
from tests.helpers import ServerProcess, eventually

MOUNTED = """
from headway import ProgressManager
from headway.web.gateway import Gateway

gateway = Gateway(ProgressManager(store={store!r}))


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({{"type": "lifespan.startup.complete"}})
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    # As Starlette's and FastAPI's mount() do it, old and new.
    mounted = dict(scope, root_path="/inner/app")
    if {old}:
        mounted["path"] = scope["path"].removeprefix("/inner/app")
    await gateway(mounted, receive, send)
"""


@pytest.fixture(params=[False, True], ids=["path as it is", "path without the mount"])
def mounted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ServerProcess, ProgressManager]]:
    store = f"sqlite:///{tmp_path / 'tasks.db'}"
    (tmp_path / "mounted.py").write_text(MOUNTED.format(store=store, old=request.param))
    command = ["-W", "error", "-m", "uvicorn", "mounted:app", "--port", "{port}", "--app-dir", tmp_path]
    with (
        ServerProcess.python(*command, ready="/inner/app/healthz") as server,
        ProgressManager(store=store) as manager,
    ):
        yield server, manager


def test_everything_is_served_below_the_mount(mounted: tuple[ServerProcess, ProgressManager]) -> None:
    server, manager = mounted
    base = f"{server.url}/inner/app"
    task_id = manager.create_task()
    with socketio.SimpleClient() as client:
        client.connect(server.url, namespace=NAMESPACE, socketio_path="/inner/app/socket.io", transports=["websocket"])
        assert client.call("join", {"task_id": task_id})["ok"]
        manager.complete_task(task_id, "x" * 20_000)
        state = eventually(lambda: end_of(client))

    assert state["result_url"] == f"/inner/app/api/tasks/{task_id}/result"
    assert requests.get(server.url + state["result_url"], timeout=10).json() == "x" * 20_000
    assert requests.get(f"{base}/api/tasks/{task_id}", timeout=10).json()["result_url"] == state["result_url"]
    assert read_stream(f"{base}/api/tasks/{task_id}/events")[-1][2]["state"] == "completed"
    assert requests.get(f"{base}/static/js/progress.js", timeout=10).status_code == 200
    assert requests.get(f"{base}/nowhere", timeout=10).json()["error"]["code"] == "not_found"


def end_of(client: socketio.SimpleClient) -> dict[str, object] | None:
    event, data = client.receive(timeout=10)
    return data if event == "progress" and data["state"] == "completed" else None

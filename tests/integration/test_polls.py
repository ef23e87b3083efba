"""Long polling through a proxy that loses answers: a client that does not notice still ends with the truth."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from headway import ProgressManager
from tests.chaos.proxy import Fault, Proxy
from tests.contract.viewers import NAMESPACE, Viewer
from tests.helpers import ROOT, ServerProcess, eventually
from tests.integration.raw_sockets import event

# Sockets whose server side is cut off are found by the collector alone.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ADAPTERS = ["gateway", "threading", "gevent"]


@pytest.fixture(scope="module", params=ADAPTERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('polls') / 'tasks.db'}"
    script = ROOT / "tests/contract/adapter_server.py"
    options = json.dumps({"bounds": {"pong_within_s": 0.5}})
    with ServerProcess.python(script, request.param, "{port}", store, options, ready="/") as running:
        running.store = store  # type: ignore[attr-defined]
        yield running
        assert "headway/web" not in running.log, running.log[-5000:]


@pytest.fixture
def manager(server: ServerProcess) -> Iterator[ProgressManager]:
    with ProgressManager(store=server.store) as opened:  # type: ignore[attr-defined]
        yield opened


class ProxyBeside:
    """The proxy of chaos on a loop of its own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._proxy = Proxy(port)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._proxy.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def came(self, way: str) -> int:
        return self._proxy.came[way]

    def inject(self, fault: Fault, rng: random.Random, *, lasting_s: float) -> bool:
        async def doing() -> bool:
            return self._proxy.inject(fault, rng, lasting_s=lasting_s)

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(10)


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[ProxyBeside]:
    with ProxyBeside(server.port) as running:
        yield running


class PollingByHand:
    """Engine.IO by hand: answers PINGs, like every client, and repeats what a browser would repeat."""

    def __init__(self, session: requests.Session, base: str, *, marks: bool, pongs: bool = True) -> None:
        self.said = ""
        self._session = session
        self._marks = marks
        self._pongs = pongs
        self._turn = 0
        url = f"{base}/socket.io/?EIO=4&transport=polling"
        self._url = f"{url}&sid={json.loads(session.get(url, timeout=10).text[1:])['sid']}"
        self.post(f"40{NAMESPACE},")

    def post(self, body: str) -> None:
        assert self._session.post(self._url, data=body.encode(), timeout=10).status_code == 200

    def poll(self, *, again: bool = False, timeout: float = 10) -> int:
        """`again`: as it was, as a browser sends it whose connection broke."""
        self._turn += not again
        url = f"{self._url}&t={self._turn}" if self._marks else self._url
        answer = self._session.get(url, timeout=timeout)
        if answer.status_code == 200:
            self.said += answer.text
            if self._pongs:
                for _ in range(answer.text.split("\x1e").count("2")):
                    self.post("3")
        return answer.status_code

    def until(self, word: str) -> None:
        while word not in self.said:
            assert self.poll() == 200


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.mark.parametrize("marks", [True, False], ids=["with marks", "without"])
@pytest.mark.parametrize("has_answered", [True, False], ids=["after the answer", "before it"])
def test_a_poll_whose_answer_was_lost_behind_a_proxy_is_not_repeated_in_vain(
    proxy: ProxyBeside, manager: ProgressManager, session: requests.Session, marks: bool, has_answered: bool
) -> None:
    task_id = manager.create_task()
    client = PollingByHand(session, proxy.url, marks=marks)
    client.until("connected")
    client.post(event("join", {"task_id": task_id}))
    client.until("pending")

    # The client's connections are gone, which the server is not told.
    so_far = proxy.came("up")
    waiting = threading.Thread(target=lost_poll, args=(client,))
    waiting.start()
    eventually(lambda: proxy.came("up") > so_far)
    so_far = proxy.came("down")
    while proxy.inject("half_open", random.Random(1), lasting_s=20):
        pass
    waiting.join(10)
    if has_answered:
        manager.complete_task(task_id)
        eventually(lambda: proxy.came("down") > so_far)

    assert client.poll(again=True) == 400, "the session is over, and the viewer joins anew"

    manager.complete_task(task_id)
    anew = PollingByHand(session, proxy.url, marks=marks)
    anew.until("connected")
    anew.post(event("join", {"task_id": task_id}))
    anew.until("completed")


def lost_poll(client: PollingByHand) -> None:
    with contextlib.suppress(OSError):
        client.poll()


def test_a_client_by_hand_that_sends_neither_marks_nor_pongs_is_served_all_the_same(
    server: ServerProcess, manager: ProgressManager, session: requests.Session
) -> None:
    task_id = manager.create_task()
    client = PollingByHand(session, server.url, marks=False, pongs=False)
    client.until("connected")
    client.post(event("join", {"task_id": task_id}))
    client.until("pending")
    for progress in (10, 20):
        manager.update_progress(task_id, progress=progress)
        client.until(f'"progress":{progress}')
    manager.complete_task(task_id)

    client.until("completed")


@pytest.mark.parametrize("marks", [True, False], ids=["with marks", "without"])
def test_a_client_that_repeats_its_polls_ends_with_the_truth_whatever_was_cut(
    proxy: ProxyBeside, manager: ProgressManager, marks: bool
) -> None:
    rng = random.Random(7)
    task_id = manager.create_task(total=60)
    with requests.Session() as repeating:
        # As browsers do: a GET that broke is sent once more, and nobody is told.
        repeating.mount("http://", HTTPAdapter(max_retries=Retry(total=4, allowed_methods=["GET"], backoff_factor=0)))
        options: dict[str, Any] = {"http_session": repeating, "timestamp_requests": marks, "request_timeout": 5}
        with Viewer(proxy.url, transport="polling", client=options) as viewer:
            viewer.join_on_each_connection(task_id)
            for number in range(1, 61):
                manager.update_progress(task_id, completed=number)
                manager.add_log(task_id, f"line {number}")
                manager.get_task(task_id)
                if number % 6 == 0:
                    eventually(lambda number=number: viewer.states() and at(viewer) >= number - 6)
                    proxy.inject(rng.choice(("cut", "half_open")), rng, lasting_s=1)
            manager.complete_task(task_id)

            viewer.end(task_id, timeout=30)
            viewer.history.check()
            # python-engineio's client forgets to say that it goes when it is saying something else.
            eventually(lambda: not viewer.client.eio.queue.unfinished_tasks)


def at(viewer: Viewer) -> int:
    return int(viewer.states()[-1]["details"].get("completed", 0))

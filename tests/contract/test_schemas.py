"""The wire as a contract: golden payloads, and what a real gateway answers, against docs/reference/schemas.

The viewers of all tests check what they are sent, too (tests/contract/viewers.py, tests/integration/audience.py), and
so does what asks over HTTP (tests/conftest.py): every adapter's events, acknowledgements, streams and answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from headway import ProgressManager
from tests.contract.viewers import Viewer, read_stream
from tests.helpers import ROOT, ServerProcess
from tests.integration.cli_process import Cli
from tests.schemas import ANSWERS, EVENTS, FOLDER, check, check_answer

GOLDEN = sorted((ROOT / "tests" / "wire").glob("*.json"))


def schema_of(golden: str) -> str:
    first = golden.partition("-")[0]
    return EVENTS.get(first, "ack" if first == "join" else first)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_payload_is_as_its_schema_says(path: Path) -> None:
    check(schema_of(path.stem), json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize(
    ("golden", "change"),
    [
        ("progress-running", {"progress": 101}),
        ("progress-running", {"progress": 99.5}),
        ("progress-running", {"traceback": "never to a viewer"}),
        ("progress-running", {"rev": 1.5}),
        ("progress-running", {"state": "stuck"}),
        ("progress-completed", {"progress": 99}),
        ("progress-completed", {"finished_at": None}),
        ("progress-failed", {"error": None}),
        ("log", {"lines": [{"n": 0, "t": 1, "level": "info", "text": ""}]}),
        ("error", {"code": "surprise"}),
        ("join-refused", {"error": {"code": "task_not_found"}}),
        ("creation", {"cancel_url": "/api/tasks/q7VfXb0oT1uGk2m9cR4hSw"}),
        ("creation", {"status_url": "/api/tasks/q7VfXb0oT1uGk2m9cR4hSw?token=x"}),
    ],
)
def test_what_breaks_the_contract_is_noticed(golden: str, change: dict[str, Any]) -> None:
    payload = json.loads((ROOT / "tests" / "wire" / f"{golden}.json").read_text("utf-8"))

    with pytest.raises(AssertionError, match="not as"):
        check(schema_of(golden), payload | change)


def test_every_schema_is_used_and_listed() -> None:
    listed = (FOLDER / "README.md").read_text("utf-8")
    used = {*EVENTS.values(), *ANSWERS.values(), "ack", "error-body"}

    assert [path.stem for path in FOLDER.glob("*.json") if f"({path.name})" not in listed] == []
    assert {path.stem for path in FOLDER.glob("*.json")} == used


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/live/api/tasks/a", 200, {"task_id": "a"}),
        ("/api/tasks/a/cancel", 202, {}),
        ("/api/tasks", 200, {"tasks": []}),
        ("/api/tasks/a/log", 200, {"lines": [{"n": 1}]}),
        ("/api/tasks/a/result", 409, {"code": "no_result"}),
        ("/api/generate_content", 202, {"task_id": "a"}),
        ("/healthz", 200, {"status": "well"}),
    ],
)
def test_an_answer_over_http_that_breaks_the_contract_is_noticed(path: str, status: int, body: dict[str, Any]) -> None:
    """What looks at all answers: else a slip in it would pass for a contract that is kept."""
    answer = requests.Response()
    answer.status_code = status
    answer.headers["Content-Type"] = "application/json"
    answer.request = requests.Request("GET", f"http://127.0.0.1:1{path}").prepare()
    answer._content = json.dumps(body).encode()

    with pytest.raises(AssertionError, match="not as"):
        check_answer(answer)


def test_every_answer_that_a_test_gets_is_looked_at(gateway: tuple[ServerProcess, ProgressManager]) -> None:
    answer = requests.get(f"{gateway[0].url}/healthz", timeout=10)

    assert answer.request.hooks["response"] == [check_answer]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ProgressManager]]:
    cli = Cli(tmp_path_factory.mktemp("schemas"))
    with (
        ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=cli.folder) as server,
        ProgressManager(store=cli.store) as manager,
    ):
        yield server, manager


def ends_well(manager: ProgressManager) -> str:
    with manager.task("Import", stages=["read", ("write", 3)], total=10) as task:
        with task.step("read", total=5) as step:
            step.advance(5)
        task.update(message="half-way", details={"current": "row 5", "unit": "rows"})
        task.log("a line")
        task.set_result({"rows": 10})
    return task.task_id


def has_a_large_result(manager: ProgressManager) -> str:
    task_id = manager.create_task(indeterminate=True)
    manager.complete_task(task_id, result="x" * 20_000)
    return task_id


def fails(manager: ProgressManager) -> str:
    task_id = manager.create_task("Fails")
    manager.add_log(task_id, "no", level="error")
    manager.fail_task(task_id, {"code": "no_rows", "message": "the file is empty"})
    return task_id


def is_cancelled(manager: ProgressManager) -> str:
    task_id = manager.create_task(None)
    manager.update_progress(task_id, 5, status="reading")
    manager.cancel_task(task_id, "changed my mind")
    return task_id


@pytest.mark.parametrize("make", [ends_well, has_a_large_result, fails, is_cancelled])
def test_all_that_a_gateway_says_of_a_task_is_as_the_schemas_say(
    gateway: tuple[ServerProcess, ProgressManager], make: Callable[[ProgressManager], str]
) -> None:
    server, manager = gateway
    task_id = make(manager)
    url = f"{server.url}/api/tasks/{task_id}"

    with Viewer(server.url) as viewer:
        viewer.join(task_id, 1)
        viewer.ask("join", {"task_id": "unknown"})
        viewer.ask("cancel_task", {"task_id": task_id})
        viewer.ask("retry_task", {"task_id": task_id})
        viewer.ask("ping", {"t": 1})
        viewer.leave(task_id)
        viewer.emit("join", {"task_id": 5})
        viewer.end(task_id)

    answers = [
        requests.get(url, timeout=10),
        requests.get(f"{url}/log", timeout=10),
        requests.post(f"{url}/retry", timeout=10),
        requests.post(f"{url}/cancel", timeout=10),
        requests.get(f"{server.url}/api/tasks/unknown", timeout=10),
        requests.get(f"{server.url}/api/tasks", timeout=10),
    ]
    check("error-body", requests.get(f"{server.url}/nothing", timeout=10).json())
    assert [answer.status_code for answer in answers] == [200, 200, 409, 409, 404, 403]
    assert read_stream(f"{url}/events?log_from=1")[-1][2]["task_id"] == task_id

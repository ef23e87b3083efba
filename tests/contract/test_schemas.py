"""The wire as a contract: golden payloads, and what a real gateway answers, against docs/reference/schemas.

The viewers of all integration tests check what they are sent, too (tests/contract/viewers.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from headway import ProgressManager
from tests.contract.viewers import Viewer
from tests.helpers import ROOT, ServerProcess
from tests.integration.cli_process import Cli
from tests.schemas import EVENTS, FOLDER, check, check_event

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
    ],
)
def test_what_breaks_the_contract_is_noticed(golden: str, change: dict[str, Any]) -> None:
    payload = json.loads((ROOT / "tests" / "wire" / f"{golden}.json").read_text("utf-8"))

    with pytest.raises(AssertionError, match="not as"):
        check(schema_of(golden), payload | change)


def test_every_schema_is_used_and_listed() -> None:
    listed = (FOLDER / "README.md").read_text("utf-8")

    assert [path.stem for path in FOLDER.glob("*.json") if f"({path.name})" not in listed] == []


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
        check("ack", viewer.join(task_id, 1))
        check("ack", viewer.ask("join", {"task_id": "unknown"}))
        check("ack", viewer.ask("cancel_task", {"task_id": task_id}))
        check("ack", viewer.ask("retry_task", {"task_id": task_id}))
        check("ack", viewer.ask("ping", {"t": 1}))
        check("ack", viewer.leave(task_id))
        viewer.emit("join", {"task_id": 5})
        viewer.end(task_id)
        for event, payload in list(viewer.events):
            check_event(event, payload)

    check("task", requests.get(url, timeout=10).json())
    check("log-page", requests.get(f"{url}/log", timeout=10).json())
    check("error-body", requests.post(f"{url}/retry", timeout=10).json())
    check("error-body", requests.get(f"{server.url}/api/tasks/unknown", timeout=10).json())
    check("error-body", requests.get(f"{server.url}/nothing", timeout=10).json())
    check("error-body", requests.get(f"{server.url}/api/tasks", timeout=10).json())
    check("health", requests.get(f"{server.url}/healthz", timeout=10).json())
    stream = requests.get(f"{url}/events", params={"log_from": "1"}, timeout=10).text
    events = [block.splitlines() for block in stream.split("\n\n") if "event: " in block]
    for block in events:
        fields = dict(line.partition(": ")[::2] for line in block)
        check_event(fields["event"], json.loads(fields["data"]))
    assert events

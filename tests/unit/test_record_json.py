"""Records of other processes are read by orjson where it is installed, and only by who reads them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.model.codec import from_record, to_record
from headway.model.stage import Stage
from headway.model.task import Task, TaskError
from headway.stores.record_json import record_decoder

TASK = Task(
    task_id="a",
    created_at=1.5,
    epoch="e",
    rev=2**50,
    state="running",
    message='\u0000"\u2028\n😀',
    completed=2**53 - 1,
    total=0.1 + 0.2,
    caller_details='{"a":[1e308,"\\ud83d"]}',
    stages=(Stage("x", weight=0.5), Stage("y", parent="x")),
    error=TaskError("c", "m"),
)


@pytest.fixture(params=["with orjson", "without"])
def _decoders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "orjson", None)
    record_decoder.cache_clear()
    yield
    record_decoder.cache_clear()


@pytest.mark.usefixtures("_decoders")
def test_a_record_is_read_as_it_was_written() -> None:
    assert from_record(to_record(TASK), epoch="e", decode=record_decoder()) == TASK


def test_who_only_reports_does_not_wait_for_orjson(tmp_path: Path) -> None:
    program = (
        "import sys; from headway import ProgressManager\n"
        f"with ProgressManager(store='sqlite:///{tmp_path}/t.db') as manager:\n"
        " task_id = manager.create_task(); manager.update_progress(task_id, 5); manager.complete_task(task_id)\n"
        "print('orjson' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert told == "False\n"

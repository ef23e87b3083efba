"""Records of other processes are read by orjson where a process has it anyway."""

from __future__ import annotations

import json
import sys

import orjson
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


def test_a_record_is_read_as_it_was_written_by_orjson_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_decoder() is orjson.loads
    assert from_record(to_record(TASK), epoch="e", decode=record_decoder()) == TASK

    monkeypatch.delitem(sys.modules, "orjson")
    assert record_decoder() is json.loads
    assert from_record(to_record(TASK), epoch="e", decode=record_decoder()) == TASK

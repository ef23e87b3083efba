"""Payloads are those of tests/wire, and what clients send is parsed strictly."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from headway.model import limits
from headway.model.change import LogLine
from headway.model.errors import InvalidValue, TaskNotFound
from headway.web import wire
from tests.unit.web.samples import PAYLOADS, golden, task_of


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_task_is_shown_as_the_golden_payload(name: str) -> None:
    payload = golden(name)

    shown = wire.task_payload_json(task_of(payload), payload["server_time"])

    assert json.loads(shown) == payload


def test_the_golden_payloads_have_exactly_the_fields_of_the_contract() -> None:
    assert {name: set(golden(name)) for name in PAYLOADS} == {
        name: set(wire.TaskPayload.__annotations__) for name in PAYLOADS
    }


def test_details_and_result_are_spliced_in_as_they_were_encoded() -> None:
    task = dataclasses.replace(
        task_of(golden("progress-completed")), caller_details='{"a":1e3,"nested":{"b":[]}}', inline_result='{"c": 2.50}'
    )

    text = wire.task_payload_json(task, 1.5)

    assert '"a":1e3,"nested":{"b":[]}' in text
    assert '"result":{"c": 2.50}' in text


def test_a_result_that_is_too_large_is_told_by_its_address_below_the_mount() -> None:
    task = dataclasses.replace(task_of(golden("progress-completed")), inline_result=None, has_large_result=True)

    payload = json.loads(wire.task_payload_json(task, 1.5, "/app"))

    assert payload["result"] is None
    assert payload["result_url"] == f"/app/api/tasks/{task.task_id}/result"


def test_nothing_of_the_host_application_is_shown() -> None:
    task = dataclasses.replace(
        task_of(golden("progress-running")), metadata_json='{"m":"SECRET"}', owner="SECRET", job='"SECRET"'
    )

    assert "SECRET" not in wire.task_payload_json(task, 1.5)


def test_log_lines_are_shown_as_the_golden_payloads() -> None:
    for name in ("log", "log-truncated"):
        payload = golden(name)
        lines = [LogLine(**line) for line in payload["lines"]]

        shown = wire.log_payload_json(payload["task_id"], payload["epoch"], lines, payload.get("truncated_before"))

        assert json.loads(shown) == payload


def test_an_error_has_the_fields_of_the_golden_payload() -> None:
    assert set(wire.error_payload(TaskNotFound("x"), "x")) == set(golden("error"))


def test_a_join_is_parsed_and_unknown_fields_are_ignored() -> None:
    assert wire.parse_join({"task_id": "a.b-c_1", "log_from": 3, "token": "t", "new": [1]}) == wire.Join(
        "a.b-c_1", "t", 3
    )
    assert wire.parse_join({"task_id": "a", "log_from": None}) == wire.Join("a", None, None)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (None, "data"),
        ([], "data"),
        ("x", "data"),
        ({}, "task_id"),
        ({"task_id": 5}, "task_id"),
        ({"task_id": ""}, "task_id"),
        ({"task_id": "a" * 129}, "task_id"),
        ({"task_id": "a/b"}, "task_id"),
        ({"task_id": "a", "log_from": 0}, "log_from"),
        ({"task_id": "a", "log_from": True}, "log_from"),
        ({"task_id": "a", "log_from": 1.0}, "log_from"),
        ({"task_id": "a", "log_from": 2**53}, "log_from"),
        ({"task_id": "a", "token": 5}, "token"),
        ({"task_id": "a", "token": "t" * 4097}, "token"),
    ],
)
def test_a_bad_join_is_refused_by_the_name_of_its_field(data: Any, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        wire.parse_join(data)

    assert caught.value.field == field
    assert caught.value.code == "invalid_request"


def test_a_reason_to_cancel_is_bounded() -> None:
    assert wire.parse_cancel({"task_id": "a", "reason": "r"}).reason == "r"
    with pytest.raises(InvalidValue, match="reason"):
        wire.parse_cancel({"task_id": "a", "reason": "r" * (limits.MESSAGE_CHARS + 1)})
    with pytest.raises(InvalidValue, match="reason"):
        wire.parse_cancel({"task_id": "a", "reason": 5})


@pytest.mark.parametrize(("data", "mark"), [(None, None), ({}, None), ({"t": 5.5}, 5.5), ({"t": "abc"}, "abc")])
def test_a_ping_may_carry_a_mark(data: Any, mark: Any) -> None:
    assert wire.parse_ping(data) == mark


@pytest.mark.parametrize("data", [[], {"t": []}, {"t": "x" * 65}, {"t": True}, {"t": 1e300}])
def test_a_ping_with_a_bad_mark_is_refused(data: Any) -> None:
    with pytest.raises(InvalidValue):
        wire.parse_ping(data)

"""A task as text and back: nothing is lost, and what is usual takes no room."""

from __future__ import annotations

import json
from dataclasses import replace

from headway.model.codec import KEPT_CHARACTERS, from_record, to_record
from headway.model.stage import Stage
from headway.model.task import Task, TaskError

PLAIN = Task(task_id="a", created_at=1.5, epoch="e1")


def test_a_new_task_takes_little_room() -> None:
    assert json.loads(to_record(PLAIN)) == {"task_id": "a", "created_at": 1.5}


def test_every_field_comes_back() -> None:
    task = replace(
        PLAIN,
        name="导入",
        state="failed",
        stage="load",
        progress=None,
        message="x\u0000\n😀",
        completed=0,
        total=2.5,
        unit="页",
        caller_details='{"a":[1]}',
        stages=(Stage("load", "L", 2.0, "failed", 33.3, 1, 3), Stage("x", weight=0), Stage("y", parent="x")),
        eta_s=1.0,
        rate=0.5,
        rev=7,
        attempt=3,
        worker="silent",
        cancel_requested_at=2.0,
        cancel_reason="r",
        started_at=1.6,
        updated_at=1.7,
        finished_at=1.8,
        inline_result="[]",
        has_large_result=True,
        error=TaskError("c", "m"),
        metadata_json='{"k":1}',
        owner="me",
        public=True,
        indeterminate=True,
        runner="local-thread",
        job="{}",
        holder="h",
        confirms_cancel=True,
        log_count=12,
    )

    again = from_record(to_record(task), epoch="e1", server_time=9.0)

    assert again == task
    assert again.server_time == 9.0


def test_a_flat_list_of_stages_is_written_as_ever() -> None:
    record = json.loads(to_record(replace(PLAIN, stages=(Stage("a"), Stage("b", parent="a")))))

    assert record["stages"] == [["a", None, 1, "pending", 0, None, None], ["b", None, 1, "pending", 0, None, None, "a"]]


def test_epoch_and_time_of_reading_are_the_stores_own() -> None:
    task = from_record(to_record(replace(PLAIN, server_time=5.0)), epoch="e2")

    assert (task.epoch, task.server_time) == ("e2", None)


def test_what_changes_is_read_anew_and_what_is_gone_from_a_record_is_at_its_default_again() -> None:
    running = replace(PLAIN, name='a,"rev":1', state="running", metadata_json='{"rev":[1,{"rev":2}]}', rev=5)
    reported = replace(running, rev=6, progress=40, message=',"rev":7', stage="s", stages=(Stage("s"),), eta_s=3.0)
    retried = replace(running, rev=7, log_count=2)

    for task in (running, reported, retried, running):
        assert from_record(to_record(task), epoch="e1") == task


def test_records_of_before_whose_fields_stand_in_another_order_are_read() -> None:
    task = replace(PLAIN, state="running", progress=3, stages=(Stage("s"),), rev=5, updated_at=2.0, public=True)
    record = json.loads(to_record(task))

    for names in (sorted(record), sorted(record, reverse=True), ["rev", *(name for name in record if name != "rev")]):
        for separators in ((",", ":"), (", ", ": ")):
            text = json.dumps({name: record[name] for name in names}, separators=separators)
            assert from_record(text, epoch="e1") == task


def test_a_long_record_is_read_too() -> None:
    task = replace(PLAIN, metadata_json=json.dumps("x" * KEPT_CHARACTERS), rev=5, message="m")

    assert from_record(to_record(task), epoch="e1") == task

"""The quick `replace` gives what the standard library's gives."""

from __future__ import annotations

import dataclasses

import pytest

from headway.model.change import LogLine
from headway.model.replacing import changed, replace
from headway.model.stage import Stage
from headway.model.task import Task

VALUES = [
    Task(task_id="a", created_at=1.5, message="m", stages=(Stage("s"),), server_time=3.0),
    Stage("title", weight=2),
    LogLine(1, 2.0, "info", "text"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_copy_is_equal_and_another(value: Task | Stage | LogLine) -> None:
    copied = replace(value)

    assert copied == value
    assert copied is not value
    assert hash(copied) == hash(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_each_field_can_be_another(value: Task | Stage | LogLine) -> None:
    for field in dataclasses.fields(value):
        changes = {field.name: "changed"}
        assert dataclasses.astuple(replace(value, **changes)) == dataclasses.astuple(  # type: ignore[type-var]
            dataclasses.replace(value, **changes)  # type: ignore[type-var]
        )


def test_the_old_value_stays() -> None:
    task = Task(task_id="a", created_at=1.5)
    replace(task, rev=9, message="new")

    assert task == Task(task_id="a", created_at=1.5)


def test_what_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Task has no field 'pogress'"):
        replace(VALUES[0], pogress=3)  # type: ignore[call-arg]


def test_a_copy_is_frozen_too() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(Stage("a")).name = "b"  # type: ignore[misc]


def test_changes_may_come_as_a_dict() -> None:
    changes = {"rev": 9, "message": "new"}

    assert changed(VALUES[0], changes) == replace(VALUES[0], **changes)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Task has no field 'pogress'"):
        changed(VALUES[0], {"rev": 9, "pogress": 3})

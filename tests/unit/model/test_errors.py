"""The error tree: each says what is wrong, and can go to another process."""

from __future__ import annotations

import pickle

import pytest

from headway.model import errors

EVERY = [
    errors.HeadwayError("x"),
    errors.InvalidValue("progress", "must be from 0 to 100", code="too_large"),
    errors.TaskNotFound("a{b}c"),
    errors.TaskExists("a"),
    errors.NotRetryable("a", "no: {task_id}"),
    errors.NotCancellable("a"),
    errors.NoResult("a"),
    errors.QueueFull("full"),
    errors.StoreError("x"),
    errors.StoreUnavailable("locked"),
    errors.StoreTooNew("x"),
    errors.MissingExtra("redis", "redis"),
    errors.TaskFailed("the model refused", code="refused"),
    errors.TaskCancelled("a", "not needed"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error: BaseException) -> None:
    same = pickle.loads(pickle.dumps(error))

    assert type(same) is type(error)
    assert str(same) == str(error)
    for name in ("code", "field", "limit", "task_id", "reason", "extra"):
        assert getattr(same, name, None) == getattr(error, name, None)


def test_every_error_is_tried_above() -> None:
    public = {
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, BaseException) and not thing.__name__.startswith("_")
    }

    assert public == {type(error) for error in EVERY}


def test_except_exception_does_not_swallow_a_cancel() -> None:
    assert not issubclass(errors.TaskCancelled, Exception)


def test_the_builtin_errors_that_callers_expect_catch_ours() -> None:
    assert issubclass(errors.InvalidValue, ValueError)
    assert issubclass(errors.TaskNotFound, LookupError)
    assert issubclass(errors.MissingExtra, ImportError)

"""The whole error tree. Each error carries a stable `code`, the one that goes over the wire."""

from __future__ import annotations


class HeadwayError(Exception):
    """The base of everything that Headway raises on purpose."""

    code = "internal"


class InvalidValue(HeadwayError, ValueError):
    """A value is of the wrong kind or over its limit. Nothing has changed.

    `field` is the name of the argument or JSON key, `limit` what would have been right.
    """

    code = "invalid_request"

    def __init__(self, field: str, limit: str, *, code: str | None = None) -> None:
        super().__init__(f"{field}: {limit}")
        self.field = field
        self.limit = limit
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[type[InvalidValue], tuple[str, str], dict[str, str]]:
        return type(self), (self.field, self.limit), {"code": self.code}


class _AboutTask(HeadwayError):
    """An error about one task, which `task_id` names."""

    sentence = "something is wrong with task {task_id!r}"

    def __init__(self, task_id: str, sentence: str | None = None) -> None:
        super().__init__((sentence or self.sentence).format(task_id=task_id))
        self.task_id = task_id

    def __reduce__(self) -> tuple[type[_AboutTask], tuple[str, str]]:
        return type(self), (self.task_id, str(self).replace("{", "{{").replace("}", "}}"))


class TaskNotFound(_AboutTask, LookupError):
    """No task has this id (or, over the wire, this caller may not know that one has)."""

    code = "task_not_found"
    sentence = "there is no task {task_id!r}"


class TaskExists(_AboutTask):
    """A task has this id already."""

    code = "task_exists"
    sentence = "there is a task {task_id!r} already; choose another id"


class NotRetryable(_AboutTask):
    """The task is not final, or no runner here knows how to run it again."""

    code = "not_retryable"
    sentence = (
        "task {task_id!r} can't be retried: it has not failed or been cancelled, "
        "or no runner here knows how to run it again"
    )


class NotCancellable(_AboutTask):
    """The task has ended already."""

    code = "not_cancellable"
    sentence = "task {task_id!r} can't be cancelled: it has ended"


class NoResult(_AboutTask):
    """The task has not completed, or completed without a result."""

    code = "no_result"
    sentence = "task {task_id!r} has no result"


class QueueFull(HeadwayError):
    """The local runner's queue is at its bound; nothing was created."""

    code = "queue_full"


class StoreError(HeadwayError):
    """The store can't do what was asked."""


class StoreUnavailable(StoreError):
    """The store can't be reached or written now; what was asked has not been acknowledged."""

    code = "unavailable"


class StoreTooNew(StoreError):
    """The store was written by a newer Headway; upgrade Headway, or choose another store."""


class MissingExtra(HeadwayError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed; run: pip install 'headway[{extra}]'")
        self.what = what
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.what, self.extra)


class TaskFailed(HeadwayError):
    """Raise it in your work to fail the task with a `code` of your own and a message meant for viewers."""

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class TaskCancelled(BaseException):
    """The watching person asked for the stop. Raised in the work at its next report, so that it can clean up.

    A `BaseException`, so that a broad `except Exception` in the work can't swallow it.
    """

    def __init__(self, task_id: str, reason: str | None = None) -> None:
        super().__init__(f"task {task_id!r} was asked to stop" + (f": {reason}" if reason else ""))
        self.task_id = task_id
        self.reason = reason

    def __reduce__(self) -> tuple[type[TaskCancelled], tuple[str, str | None]]:
        return type(self), (self.task_id, self.reason)

"""A job: a function and its arguments, as a runner keeps them, and how one is run.

What can be named (`module:function`) with arguments that are JSON is kept with the task, so that it can be run again
after a restart. Anything else lives as long as this process.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headway.core.progress_manager import ProgressManager
from headway.model.errors import TaskCancelled

STORED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Job:
    """`fn(reporter, *args, **kwargs)`."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def to_json(self) -> str | None:
        """The job as JSON text, or None where that would not give the same job back."""
        if not self.is_importable():
            return None
        spec = {"fn": self._name, "args": list(self.args), "kwargs": self.kwargs}
        try:
            encoded = json.dumps(spec, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            return None
        if len(encoded) > STORED_BYTES or json.loads(encoded) != spec:
            return None
        return encoded

    def is_importable(self) -> bool:
        """Whether another process finds the function by its module and name."""
        return not self._name.startswith("__main__:") and _named(self._name) is self.fn

    @property
    def _name(self) -> str:
        return f"{getattr(self.fn, '__module__', '')}:{getattr(self.fn, '__qualname__', '')}"

    @classmethod
    def from_json(cls, encoded: str) -> Job | None:
        """The job again, or None where its function is not to be found any more."""
        spec = json.loads(encoded)
        fn = _named(spec["fn"])
        return None if fn is None else cls(fn, tuple(spec["args"]), spec["kwargs"])


def run_job(manager: ProgressManager, task_id: str, attempt: int, job: Job) -> None:
    """Run one attempt to its end. What the function returns, if anything, is the result.

    Raises nothing of the work's: the task says how it ended, and the log has the traceback. Where the work could not
    begin it raises `StoreUnavailable` or `TaskNotFound`.
    """
    try:
        reporter = manager.attach(task_id, attempt=attempt)
    except TaskCancelled:
        return  # It was cancelled before it began.
    try:
        with reporter:
            result = job.fn(reporter, *job.args, **job.kwargs)
            if result is not None:
                reporter.set_result(result)
    except BaseException:  # noqa: BLE001 - the boundary, for sys.exit() too: the reporter has stored and logged it
        return


def _named(name: str) -> Callable[..., Any] | None:
    module, _, qualname = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if callable(found) else None

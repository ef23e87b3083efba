"""Live, honest progress of long-running Python work in any web page."""

from headway.core.progress_manager import ProgressManager
from headway.core.reporter import Reporter
from headway.model.errors import (
    HeadwayError,
    InvalidValue,
    MissingExtra,
    NoResult,
    NotCancellable,
    NotRetryable,
    QueueFull,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    TaskCancelled,
    TaskExists,
    TaskFailed,
    TaskNotFound,
)
from headway.model.ports import LogPage, Store, TaskPage
from headway.model.stage import Stage
from headway.model.task import Task, TaskError, TaskStatus

__version__ = "0.1.0"

__all__ = [
    "HeadwayError",
    "InvalidValue",
    "LogPage",
    "MissingExtra",
    "NoResult",
    "NotCancellable",
    "NotRetryable",
    "ProgressManager",
    "QueueFull",
    "Reporter",
    "Stage",
    "Store",
    "StoreError",
    "StoreTooNew",
    "StoreUnavailable",
    "Task",
    "TaskCancelled",
    "TaskError",
    "TaskExists",
    "TaskFailed",
    "TaskNotFound",
    "TaskPage",
    "TaskStatus",
    "__version__",
]

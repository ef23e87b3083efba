"""What an error says to viewers: a code and one message. The traceback goes to the server's log."""

from __future__ import annotations

import logging
import re

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.task import TaskError

log = logging.getLogger("headway")

_CODE = re.compile(r"[a-z0-9_]{1,64}")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit)
# What `threading` says where an interrupt came in the middle of its wait: it leaves a lock that it does not hold yet.
_OF_ITS_LOCKS = ("release unlocked lock", "cannot release un-acquired lock")


def task_error(error: object) -> TaskError:
    """From an exception, a message, or a dict of code and message. Raises `InvalidValue`."""
    if isinstance(error, TaskError):
        return TaskError(_checked_code(error.code), limits.text(error.message, "error", limits.MESSAGE_CHARS))
    if isinstance(error, BaseException):
        return _of_exception(error)
    if isinstance(error, dict) and error.keys() <= {"code", "message"}:
        message = limits.text(error.get("message", ""), "error.message", limits.MESSAGE_CHARS)
        return TaskError(_checked_code(error.get("code", "failed")), message)
    if isinstance(error, str):
        return TaskError("failed", limits.text(error, "error", limits.MESSAGE_CHARS))
    raise InvalidValue("error", "must be an exception, a string, or a dict of code and message")


def log_traceback(task_id: str, error: object) -> None:
    """Where it is an exception: for the server's log alone."""
    if isinstance(error, BaseException):
        log.error("task %s failed", task_id, exc_info=error)


def _of_exception(error: BaseException) -> TaskError:
    """Never raises: failing a task must not fail."""
    if _is_interrupt(error):
        return TaskError("interrupted", "the work was interrupted")
    code = getattr(error, "code", None)
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        code = _WORD_START.sub("_", type(error).__name__).lower()[:64]
    try:
        message = str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it is the work's own __str__; the log has the traceback of the error itself
        message = type(error).__name__
    return TaskError(
        code if _CODE.fullmatch(code) else "failed",
        message.encode(errors="replace").decode()[: limits.MESSAGE_CHARS],
    )


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, RuntimeError) and error.args and error.args[0] in _OF_ITS_LOCKS:
        return isinstance(error.__context__, _INTERRUPTS)
    return isinstance(error, _INTERRUPTS)


def _checked_code(code: object) -> str:
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise InvalidValue("error.code", "must be 1 to 64 of a-z 0-9 _")
    return limits.plain_text(code)

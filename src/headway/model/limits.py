"""Limits and the checks of single values. Each raises `InvalidValue` that names the field and the limit."""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import TypeAlias

from headway.model.compact import compact_encoder
from headway.model.errors import InvalidValue

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

NAME_CHARS = 200
MESSAGE_CHARS = 2_000
DETAILS_BYTES = 8 * 1024
METADATA_BYTES = 8 * 1024
INLINE_RESULT_BYTES = 16 * 1024
RESULT_BYTES = 16 * 1024 * 1024
LOG_LINE_BYTES = 4 * 1024
LOG_LINES = 10_000
JSON_DEPTH = 32
TOO_DEEP = f"must nest at most {JSON_DEPTH} deep"
STAGES = 50
STAGE_DEPTH = 3
AMOUNT = 2**53 - 1
PAGE = 500
SECRET_ID_CHARS = 22

_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_STAGE_NAME = re.compile(r"[a-z0-9_]{1,64}")
# A circle ends as a RecursionError instead.
_compact = compact_encoder(allow_nan=False)
_LEVELS = ("debug", "info", "warning", "error")


def task_id(value: object) -> str:
    if not isinstance(value, str) or not _TASK_ID.fullmatch(value):
        raise InvalidValue("task_id", "must be 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
    return plain_text(value)


def stage_name(value: object, field: str = "status") -> str:
    if not isinstance(value, str) or not _STAGE_NAME.fullmatch(value):
        raise InvalidValue(field, "must be 1 to 64 of a-z 0-9 _")
    return plain_text(value)


def text(value: object, field: str, chars: int) -> str:
    if not isinstance(value, str):
        raise InvalidValue(field, f"must be a string of up to {chars:,} characters")
    if len(value) > chars:
        raise InvalidValue(field, f"must be up to {chars:,} characters; it has {len(value):,}")
    if not value.isascii():
        utf8(value, field)
    return value if type(value) is str else plain_text(value)


def utf8(value: str, field: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(field, "must be Unicode text; it has half of a surrogate pair") from error


def level(value: object) -> str:
    if not isinstance(value, str) or value not in _LEVELS:
        raise InvalidValue("level", f"must be one of {', '.join(_LEVELS)}")
    return plain_text(value)


def access(value: str) -> str:
    """What guards a task, as the environment may name it."""
    if value not in ("capability", "signed"):
        raise InvalidValue("HEADWAY_ACCESS", f"must be capability or signed; it is {value!r}")
    return value


def plain_text(value: str) -> str:
    """Of a member of an enumeration its text, where `str` would give its name."""
    return value if type(value) is str else str.__str__(value)


def number(value: object, field: str, low: float, high: float) -> int | float:
    """`value` as a plain int or float; other real numbers (NumPy's, fractions) are taken too."""
    if type(value) is not int and type(value) is not float:
        value = _plain(value)
    if value is None or value != value:  # NaN is not itself
        raise InvalidValue(field, f"must be a number from {low:,} to {high:,}")
    if not low <= value <= high:
        # A number of a thousand digits would make the message worse, not better.
        raise InvalidValue(
            field, f"must be from {low:,} to {high:,}" + (f"; it is {value:,}" if abs(value) <= AMOUNT else "")
        )
    return value


def _plain(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return int(value) if isinstance(value, Integral) else float(value)
    except (OverflowError, ValueError):
        return None


# These two are asked at every report: what is plainly right is not asked twice.


def percent(value: object) -> int | float:
    if (type(value) is int or type(value) is float) and 0 <= value <= 100:
        return value
    return number(value, "progress", 0, 100)


def amount(value: object, field: str) -> int | float:
    if (type(value) is int or type(value) is float) and 0 <= value <= AMOUNT:
        return value
    return number(value, field, 0, AMOUNT)


def whole(value: object, field: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidValue(field, f"must be a whole number from {low:,} to {high:,}")
    return value


def encode(value: object, field: str, max_bytes: int) -> str:
    """`value` as compact JSON text; proves that it is JSON, bounds its size and depth, and is a snapshot of it."""
    try:
        encoded = _compact(value)
    except RecursionError as error:
        raise InvalidValue(field, TOO_DEEP) from error
    except (TypeError, ValueError) as error:
        raise InvalidValue(field, f"must be JSON: {error}") from error
    size = len(encoded) if encoded.isascii() else len(utf8(encoded, field))
    if size > max_bytes:
        raise InvalidValue(field, f"must be up to {max_bytes:,} bytes as JSON; it has {size:,}", code="too_large")
    # Counting brackets is cheap and can only overestimate the depth: most values never need the walk.
    if encoded.count("{") + encoded.count("[") > JSON_DEPTH:
        depth(value, field)
    return encoded


def depth(value: object, field: str, *, within: int = 0) -> None:
    """Raise when `value` nests deeper than `JSON_DEPTH` containers, of which `within` so many more are not its own."""
    containers = [value]
    for _ in range(JSON_DEPTH + within):
        inner: list[object] = []
        for item in containers:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list | tuple):
                inner.extend(item)
        containers = [item for item in inner if isinstance(item, dict | list | tuple)]
        if not containers:
            return
    raise InvalidValue(field, TOO_DEEP)

"""JSON text to and from values: by orjson where it is installed, else by the standard library. The same wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from headway.model import limits
from headway.model.errors import InvalidValue


def _standard(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _choose() -> Callable[[object], str]:
    try:
        import orjson
    except ImportError:
        return _standard
    encode = orjson.dumps
    return lambda value: encode(value).decode()


to_json: Callable[[object], str] = _choose()
"""Compact JSON text of a value that is known to be JSON."""


def from_json(text: str | bytes, field: str, *, within: int = 0) -> Any:
    """What a client sent, decoded, where it comes `within` so many lists that are the packet's own.

    Raises `InvalidValue` that names `field`; NaN and infinities are no JSON.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise InvalidValue(field, limits.TOO_DEEP) from error
    except ValueError as error:
        raise InvalidValue(field, "must be JSON") from error
    limits.depth(value, field, within=within)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)

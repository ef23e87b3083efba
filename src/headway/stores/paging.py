"""What a listing asks for, checked, and the opaque cursor. One meaning for all stores.

Pages go by key, not by offset: a cursor holds the sort key and the id of the last task of the page before.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import NamedTuple

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.ports import Order, TaskQuery
from headway.model.task import ACTIVE, FINAL, State, Task

ORDERS: tuple[Order, ...] = ("newest", "longest", "stuck")
_UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Position(NamedTuple):
    """Where a page begins: after the task with this sort key and id."""

    key: float
    task_id: str


class Listing(NamedTuple):
    """A checked query. `states` are never empty but where nothing can match; `needle` is folded."""

    states: tuple[State, ...]
    owner: str | None
    needle: str | None
    order: Order
    limit: int
    after: Position | None

    @property
    def newest_first(self) -> bool:
        return self.order == "newest"


def checked(query: TaskQuery) -> Listing:
    """Raises `InvalidValue` that names what is wrong."""
    if query.order not in ORDERS:
        raise InvalidValue("order", f"must be one of {', '.join(ORDERS)}")
    for state in query.states:
        if state not in ACTIVE and state not in FINAL:
            raise InvalidValue("state", f"must be one of {', '.join(ACTIVE + FINAL)}")
    possible = ACTIVE + FINAL if query.order == "newest" else ACTIVE
    search = limits.text(query.search, "search", limits.NAME_CHARS) if query.search is not None else ""
    return Listing(
        states=tuple(state for state in possible if not query.states or state in query.states),
        owner=None if query.owner is None else limits.text(query.owner, "owner", limits.NAME_CHARS),
        needle=folded(search) or None,
        order=query.order,
        limit=limits.whole(query.limit, "limit", 1, limits.PAGE),
        after=None if query.cursor is None else _decoded(query.cursor, query.order),
    )


def sort_key(task: Task, order: Order) -> float:
    """What the order goes by; what was not started or reported yet counts from its creation."""
    if order == "longest" and task.started_at is not None:
        return task.started_at
    if order == "stuck" and task.updated_at is not None:
        return task.updated_at
    return task.created_at


def cursor_after(task: Task, order: Order) -> str:
    """The cursor of the page that follows this task."""
    text = json.dumps([order, sort_key(task, order), task.task_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def folded(text: str) -> str:
    """Case does not matter in a search, for the letters a–z (so that every engine agrees)."""
    return text.translate(_UPPER_TO_LOWER)


def matches(task: Task, needle: str) -> bool:
    return any(needle in folded(text) for text in (task.task_id, task.name or "", task.message))


def _decoded(cursor: object, order: Order) -> Position:
    wrong = InvalidValue("cursor", "must be the next_cursor of a page in the same order")
    if not isinstance(cursor, str) or len(cursor) > 1_000:
        raise wrong
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        its_order, key, task_id = parts
        limits.task_id(task_id)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise wrong from error
    if its_order != order or isinstance(key, bool) or not isinstance(key, int | float) or not math.isfinite(key):
        raise wrong
    return Position(float(key), task_id)

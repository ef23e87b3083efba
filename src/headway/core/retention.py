"""Ended tasks are kept for a while, and not without number: the store does not grow for ever."""

from __future__ import annotations

from datetime import timedelta

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.ports import Store
from headway.model.values import dataclass

KEPT_FOR = timedelta(days=30)
KEPT_TASKS = 100_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How long and how many ended tasks are kept, with their logs and results; None: without end."""

    age: timedelta | None = KEPT_FOR
    tasks: int | None = KEPT_TASKS

    def __post_init__(self) -> None:
        if self.age is not None and self.age <= timedelta(0):
            raise InvalidValue("keep_for", "must be a timedelta above 0, or None")
        if self.tasks is not None:
            limits.whole(self.tasks, "keep_tasks", 1, limits.AMOUNT)

    def sweep(self, store: Store) -> int:
        """Delete what is beyond; how many. Raises `StoreUnavailable`."""
        if self.age is None and self.tasks is None:
            return 0
        before = None if self.age is None else store.now() - self.age.total_seconds()
        return store.delete(finished_before=before, keep=self.tasks)


def age_s(older_than: object) -> float:
    """A caller's age in seconds. Raises `InvalidValue`."""
    if not isinstance(older_than, timedelta) or older_than < timedelta(0):
        raise InvalidValue("older_than", "must be a timedelta that is not negative")
    return older_than.total_seconds()

"""Sorted sets and sets that find tasks in Redis.

A script can't touch a task and the indexes at once where they are in different slots. So an index is a superset: an
entry is added before the task is swapped, and taken out after. Whoever reads an index looks at the tasks, too, and
leaves out what does not belong. A process that dies in between leaves an entry too many, never one too few.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from headway.model.ports import TaskPage
from headway.model.task import ACTIVE, FINAL, State, Task
from headway.stores import paging
from headway.stores.paging import Listing, Position
from headway.stores.redis_client import RedisClient
from headway.stores.redis_keys import Keys
from headway.stores.redis_servers import Command

STEP = 500
# An entry without a task may belong to one that is just being created; after this long it can't.
SETTLED_S = 3_600

Fetch = Callable[[Sequence[str]], dict[str, Task]]


def entries(keys: Keys, old: Task | None, new: Task) -> tuple[list[Command], list[Command]]:
    """What to add before `old` becomes `new`, and what to take out after it."""
    before: list[Command] = []
    after: list[Command] = []
    if old is None or old.state != new.state:
        before += [("ZADD", key, repr(new.created_at), new.task_id) for key in keys.states_of(new)]
        if old is not None:
            after += [("ZREM", key, new.task_id) for key in keys.states_of(old)]
    old_end = None if old is None else old.finished_at
    if old_end != new.finished_at:
        if new.finished_at is not None:
            before.append(("ZADD", keys.finished, repr(new.finished_at), new.task_id))
        elif old_end is not None:
            after.append(("ZREM", keys.finished, new.task_id))
    old_holder = None if old is None else old.holder
    if old_holder != new.holder:
        if new.holder is not None:
            before += [("SADD", keys.holders, new.holder), ("SADD", keys.held(new.holder), new.task_id)]
        if old_holder is not None:
            after.append(("SREM", keys.held(old_holder), new.task_id))
    return before, after


def removal(keys: Keys, task_id: str, owner: str | None) -> list[Command]:
    """What takes a task that is gone out of every index that it may be in."""
    owners: tuple[str | None, ...] = (None,) if owner is None else (None, owner)
    commands: list[Command] = [
        ("ZREM", keys.in_state(state, whose), task_id) for state in ACTIVE + FINAL for whose in owners
    ]
    return [*commands, ("ZREM", keys.finished, task_id)]


class RedisIndex:
    """Finds tasks; `fetch` reads them by their ids."""

    def __init__(self, client: RedisClient, keys: Keys, *, fetch: Fetch, now: Callable[[], float]) -> None:
        self._client = client
        self._keys = keys
        self._fetch = fetch
        self._now = now

    def page(self, listing: Listing) -> TaskPage:
        found: list[Task] = []
        tasks = self._newest(listing) if listing.newest_first else self._oldest_active(listing)
        for task in tasks:
            if listing.needle is not None and not paging.matches(task, listing.needle):
                continue
            if len(found) == listing.limit:
                return TaskPage(tuple(found), paging.cursor_after(found[-1], listing.order))
            found.append(task)
        return TaskPage(tuple(found))

    def held(self, holder: str | None) -> list[Task]:
        """Active tasks held by this one, or by any."""
        holders = [holder] if holder is not None else sorted(self._client.one("SMEMBERS", self._keys.holders))
        members = self._client.run([("SMEMBERS", self._keys.held(one)) for one in holders])
        tasks = self._fetch(sorted(set().union(*members)) if members else [])
        if holder is None:
            idle = [one for one, its in zip(holders, members, strict=True) if not its]
            self._client.run([("SREM", self._keys.holders, one) for one in idle])
            # One that began to hold in between is put back.
            again = self._client.run([("SCARD", self._keys.held(one)) for one in idle])
            self._client.run(
                [("SADD", self._keys.holders, one) for one, count in zip(idle, again, strict=True) if count]
            )
        return [
            task
            for task in tasks.values()
            if task.holder is not None and not task.has_ended and (holder is None or task.holder == holder)
        ]

    def finished_before(self, end: float, states: Sequence[State]) -> list[Task]:
        """Ended tasks of these states that ended before that time."""
        tasks = self._ended("ZRANGEBYSCORE", "-inf", f"({end!r}", 0)
        return [task for task in tasks if task.state in states and (task.finished_at or 0) < end]

    def beyond(self, keep: int, states: Sequence[State]) -> list[Task]:
        """Ended tasks of these states, without the newest `keep` of them."""
        tasks = [task for task in self._ended("ZREVRANGEBYSCORE", "+inf", "-inf", 0) if task.state in states]
        return tasks[keep:]

    def sweep(self, ended_before: float) -> None:
        """Take out what has expired with the retention."""
        ids: list[str] = self._client.one(
            "ZRANGEBYSCORE", self._keys.finished, "-inf", f"({ended_before!r}", "LIMIT", 0, STEP
        )
        gone = [task_id for task_id in ids if task_id not in self._fetch(ids)] if ids else []
        self._client.run([command for task_id in gone for command in removal(self._keys, task_id, None)])

    def _ended(self, command: str, first: str, last: str, offset: int) -> Iterator[Task]:
        while True:
            ids: list[str] = self._client.one(command, self._keys.finished, first, last, "LIMIT", offset, STEP)
            tasks = self._fetch(ids)
            yield from (tasks[task_id] for task_id in ids if task_id in tasks and tasks[task_id].has_ended)
            if len(ids) < STEP:
                return
            offset += STEP

    def _newest(self, listing: Listing) -> Iterator[Task]:
        """All that match, newest first, read in steps as they are asked for."""
        step = min(STEP, listing.limit + 1)
        after = listing.after
        while True:
            sets = [self._keys.in_state(state, listing.owner) for state in listing.states]
            parts = [self._members(key, after, step) for key in sets]
            # As far as the shortest full part reaches, nothing is missing in the others.
            merged = sorted({position for part in parts for position in part}, reverse=True)
            floor = max((part[-1] for part in parts if len(part) == step), default=None)
            known = [position for position in merged if floor is None or position >= floor]
            tasks = self._fetch([position.task_id for position in known])
            for position in known:
                task = tasks.get(position.task_id)
                if task is None:
                    self._forget(position, listing)
                elif self._belongs(task, position, listing):
                    yield task
            if floor is None:
                return
            after = floor

    def _oldest_active(self, listing: Listing) -> Iterator[Task]:
        """Sorted here: there are only so many active tasks, however many have ended."""
        sets = [self._keys.in_state(state, listing.owner) for state in listing.states]
        ids = {task_id for part in self._client.run([("ZRANGE", key, 0, -1) for key in sets]) for task_id in part}
        tasks = self._fetch(sorted(ids))
        found = [
            Position(paging.sort_key(task, listing.order), task.task_id)
            for task in tasks.values()
            if task.state in listing.states and (listing.owner is None or task.owner == listing.owner)
        ]
        later = [position for position in found if listing.after is None or position > listing.after]
        heapq.heapify(later)
        while later:
            yield tasks[heapq.heappop(later).task_id]

    def _members(self, key: str, after: Position | None, count: int) -> list[Position]:
        """The next `count` of a sorted set after a position, the newest first."""
        first = "+inf" if after is None else repr(after.key)
        offset = 0
        found: list[Position] = []
        while len(found) < count:
            flat: list[Any] = self._client.one(
                "ZREVRANGEBYSCORE", key, first, "-inf", "WITHSCORES", "LIMIT", offset, count + 1
            )
            positions = [Position(float(score), task_id) for task_id, score in _pairs(flat)]
            # Those created in the same instant as the last one come again; the ids say which were there.
            found += [position for position in positions if after is None or position < after]
            if len(positions) <= count:
                break
            offset += len(positions)
        return found[:count]

    @staticmethod
    def _belongs(task: Task, position: Position, listing: Listing) -> bool:
        return (
            task.state in listing.states
            and (listing.owner is None or task.owner == listing.owner)
            and task.created_at == position.key
        )

    def _forget(self, position: Position, listing: Listing) -> None:
        if position.key < self._now() - SETTLED_S:
            self._client.run(removal(self._keys, position.task_id, listing.owner))


def _pairs(flat: Iterable[Any]) -> list[tuple[Any, Any]]:
    """[member, score, …] of RESP2, or [(member, score), …] as the client may make of it."""
    items = list(flat)
    if items and isinstance(items[0], list | tuple):
        return [(item[0], item[1]) for item in items]
    return list(zip(items[::2], items[1::2], strict=True))

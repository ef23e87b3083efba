"""`redis://HOST:PORT/DB`: tasks in Redis or Valkey, for many processes on many hosts.

A change is *atomic* by a script that compares and swaps the task, appends to its log and tells of it (swap.lua); the
indexes follow (redis_index.py). What is acknowledged is as durable as that Redis makes it (appendfsync).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict

from headway.model import limits
from headway.model.change import LogLine
from headway.model.clock import Clock, SystemClock
from headway.model.codec import from_record, to_record
from headway.model.errors import TaskExists, TaskNotFound
from headway.model.ports import Following, Lease, LogPage, OnChange, OnReset, Swap, TaskPage, TaskQuery
from headway.model.replacing import replace
from headway.model.task import FINAL, State, Task
from headway.stores import paging
from headway.stores.forks import at_fork
from headway.stores.redis_address import Address
from headway.stores.redis_client import RedisClient, script
from headway.stores.redis_feed import RedisFeed, message
from headway.stores.redis_index import RedisIndex, entries, removal
from headway.stores.redis_keys import Keys
from headway.stores.redis_servers import Command
from headway.stores.subscribers import Subscribers

# How long the rev of a deleted task is remembered.
TOMBSTONE_S = 86_400
FETCHED_AT_ONCE = 500
LOOK_AT_CLOCK_S = 30.0


class RedisStore:
    """Connects with the first call. `prefix=` in the URL parts stores that share a Redis, `retention_s=` lets Redis
    forget a task that long after its end.

    The store's time is Redis's, as far as the last look at it tells (`uses_server_time`).
    """

    def __init__(self, url: str, *, clock: Clock | None = None, uses_server_time: bool = True) -> None:
        self.url: str | None = url
        self._address = Address.parse(url)
        self._keys = Keys(self._address.prefix)
        self._clock = clock or SystemClock()
        self._uses_server_time = uses_server_time
        self._ahead_s = 0.0
        self._looked_at = float("-inf")
        self._begin()
        at_fork(in_child=self._begin_in_child)

    def __reduce__(self) -> tuple[type[RedisStore], tuple[str | None]]:
        """In another process it is the same Redis, connected to from there."""
        return type(self), (self.url,)

    def now(self) -> float:
        return self._clock.time() + self._ahead_s

    def epoch(self) -> str:
        key = self._keys.epoch
        commands: list[Command] = [("SET", key, secrets.token_hex(8), "NX"), ("GET", key)]
        before = self._clock.time()
        answers = self._client.run([*commands, ("TIME",)] if self._is_time_due() else commands)
        if len(answers) > len(commands):
            seconds, microseconds = answers[-1]
            # The answer was written about half-way between question and arrival.
            self._ahead_s = int(seconds) + int(microseconds) / 1e6 - (before + self._clock.time()) / 2
            self._looked_at = self._clock.monotonic()
        epoch: str = answers[1]
        if answers[0]:
            self._client.one("PUBLISH", self._keys.resets, epoch)
        return epoch

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, task: Task) -> Task:
        epoch = self.epoch()
        now = self.now()
        rev = int(now * 1000)
        task_id = task.task_id
        while True:
            stored = replace(task, epoch=epoch, rev=rev, server_time=now)
            before, _ = entries(self._keys, None, stored)
            record = to_record(stored)
            told = (self._keys.channel(task_id), message(self._sender, epoch, record))
            ours = (self._keys.task(task_id), self._keys.tombstone(task_id))
            create = script("create", ours, (rev, epoch, secrets.token_hex(8), record, *told))
            said = self._client.run([*(_only_new(command) for command in before), create])[-1]
            if said == "stored":
                self._subscribers.tell((stored,))
                return stored
            if said == "taken":
                raise TaskExists(task_id)
            rev = int(said) + 1

    def get(self, task_id: str) -> Task:
        task = self._fetch([task_id]).get(task_id)
        if task is None:
            raise TaskNotFound(task_id)
        return task

    def get_many(self, task_ids: Collection[str]) -> dict[str, Task]:
        return self._fetch(list(task_ids))

    def swap(self, swap: Swap) -> Task | None:
        return self.swap_many((swap,))[0]

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        """One round trip; another one where tasks began or ended, to tidy the indexes."""
        self._look_at_clock()
        now = self.now()
        before: list[Command] = []
        after: list[list[Command]] = []
        scripts: list[Command] = []
        tasks: list[Task] = []
        for swap in swaps:
            task = swap.stored(now)
            tasks.append(task)
            added, removed = entries(self._keys, swap.old, task)
            before += added
            after.append(removed)
            scripts.append(self._swap_script(swap, task))
        answers = self._client.run([*before, *scripts])[len(before) :]
        stored = [task if done else None for task, done in zip(tasks, answers, strict=True)]
        self._client.run(
            [command for removed, task in zip(after, stored, strict=True) if task is not None for command in removed]
        )
        self._subscribers.tell([task for task in stored if task is not None])
        return stored

    def delete(
        self, *, finished_before: float | None = None, states: Collection[State] = (), keep: int | None = None
    ) -> int:
        chosen = [state for state in FINAL if not states or state in states]
        deleted = 0
        if finished_before is not None:
            deleted += self._delete(self._index.finished_before(finished_before, chosen))
        if keep is not None:
            deleted += self._delete(self._index.beyond(keep, chosen))
        return deleted

    def delete_task(self, task_id: str) -> bool:
        task = self._fetch([task_id]).get(task_id)
        return task is not None and task.has_ended and self._delete([task]) == 1

    def held(self, holder: str | None = None) -> Sequence[Task]:
        return self._index.held(holder)

    def list(self, query: TaskQuery) -> TaskPage:
        return self._index.page(paging.checked(query))

    # ── logs, results, leases ────────────────────────────────────────────────────────────────────────────────────

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        start = max(start, 1)
        count, found = self._client.run(
            [
                ("HGET", self._keys.task(task_id), "lines"),
                ("XRANGE", self._keys.log(task_id), f"{start}-0", "+", "COUNT", max(limit, 1)),
            ]
        )
        if count is None:
            raise TaskNotFound(task_id)
        first_kept = max(int(count) - limits.LOG_LINES + 1, 1)
        lines = [LogLine(int(name.partition("-")[0]), *json.loads(fields["l"])) for name, fields in found]
        # More may have been dropped between the two: then these begin later.
        if lines and start < first_kept:
            first_kept = lines[0].n
        return LogPage(tuple(lines[:limit]), first_kept if start < first_kept else None)

    def large_result(self, task_id: str) -> str | None:
        result: str | None = self._client.one("GET", self._keys.result(task_id))
        return result

    def renew(self, lease: Lease) -> None:
        self._client.one("HSET", self._keys.leases, lease.lease_id, json.dumps(asdict(lease)))

    def leases(self) -> Sequence[Lease]:
        return [Lease(**json.loads(text)) for text in self._client.one("HVALS", self._keys.leases)]

    def drop_lease(self, lease_id: str) -> None:
        self._client.one("HDEL", self._keys.leases, lease_id)

    # ── notification, ending ─────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        following = self._subscribers.add(on_change, on_reset, selective=selective, on_last=self._feed.stop)
        self._feed.start()
        return following

    def close(self) -> None:
        self._subscribers.clear()
        self._feed.stop(join_s=5.0)
        self._client.close()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_in_child(self) -> None:
        """After a fork: connections, thread and subscribers of its own."""
        self._feed.abandon()
        self._begin()

    def _begin(self) -> None:
        self._sender = secrets.token_hex(8)
        self._client = RedisClient(self._address)
        self._subscribers = Subscribers()
        self._index = RedisIndex(self._client, self._keys, fetch=self._fetch, now=self.now)
        self._feed = RedisFeed(
            self._subscribers,
            self._client,
            self._keys,
            sender=self._sender,
            look=self._look,
            fetch=self._fetch,
            now=self.now,
        )

    def _look(self) -> str:
        epoch = self.epoch()
        if self._address.retention_s is not None:
            self._index.sweep(self.now() - self._address.retention_s)
        return epoch

    def _look_at_clock(self) -> None:
        if self._is_time_due():
            self.epoch()

    def _is_time_due(self) -> bool:
        return self._uses_server_time and self._clock.monotonic() - self._looked_at > LOOK_AT_CLOCK_S

    def _fetch(self, task_ids: Sequence[str]) -> dict[str, Task]:
        self._look_at_clock()
        found: dict[str, Task] = {}
        for start in range(0, len(task_ids), FETCHED_AT_ONCE):
            some = task_ids[start : start + FETCHED_AT_ONCE]
            answers = self._client.run([("HMGET", self._keys.task(task_id), "epoch", "record") for task_id in some])
            now = self.now()
            for task_id, (epoch, record) in zip(some, answers, strict=True):
                if record is not None:
                    found[task_id] = from_record(record, epoch=epoch, server_time=now)
        return found

    def _swap_script(self, swap: Swap, task: Task) -> Command:
        task_id = task.task_id
        record = to_record(task)
        result = "" if swap.large_result is None else f"={swap.large_result}"
        if not result and swap.old.has_large_result and not task.has_large_result:
            result = "drop"
        return script(
            "swap",
            (self._keys.task(task_id), self._keys.log(task_id), self._keys.result(task_id)),
            (
                swap.old.rev,
                swap.old.epoch,
                task.rev,
                secrets.token_hex(8),
                record,
                self._keys.channel(task_id),
                message(self._sender, task.epoch, record),
                self._life(swap.old, task),
                result,
                limits.LOG_LINES,
                task.log_count - len(swap.log) + 1,
                *(
                    json.dumps((line.t, line.level, line.text), ensure_ascii=False, separators=(",", ":"))
                    for line in swap.log
                ),
            ),
        )

    def _life(self, old: Task, new: Task) -> str:
        """How long Redis keeps it from now on, in the words of swap.lua."""
        retention_s = self._address.retention_s
        if retention_s is None or (old.has_ended == new.has_ended and not new.has_ended):
            return ""
        return str(int(retention_s * 1000)) if new.has_ended else "lasts"

    def _delete(self, tasks: Sequence[Task]) -> int:
        deleted = 0
        for start in range(0, len(tasks), FETCHED_AT_ONCE):
            some = tasks[start : start + FETCHED_AT_ONCE]
            answers = self._client.run([self._delete_script(task) for task in some])
            gone = [task for task, done in zip(some, answers, strict=True) if done]
            self._client.run([command for task in gone for command in removal(self._keys, task.task_id, task.owner)])
            deleted += len(gone)
        return deleted

    def _delete_script(self, task: Task) -> Command:
        keys = self._keys
        its = (keys.task(task.task_id), keys.log(task.task_id), keys.result(task.task_id))
        return script("delete", (*its, keys.tombstone(task.task_id)), (task.rev, TOMBSTONE_S))


def _only_new(command: Command) -> Command:
    """An entry that is there already is another task's, which has this id: it must stay as it is."""
    return ("ZADD", command[1], "NX", *command[2:]) if command[0] == "ZADD" else command

"""`sqlite:///PATH`: tasks in one file on a local disk, shared by all processes of a machine. The default.

Progress is committed without waiting for the disk; what is acknowledged (create, swap) is synced. Other processes'
changes are noticed by polling (sqlite_feed.py).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from headway.model import limits
from headway.model.change import LogLine
from headway.model.clock import Clock, SystemClock
from headway.model.codec import from_record, from_records
from headway.model.errors import InvalidValue, TaskExists, TaskNotFound
from headway.model.ports import Following, Lease, LogPage, OnChange, OnReset, Swap, TaskPage, TaskQuery
from headway.model.replacing import replace
from headway.model.task import FINAL, State, Task
from headway.model.values import dataclass
from headway.stores import paging
from headway.stores.forks import at_fork
from headway.stores.record_json import record_decoder
from headway.stores.sqlite_database import SqliteDatabase
from headway.stores.sqlite_feed import SqliteFeed
from headway.stores.sqlite_file import Row, SqliteFile
from headway.stores.sqlite_list import select_page
from headway.stores.sqlite_queries import QUERIES
from headway.stores.sqlite_rows import ReadyBatch, ReadySwap, delete, insert
from headway.stores.subscribers import Subscribers

BUSY_S = 5.0
# So many tasks are removed at once: other writers wait meanwhile.
DELETED_AT_ONCE = 500


@dataclass(slots=True)
class _Changed:
    """What a transaction has stored, under which numbers."""

    tasks: Sequence[Task] = ()
    first_seq: int = 0
    last_seq: int = 0


class SqliteStore:
    """Opened by the first call; a forked child has no subscribers and opens it anew."""

    def __init__(self, path: str | Path, *, clock: Clock | None = None, busy_s: float = BUSY_S) -> None:
        if not str(path) or str(path) == ":memory:":
            raise InvalidValue("store", "an SQLite store needs a file; for one in memory say memory://")
        self._path = Path(path).absolute()
        self.url: str | None = f"sqlite:///{self._path}"
        self._clock = clock or SystemClock()
        # Asked at every report: not by way of a method of its own.
        self.now = self._clock.time
        self._database = SqliteDatabase(self._path, busy_s=busy_s)
        self._subscribers = Subscribers()
        self._feed = self._new_feed()
        # Of which history the next change may have which number: true unless another process has written since.
        self._next_seq = ("", 0)
        at_fork(in_child=self._start_anew)

    def __reduce__(self) -> tuple[type[SqliteStore], tuple[Path]]:
        """In another process it is the same file, opened there."""
        return type(self), (self._path,)

    def epoch(self) -> str:
        return self._database.opened().epoch

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, task: Task) -> Task:
        with self._changing(synced=True) as (db, epoch, changed):
            now = self.now()
            seq, floor_rev = db.execute(QUERIES["counters"]).fetchone()
            stored = replace(task, epoch=epoch, rev=max(floor_rev + 1, int(now * 1000)), server_time=now)
            if not insert(db, stored, seq + 1):
                raise TaskExists(task.task_id)
            changed.tasks, changed.first_seq, changed.last_seq = (stored,), seq + 1, seq + 1
        return stored

    def get(self, task_id: str) -> Task:
        with self._database.reading() as (db, epoch):
            row = db.execute(QUERIES["get"], (task_id,)).fetchone()
        if row is None:
            raise TaskNotFound(task_id)
        return from_record(row[0], epoch=epoch, server_time=self.now())

    def get_many(self, task_ids: Collection[str]) -> dict[str, Task]:
        with self._database.reading() as (db, epoch):
            rows = db.execute(QUERIES["get_many"], (json.dumps(list(task_ids)),)).fetchall()
        return {task.task_id: task for task in _tasks(rows, epoch, self.now())}

    def swap(self, swap: Swap) -> Task | None:
        return self._swap((swap,), synced=True)[0]

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        return self._swap(swaps, synced=False)

    def _swap(self, swaps: Sequence[Swap], *, synced: bool) -> list[Task | None]:
        # Encoded before the transaction: other processes wait for that.
        now, opened = self.now(), self._database.last_opened().epoch
        ready = [ReadySwap(swap, now) for swap in swaps]
        those = [one for one in ready if one.swap.old.epoch == opened]
        if synced and len(those) == 1 and those[0].is_one_row:
            self._swap_alone(those[0], opened)
        else:
            self._swap_together(those, opened, synced=synced)
        return [one.stored if one.done else None for one in ready]

    def _swap_alone(self, one: ReadySwap, opened: str) -> None:
        """An end, in one statement: beside busy threads each statement costs a wait for the interpreter's lock."""
        with self._database.writing(synced=True, in_one_statement=True) as (db, epoch):
            seq = one.write_alone(db) if epoch == opened else None
            if seq is not None:
                # Committed: the watching thread may have been quicker, and tells it a second time.
                self._feed.expect_own(epoch, seq, seq)
                self._next_seq = (epoch, seq + 1)
        if one.done:
            self._subscribers.tell((one.stored,))

    def _swap_at_once(self, batch: ReadyBatch, opened: str) -> bool:
        """In one statement, where no other process has written since this one; else False, and nothing is stored."""
        with self._database.writing(synced=False, in_one_statement=True) as (db, epoch):
            known, seq = self._next_seq
            if epoch != opened or epoch != known:
                return False
            is_expected = self._feed.expect_own(epoch, seq, seq + len(batch) - 1)
            is_done = False
            try:
                is_done = batch.write_at_once(db, seq)
            finally:
                if is_expected and not is_done:
                    self._feed.forget_own(epoch, seq)
            if is_done:
                self._next_seq = (epoch, seq + len(batch))
        return is_done

    def _swap_together(self, those: Sequence[ReadySwap], opened: str, *, synced: bool) -> None:
        batch = ReadyBatch(those)
        if not synced and batch.is_usual and self._swap_at_once(batch, opened):
            self._subscribers.tell([one.stored for one in those if one.done])
            return
        with self._changing(synced=synced) as (db, epoch, changed):
            if epoch == opened:
                changed.first_seq = db.execute(QUERIES["last_seq"]).fetchone()[0] + 1
                changed.last_seq = batch.write(db, changed.first_seq) - 1
                changed.tasks = [one.stored for one in those if one.done]

    def list(self, query: TaskQuery) -> TaskPage:
        listing = paging.checked(query)
        with self._database.reading() as (db, epoch):
            rows = select_page(db, listing)
        tasks = _tasks(rows[: listing.limit], epoch, self.now())
        more = len(rows) > listing.limit
        return TaskPage(tuple(tasks), paging.cursor_after(tasks[-1], listing.order) if more else None)

    def held(self, holder: str | None = None) -> Sequence[Task]:
        with self._database.reading() as (db, epoch):
            found = db.execute(QUERIES["held"]) if holder is None else db.execute(QUERIES["held_by"], (holder,))
            rows = found.fetchall()
        return _tasks(rows, epoch, self.now())

    def delete(
        self, *, finished_before: float | None = None, states: Collection[State] = (), keep: int | None = None
    ) -> int:
        chosen = json.dumps([state for state in FINAL if not states or state in states])
        deleted = 0
        if finished_before is not None:
            deleted += self._delete_each("finished_before", {"states": chosen, "before": finished_before})
        if keep is not None:
            with self._database.reading() as (db, _):
                newest = db.execute(QUERIES["newest_beyond_keep"], {"states": chosen, "keep": keep}).fetchone()
            if newest is not None:
                bounds = {"states": chosen, "before": newest[0], "task_id": newest[1]}
                deleted += self._delete_each("finished_up_to", bounds)
        return deleted

    def delete_task(self, task_id: str) -> bool:
        with self._database.writing(synced=False) as (db, _):
            deleted = delete(db, db.execute(QUERIES["one_final"], (task_id,)).fetchall())
        return deleted > 0

    # ── logs, results, leases ────────────────────────────────────────────────────────────────────────────────────

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        start = max(start, 1)
        lines: list[LogLine] = []
        with self._database.reading() as (db, _):
            db.execute("BEGIN")  # Both reads see the same moment; ended when the connection is given back.
            found = db.execute(QUERIES["log_count"], (task_id,)).fetchone()
            if found is None:
                raise TaskNotFound(task_id)
            # A few more may still be there: they are dropped in chunks.
            first_kept = max(found[0] - limits.LOG_LINES + 1, 1)
            begin = max(start, first_kept)
            for first_n, text in db.execute(QUERIES["read_log"], (task_id, begin)):
                lines += [LogLine(n, *line) for n, line in enumerate(json.loads(text), first_n) if n >= begin]
                if len(lines) >= limit:
                    break
        return LogPage(tuple(lines[:limit]), first_kept if start < first_kept else None)

    def large_result(self, task_id: str) -> str | None:
        with self._database.reading() as (db, _):
            row = db.execute(QUERIES["result"], (task_id,)).fetchone()
        return None if row is None else row[0]

    def renew(self, lease: Lease) -> None:
        row = (lease.lease_id, lease.host, lease.pid, lease.pid_started, lease.beat, lease.lease_s)
        with self._database.writing(synced=False) as (db, _):
            db.execute(QUERIES["renew"], row)

    def leases(self) -> Sequence[Lease]:
        with self._database.reading() as (db, _):
            return [Lease(*row) for row in db.execute(QUERIES["leases"])]

    def drop_lease(self, lease_id: str) -> None:
        with self._database.writing(synced=False) as (db, _):
            db.execute(QUERIES["drop_lease"], (lease_id,))

    # ── notification, ending ─────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        following = self._subscribers.add(on_change, on_reset, selective=selective, on_last=self._feed.stop)
        self._feed.start()
        return following

    def close(self) -> None:
        self._subscribers.clear()
        self._feed.join()
        self._database.close()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _delete_each(self, query: str, bounds: dict[str, object]) -> int:
        """In several transactions, so that no writer waits for long."""
        total = 0
        while True:
            with self._database.writing(synced=False) as (db, _):
                doomed = db.execute(QUERIES[query], bounds | {"limit": DELETED_AT_ONCE}).fetchall()
                total += delete(db, doomed)
            if len(doomed) < DELETED_AT_ONCE:
                return total

    @contextlib.contextmanager
    def _changing(self, *, synced: bool) -> Iterator[tuple[sqlite3.Connection, str, _Changed]]:
        """A transaction whose block stores tasks under the next numbers, and says which: they are told."""
        changed = _Changed()
        own: tuple[str, int] | None = None
        try:
            with self._database.writing(synced=synced) as (db, epoch):
                yield db, epoch, changed
                if changed.tasks:
                    # Before the commit: after it, the watching thread might be quicker and read them too.
                    if self._feed.expect_own(epoch, changed.first_seq, changed.last_seq):
                        own = (epoch, changed.first_seq)
                    self._next_seq = (epoch, changed.last_seq + 1)
        except BaseException:
            if own is not None:
                self._feed.forget_own(*own)
            raise
        self._subscribers.tell(changed.tasks)

    def _last_seq(self) -> int:
        with self._database.reading() as (db, _):
            seq: int = db.execute(QUERIES["last_seq"]).fetchone()[0]
        return seq

    def _changes_after(self, file: SqliteFile, seq: int, limit: int) -> tuple[Sequence[Row], Sequence[Task]]:
        """The next changes, each beginning with its number, and those of the tasks that somebody wants to hear of."""
        watched = self._database.watched
        if not self._subscribers.want_any:
            last = watched(file, QUERIES["last_seq"])
            # Once more: what is watched since then may have changed before that was read.
            if not self._subscribers.want_any:
                return last if last and last[0][0] > seq else [], []
        rows = watched(file, QUERIES["changed_after"], (seq, limit)) or []
        # Asked after the rows were read: who watches from now on reads the task itself, and finds what is in them.
        wanted = self._subscribers.wanted
        records = [record for _, task_id, record in rows if wanted is None or task_id in wanted]
        return rows, from_records(records, epoch=file.epoch, server_time=self.now(), decode=record_decoder())

    def _start_anew(self) -> None:
        """In a forked child: no subscribers, no thread."""
        self._feed.abandon()
        self._subscribers = Subscribers()
        self._feed = self._new_feed()

    def _new_feed(self) -> SqliteFeed:
        return SqliteFeed(
            self._subscribers,
            database=self._database,
            last_seq=self._last_seq,
            changes_after=self._changes_after,
        )


def _tasks(rows: Iterable[tuple[str]], epoch: str, now: float) -> list[Task]:
    return from_records([row[0] for row in rows], epoch=epoch, server_time=now)

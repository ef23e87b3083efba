"""How a task is written to the tables of schema.sql, with its log and result, and removed from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from headway.model import limits
from headway.model.change import LogLine
from headway.model.codec import to_record
from headway.model.ports import Swap
from headway.model.task import Task
from headway.stores.sqlite_queries import QUERIES

# At most so many lines share a row of the log.
LINES_A_ROW = 200

_COLUMNS = (
    "task_id", "rev", "state", "owner", "holder", "created_at", "started_at", "updated_at", "finished_at"
)  # fmt: skip


def insert(db: sqlite3.Connection, task: Task, seq: int) -> bool:
    """False where the id is taken."""
    row = {name: getattr(task, name) for name in _COLUMNS} | {"seq": seq, "record": to_record(task)}
    return db.execute(QUERIES["insert"], row).rowcount == 1


class ReadySwap:
    """A swap with the task as it will be stored, and encoded."""

    __slots__ = ("_record", "done", "stored", "swap")

    def __init__(self, swap: Swap, now: float) -> None:
        self.swap = swap
        self.done = False
        self.stored = swap.stored(now)
        self._record = to_record(self.stored)

    @property
    def is_progress(self) -> bool:
        """The usual case: it touches one table, and one index instead of five."""
        old, new = self.swap.old, self.stored
        return (
            _life(old) == _life(new)
            and not self.swap.log
            and self.swap.large_result is None
            and old.has_large_result == new.has_large_result
        )

    def row(self) -> tuple[object, ...]:
        return self.swap.old.task_id, self.swap.old.rev, self.stored.rev, self.stored.updated_at, self._record

    @property
    def is_one_row(self) -> bool:
        """Whether it can be `write_alone`: no log lines, no large result."""
        return not (self.swap.log or self.swap.large_result is not None or self._drops_result)

    def write_alone(self, db: sqlite3.Connection) -> int | None:
        """As a transaction of its own; its number, or None where another writer was first."""
        changed = db.execute(QUERIES["update_alone"], self._row_of_life())
        try:
            found = changed.fetchone()  # Which commits.
        finally:
            changed.close()
        self.done = found is not None
        return None if found is None else found[0]

    def write(self, db: sqlite3.Connection, seq: int) -> bool:
        """False where another writer was first."""
        old, new = self.swap.old, self.stored
        self.done = db.execute(QUERIES["update_life"], (seq, *self._row_of_life())).rowcount > 0
        if not self.done:
            return False
        if self.swap.log:
            _append_log(db, new, self.swap.log)
        if self.swap.large_result is not None:
            db.execute(QUERIES["put_result"], (old.task_id, self.swap.large_result))
        elif self._drops_result:
            db.execute(QUERIES["drop_result"], (old.task_id,))
        return True

    @property
    def _drops_result(self) -> bool:
        return self.swap.old.has_large_result and not self.stored.has_large_result

    def _row_of_life(self) -> tuple[object, ...]:
        old, new = self.swap.old, self.stored
        return new.rev, new.updated_at, self._record, *_life(new), old.task_id, old.rev


class ReadyBatch:
    """Swaps of which the usual ones are written together. Encoded when it is made: others wait for a transaction.

    A statement for each would also let the interpreter's lock go each time, and get it back only after the turns of
    all busy threads.
    """

    def __init__(self, swaps: Sequence[ReadySwap]) -> None:
        self._usual = list({one.swap.old.task_id: one for one in swaps if one.is_progress}.values())
        written_together = set(map(id, self._usual))
        self._others = [one for one in swaps if id(one) not in written_together]
        self._rows = _rows(self._usual)

    def __len__(self) -> int:
        return len(self._usual) + len(self._others)

    @property
    def is_usual(self) -> bool:
        """Whether it can be written `at_once`."""
        return bool(self._usual) and not self._others

    def write_at_once(self, db: sqlite3.Connection, seq: int) -> bool:
        """All of them as a transaction of its own; False, and none, where one is not current or `seq` is not next."""
        keys = json.dumps([(one.swap.old.task_id, one.swap.old.rev) for one in self._usual])
        named = {"seq": seq, "rows": self._rows, "keys": keys, "count": len(self._usual)}
        is_done = db.execute(QUERIES["update_progress_at_once"], named).rowcount > 0
        for one in self._usual:
            one.done = is_done
        return is_done

    def write(self, db: sqlite3.Connection, seq: int) -> int:
        """Say of each whether it was `done`, under numbers that begin with `seq`; the number that comes next."""
        seq = self._write_usual(db, seq)
        for one in self._others:
            seq += one.write(db, seq)
        return seq

    def _write_usual(self, db: sqlite3.Connection, seq: int) -> int:
        if not self._usual:
            return seq
        named = {"seq": seq, "rows": self._rows}
        places: Sequence[int] = range(len(self._usual))
        if db.execute(QUERIES["update_progress"], named).rowcount < len(places):
            places = json.loads(db.execute(QUERIES["updated_progress"], named).fetchone()[0])
        for place in places:
            self._usual[place].done = True
        return seq + max(places, default=-1) + 1


def _rows(swaps: Sequence[ReadySwap]) -> str:
    return json.dumps([one.row() for one in swaps], ensure_ascii=False, check_circular=False)


def _life(task: Task) -> tuple[object, ...]:
    return task.state, task.owner, task.holder, task.started_at, task.finished_at


def _append_log(db: sqlite3.Connection, task: Task, lines: Sequence[LogLine]) -> None:
    first_n = task.log_count - len(lines) + 1
    for start in range(0, len(lines), LINES_A_ROW):
        some = [(line.t, line.level, line.text) for line in lines[start : start + LINES_A_ROW]]
        first = first_n + start
        text = json.dumps(some, ensure_ascii=False, separators=(",", ":"))
        db.execute(QUERIES["append_log"], (task.task_id, first + len(some) - 1, first, text))
    # Now and then: readers are not shown more than the limit meanwhile.
    if task.log_count > limits.LOG_LINES and task.log_count // LINES_A_ROW != (first_n - 1) // LINES_A_ROW:
        db.execute(QUERIES["trim_log"], (task.task_id, task.log_count - limits.LOG_LINES + 1))


def delete(db: sqlite3.Connection, doomed: Sequence[tuple[str, int]]) -> int:
    if not doomed:
        return 0
    db.execute(QUERIES["raise_floor"], {"rev": max(rev for _, rev in doomed)})
    ids = (json.dumps([task_id for task_id, _ in doomed]),)
    for table in ("tasks", "logs", "results"):
        db.execute(QUERIES[f"delete_{table}"], ids)
    return len(doomed)

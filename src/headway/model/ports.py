"""The seams: what the core asks of a store, a runner, and what a reporter asks of the core."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from headway.model.change import Change, LogLine
from headway.model.replacing import replace
from headway.model.task import State, Task
from headway.model.values import NamedTuple, dataclass

ACTIVE_STAGE: object = object()
"""Stands for whichever stage is active, where None means that none is."""

OnChange = Callable[[Sequence[Task]], None]
OnReset = Callable[[], None]
Order = Literal["newest", "longest", "stuck"]


class Swap(NamedTuple):
    """`old`, as it was read, is to become `new`; with it go new log lines and a result too large to be inline.

    `new.log_count` counts the lines in `log`, which the store numbers up to it.
    """

    old: Task
    new: Task
    log: tuple[LogLine, ...] = ()
    large_result: str | None = None

    def stored(self, now: float) -> Task:
        """`new` as it is to be stored: under the next number, unless it was made with that."""
        if self.new.rev > self.old.rev:
            return self.new
        return replace(self.new, epoch=self.old.epoch, rev=next_rev(self.old, now), server_time=now)


def next_rev(old: Task, now: float) -> int:
    """The number of what comes after `old`, by the store's clock."""
    return max(old.rev + 1, int(now * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks to list. `cursor` is what the page before gave; `search` is a part of the id, name or message.

    `newest` orders by creation; `longest` lists active tasks by their start, and `stuck` by their last update, the
    oldest first.
    """

    states: tuple[State, ...] = ()
    owner: str | None = None
    search: str | None = None
    order: Order = "newest"
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks and where the next page begins (None: this was the last). Iterable."""

    tasks: tuple[Task, ...]
    next_cursor: str | None = None

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines in order. `truncated_before`: the first number still kept, where older lines were asked for; else None."""

    lines: tuple[LogLine, ...]
    truncated_before: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A process's sign of life. `beat` changes with each renewal; it is compared, never read as a time."""

    lease_id: str
    host: str
    pid: int
    pid_started: str
    beat: int
    lease_s: float


class Following(Protocol):
    """A subscription to a store's changes. Calling it ends it; that, too, is safe to do twice."""

    def __call__(self) -> None: ...

    def watch(self, task_id: str) -> None:
        """Be told of this task's changes from now on. No I/O, never blocks, safe to call again.

        Read the task after this: what is stored later than that read is told, within 100 ms; where the store can't
        listen at once, its state when it does is told.
        """

    def unwatch(self, task_id: str) -> None:
        """It may no longer be told of. Safe to call for what is not watched."""


class Store(Protocol):
    """Where tasks are true. All methods may be called from any thread; each opens the store when it is the first.

    Raises `StoreUnavailable` when the store can't be reached or written: nothing of the call has been acknowledged.
    """

    url: str | None
    """What opens the same store in another process, or None where none can."""

    def now(self) -> float:
        """The store's time in Unix seconds. No I/O."""

    def epoch(self) -> str:
        """Which history this is: another one when the store was replaced or emptied."""

    def create(self, task: Task) -> Task:
        """*Atomic*, synced. The task as stored, with `rev` and `epoch`. Raises `TaskExists`."""

    def get(self, task_id: str) -> Task:
        """The task with `epoch` and `server_time`. Raises `TaskNotFound`."""

    def get_many(self, task_ids: Collection[str]) -> dict[str, Task]:
        """Those of them that exist, by id."""

    def swap(self, swap: Swap) -> Task | None:
        """*Atomic*, synced: if `old` (epoch, rev) is still what is stored, store `new` under the next rev.

        Returns it as stored; None when another writer was first, or the task is gone.
        The next rev is max(previous + 1, the store's time in ms).
        """

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        """The same for many different tasks, each for itself, in one transaction that needn't be synced to disk."""

    def list(self, query: TaskQuery) -> TaskPage: ...

    def delete(
        self, *, finished_before: float | None = None, states: Collection[State] = (), keep: int | None = None
    ) -> int:
        """Remove final tasks with their logs and results; return how many.

        Those that finished before that time (Unix seconds), and the oldest beyond `keep` final ones; only of `states`
        where given. *Atomic* per task.
        """

    def delete_task(self, task_id: str) -> bool:
        """Remove one final task with its log and result. False if there is none, or it has not ended."""

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        """Up to `limit` lines from number `start` on. Raises `TaskNotFound`."""

    def large_result(self, task_id: str) -> str | None:
        """The result over the inline limit as JSON text, or None."""

    def renew(self, lease: Lease) -> None:
        """Write or renew this process's lease."""

    def leases(self) -> Sequence[Lease]: ...

    def drop_lease(self, lease_id: str) -> None: ...

    def held(self, holder: str | None = None) -> Sequence[Task]:
        """The tasks that have not ended and are held by this lease; None: by any."""

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        """Call `on_change` with stored tasks after each change: at once for this process's, within 100 ms for others'.

        Where `selective`, what others do is told for the tasks that are watched (see `Following`); more may come.
        A change may come twice, out of order, as a newer one only, or never (readers heal by comparing revs).
        `on_reset` says that the store has another epoch now, or may have lost notifications: read again what you
        watch. Both are called on a thread of the store's or of a writer, and must return quickly.
        """

    def close(self) -> None:
        """Free files, connections and threads. Safe to call twice; a later call of another method opens it again."""


class Cell(Protocol):
    """A count that one thread only ever raises; whoever flushes reads it."""

    n: float


class TaskWriter(Protocol):
    """Where one attempt's reporter writes: memory, never I/O."""

    task_id: str
    attempt: int
    attention: bool
    """Test it after each count: where it is set, call `attend`."""
    cancel_requested: bool

    @property
    def has_ended(self) -> bool:
        """Whether the store is known to hold the end of this attempt, or a later one."""

    def attend(self, *, moves: bool = True) -> None:
        """Wake whoever flushes, after a quiet time. Raises `TaskCancelled` when the task was asked to stop.

        Only after something was counted: who is woken and finds nothing is late for what comes then.

        Where `moves` is false (a log line, a message alone) it raises that only the first time: clean-up may report.
        """

    @property
    def current(self) -> Mapping[int, Cell]:
        """By thread id, the cells in which threads count now for whatever is active."""

    def current_cell(self) -> Cell:
        """This thread's, made where `current` has none."""

    def cell(self, stage: str | None, key: object) -> Cell:
        """The cell in which `key` (a thread, a loop) counts for this stage, or for the task itself."""

    def release_cell(self, stage: str | None, key: object) -> None:
        """Its count stays; the cell will not be raised again."""

    def report(self, change: Change) -> bool:
        """Merge into what is pending. False once the attempt is over."""

    def add_log(self, line: LogLine) -> bool:
        """Queue one line. False once the attempt is over."""

    def counts_for(self, total: object, stage: object = ACTIVE_STAGE) -> str | None:
        """The stage that amounts belong to, or None: the task itself. `total`: the one that came with them, if any;
        `stage`: the one (or None) that becomes active.

        A declared stage's where it has a total or gets one, or the task has none; an undeclared one's only where it has
        a total and the task has none: the whole then moves by what the task itself reports.
        """

    def has_total(self, stage: str | None) -> bool: ...

    def check_stage(self, name: str) -> None:
        """Raise `InvalidValue` where this stage would be one too many."""


class Runner(Protocol):
    """Runs work on a task's behalf; known to the manager by its name."""

    name: str
    holds_pending: bool
    """Whether a task that waits in its queue is lost when this process ends (a broker's queue outlives it)."""

    def can_retry(self, task: Task) -> bool:
        """Whether `retry` would know how to run it."""

    def retry(self, task: Task) -> None:
        """Queue the attempt that has just begun (the task is pending). Raises `QueueFull`, `NotRetryable`."""

    def stop_task(self, task: Task) -> None:
        """The task was asked to stop: take it from the queue, or tell its worker. Mustn't block or raise."""

    def kill_task(self, task: Task) -> str | None:
        """End the work by force, if that harms no other task. How, in words for the viewer; None if it can't."""


@runtime_checkable
class QueueHere(Runner, Protocol):
    """A runner whose queue is in this process (`holds_pending`)."""

    def has(self, task: Task) -> bool:
        """Whether this attempt waits in the queue, or is running."""

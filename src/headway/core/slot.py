"""One attempt of one task in this process: what its reports write to, and what a flush takes from.

A report costs memory only. Amounts that only rise are counted in cells, each written by one thread, so that no count
is lost without a lock (also on free-threaded Python); everything else is merged into one pending change under a short
lock.

The wake-up race: a flusher that finds nothing new first sets `attention`, then reads the cells once more; a worker
first raises its cell, then reads `attention`. Whatever the order, one of the two sees the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from headway.core.taken import NOTHING, Taken, taken_of
from headway.model import limits
from headway.model.change import Amounts, Change, LogLine, StageChange, StagesChange
from headway.model.errors import InvalidValue, TaskCancelled
from headway.model.estimate import Estimator
from headway.model.ports import ACTIVE_STAGE
from headway.model.stage import ancestors, parents_of
from headway.model.task import Task


class CountCell:
    """`n` is raised by one thread, `drained` by whoever holds the slot's lock."""

    __slots__ = ("drained", "is_released", "n", "stage")

    def __init__(self, stage: str | None) -> None:
        self.stage = stage
        self.n: float = 0
        self.drained: float = 0
        self.is_released = False


class Slot:
    """`TaskWriter` for one attempt; owned by the write-behind."""

    __slots__ = (
        "_cells",
        "_declared",
        "_has_total",
        "_log",
        "_log_dropped",
        "_on_news",
        "_parents",
        "_pending",
        "_raised",
        "_seen",
        "_stage",
        "_totals",
        "_wall",
        "attempt",
        "attention",
        "cancel_requested",
        "created_at",
        "current",
        "estimator",
        "flushing",
        "is_over",
        "last_used",
        "lock",
        "quiet",
        "stop_reason",
        "task",
        "task_id",
    )

    def __init__(self, task: Task, *, on_news: Callable[[Slot], None], wall: Callable[[], float]) -> None:
        self.task = task
        self._seen: Task | None = None
        self.task_id = task.task_id
        self.attempt = task.attempt
        self.created_at = task.created_at
        self.quiet = True
        self.attention = True
        self.cancel_requested = False
        self.stop_reason: str | None = None
        self.is_over = False
        self.last_used = 0.0
        self.estimator = Estimator()
        self.flushing = threading.Lock()
        # Reentrant, so that a signal handler may report while its thread is just reporting.
        self.lock = threading.RLock()
        self._on_news = on_news
        self._wall = wall
        self._cells: dict[tuple[str | None, object], CountCell] = {}
        self._pending: Change | None = None
        self._log: list[LogLine] = []
        self._log_dropped = 0
        self._raised = False
        self._stage = task.stage
        self._totals: dict[str, bool] = {}
        self._parents: dict[str, str] = {}
        self._has_total = False
        self.current: dict[int, CountCell] = {}
        self._declared = frozenset(stage.name for stage in task.stages or () if stage.declared)
        self.saw(task)

    # ── the worker's side ────────────────────────────────────────────────────────────────────────────────────

    def attend(self, *, moves: bool = True) -> None:
        if self.cancel_requested and (moves or not self._raised):
            self._raised = True
            raise TaskCancelled(self.task_id, self.stop_reason)
        self._wake()

    def cell(self, stage: str | None, key: object) -> CountCell:
        return self._cells.setdefault((stage, key), CountCell(stage))

    def current_cell(self) -> CountCell:
        ident = threading.get_ident()
        cells = self.current
        cells[ident] = cell = self.cell(self.counts_for(None), ident)
        return cell

    def release_cell(self, stage: str | None, key: object) -> None:
        # Without a lock: the garbage collector may end a loop at any moment, also within one of ours.
        cell = self._cells.get((stage, key))
        if cell is not None:
            cell.is_released = True

    def report(self, change: Change) -> bool:
        if self.is_over:
            return False
        own, stages = change.own, change.stages
        with self.lock:  # Not `acquire` and then `try`, which is faster: Ctrl-C may come in between.
            if stages is not None and stages.active in self._parents:
                change = change._replace(stages=self._with_ancestors(stages))
            if self._cells:
                self._drain_cells()
            self._pending = change if self._pending is None else self._pending.merged(change)
            if stages is not None or (own is not None and own.total is not None):
                self._shape_changed(change)
        if self.attention:
            self._wake()
        return True

    def add_log(self, line: LogLine) -> bool:
        if self.is_over:
            return False
        with self.lock:
            self._log.append(line)
            if len(self._log) > 2 * limits.LOG_LINES:
                # Only with the store down: the newest are kept, numbers stay true.
                self._log_dropped += limits.LOG_LINES
                del self._log[: limits.LOG_LINES]
        if self.attention:
            self._wake()
        return True

    def counts_for(self, total: object, stage: object = ACTIVE_STAGE) -> str | None:
        if not isinstance(name := self._stage if stage is ACTIVE_STAGE else stage, str):
            return None
        has_total = self._totals.get(name, False)
        if name in self._declared:
            return name if total is not None or has_total or not self._has_total else None
        return name if has_total and not self._has_total else None

    def has_total(self, stage: str | None) -> bool:
        return self._has_total if stage is None else self._totals.get(stage, False)

    def check_stage(self, name: str) -> None:
        if name not in self._totals and len(self._totals) >= limits.STAGES:
            raise InvalidValue("status", f"must be one of the task's {limits.STAGES} stages: it can't have more")

    def _with_ancestors(self, changed: StagesChange) -> StagesChange:
        """Where a nested stage begins, so do the stages that it is a part of; none of them has ended thereby."""
        stage = changed.active
        if stage is None or stage not in changed.by_name or changed.by_name[stage].state != "running":
            return changed
        running = {name: StageChange("running") for name in reversed(ancestors(self._parents, stage))}
        return changed._replace(by_name={**running, **changed.by_name})

    def _shape_changed(self, change: Change) -> None:
        self._has_total |= change.own is not None and change.own.total is not None
        if change.stages is not None:
            if change.stages.switches:
                self._stage = change.stages.active
            for name, stage_change in change.stages.by_name.items():
                amounts, parent = stage_change.amounts, stage_change.parent
                if parent is not None and parent in self._totals and name not in self._totals:
                    self._parents[name] = parent
                self._totals[name] = self._totals.get(name, False) or (amounts is not None and bool(amounts.total))
        self.current = {}

    # ── the flusher's side ───────────────────────────────────────────────────────────────────────────────────

    def has_news(self) -> bool:
        return (
            self._pending is not None
            or bool(self._log)
            or any(cell.n != cell.drained for cell in list(self._cells.values()))
        )

    def become_quiet(self) -> bool:
        """From now on the next report wakes the flusher. False when one came in between."""
        with self.lock:
            self.quiet = True
            self.attention = True
        if not self.has_news():
            return True
        with self.lock:
            if not self.quiet:
                return True  # That report has woken the flusher itself.
            self.quiet = False
            self.attention = self.cancel_requested
        return False

    def take(self) -> Taken:
        """What is pending; NOTHING, that very one, where nothing is."""
        with self.lock:
            if self._cells:
                self._drain_cells()
            change, self._pending = self._pending, None
            if not self._log:
                return NOTHING if change is None else taken_of((change, (), 0))
            log, self._log = tuple(self._log), []
            count, self._log_dropped = len(log) + self._log_dropped, 0
        return Taken(change, log[-limits.LOG_LINES :], count)

    def give_back(self, taken: Taken) -> None:
        """What could not be stored goes in front of what has come since, and is tried again."""
        if taken is NOTHING:
            return
        with self.lock:
            if self.is_over:
                return
            if taken.change is not None:
                self._pending = taken.change if self._pending is None else taken.change.merged(self._pending)
            self._log[:0] = taken.log
            self._log_dropped += taken.log_count - len(taken.log)
        self._wake()

    @property
    def has_ended(self) -> bool:
        return self.is_over and (self.task.has_ended or not self.is_of(self.task))

    def is_of(self, task: Task) -> bool:
        """Whether this is the same attempt of the same task, and not of a later one under the same id."""
        return task.attempt == self.attempt and task.created_at == self.created_at

    def saw(self, task: Task) -> None:
        """The store holds this. Older news than is known is left aside."""
        if task is self._seen:
            return  # Whoever stores it says so, and the store does.
        with self.lock:
            known = self.task
            if task.epoch == known.epoch and task.rev < known.rev:
                return
            self.task = task
            if task.total != known.total or task.stages != known.stages:
                self.current = {}
            self._has_total |= task.total is not None
            if task.stages is not None:
                self._parents |= parents_of(task.stages)
                for stage in task.stages:
                    self._totals[stage.name] = self._totals.get(stage.name, False) or bool(stage.total)
            if not self.is_of(task):
                self.is_over = True
                self._ask_to_stop("another attempt has begun")
            elif task.state == "cancelling":
                self._ask_to_stop(task.cancel_reason)
            elif task.has_ended:
                self.is_over = True
                if task.state == "cancelled" or task.error is not None:
                    self._ask_to_stop(task.cancel_reason)
                self._pending = None
                self._log.clear()
            self._seen = task

    def gone(self) -> None:
        """The store no longer has the task: nothing more can be written. Nobody asked the work itself to stop."""
        with self.lock:
            self.is_over = True
            self._pending = None
            self._log.clear()

    def rest(self) -> None:
        """Nobody flushes any more: the next report wakes whoever does then."""
        with self.lock:
            self.quiet = True
            self.attention = True

    def restart_in_child(self) -> None:
        """After a fork: fresh locks, nothing pending (it is the parent's), nothing counted twice."""
        self.lock = threading.RLock()
        self.flushing = threading.Lock()
        self._pending = None
        self._log = []
        self._log_dropped = 0
        for cell in self._cells.values():
            cell.drained = cell.n
        self.quiet = True
        self.attention = True

    def _ask_to_stop(self, reason: str | None) -> None:
        self.cancel_requested = True
        self.stop_reason = reason
        self.attention = True

    def _wake(self) -> None:
        with self.lock:
            if not self.quiet or self.is_over:
                return
            self.quiet = False
            self.attention = self.cancel_requested
        self._on_news(self)

    def _drain_cells(self) -> None:
        for key, cell in list(self._cells.items()):
            is_released = cell.is_released  # First: its count does not rise after that.
            count = cell.n
            if is_released:
                self._cells.pop(key, None)
            if count == cell.drained:
                continue
            amounts = Amounts(advance=count - cell.drained)
            cell.drained = count
            change = (
                Change(at=self._wall(), own=amounts)
                if cell.stage is None
                else Change(at=self._wall(), stages=StagesChange({cell.stage: StageChange(amounts=amounts)}))
            )
            self._pending = change if self._pending is None else self._pending.merged(change)

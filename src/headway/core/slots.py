"""The slots of this process by task: opened, kept up to date with the store, forgotten."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from headway.core.slot import Slot
from headway.model import limits
from headway.model.clock import Clock
from headway.model.errors import StoreError, TaskNotFound
from headway.model.ports import Store, Swap
from headway.model.replacing import replace
from headway.model.task import Task

log = logging.getLogger("headway")

KEPT_FINAL = 1_000
# Characters of the newest large results together: what a fail-over may lose is some seconds old at most.
KEPT_RESULTS = limits.RESULT_BYTES
FORGET_AFTER_S = 600.0


class Slots:
    """One slot a task: that of its latest attempt."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        on_news: Callable[[Slot], None],
        watch: Callable[[str], None],
        unwatch: Callable[[str], None],
    ) -> None:
        """`on_news` is for the slots; `watch` is called before one is opened, and has `saw` called from then on."""
        self._store = store
        self._clock = clock
        self._on_news = on_news
        self._watch = watch
        self._unwatch = unwatch
        self._by_task: dict[str, Slot] = {}
        # Of reporters that outlived a `close` or a fork: adopted again by their next report.
        self._parked: dict[str, Slot] = {}
        self._ended: deque[Slot] = deque()
        self._results: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, task_id: str) -> Slot:
        """This process's slot for the task; the first time it reads the store. Raises `TaskNotFound`."""
        slot = self._by_task.get(task_id) if task_id.__class__ is str else None
        if slot is None:
            slot = self.open(self._store.get(limits.task_id(task_id)))
        return slot

    def known(self, task_id: str) -> Slot | None:
        return self._by_task.get(task_id)

    def reports(self, task: Task) -> bool:
        """Whether this attempt may still be reported here. A plain caller who has been quiet for long may, too."""
        slot = self._by_task.get(task.task_id) or self._parked.get(task.task_id)
        if slot is None:
            return not task.confirms_cancel
        return slot.is_of(task) and not slot.is_over

    def all(self) -> Sequence[Slot]:
        return list(self._by_task.values())

    def open(self, task: Task) -> Slot:
        """A slot that starts from a task just read or stored."""
        self._watch(task.task_id)  # Here, since the first time it subscribes, which may wait for the store.
        with self._lock:
            slot = self._by_task.get(task.task_id) or self._parked.pop(task.task_id, None)
            if slot is not None and slot.is_of(task):
                self._by_task[task.task_id] = slot
                slot.last_used = self._clock.monotonic()
                slot.saw(task)
                return slot
            if slot is not None and slot.task.epoch == task.epoch and slot.task.rev > task.rev:
                # A later attempt has begun since that was read: it keeps the place.
                self._by_task[task.task_id] = slot
                late = self._new(task)
                late.saw(slot.task)
                return late
            if slot is not None:
                slot.saw(task)
            slot = self._by_task[task.task_id] = self._new(task)
            # Again: another thread may just have forgotten an earlier slot of the task.
            self._watch(task.task_id)
        # What others did after the task was read, and before they were listened to, is known to the store alone.
        with contextlib.suppress(StoreError):
            self.read_again(slot)
        if slot.is_over:
            self._remember_ended(slot)
        return slot

    def saw(self, tasks: Sequence[Task]) -> None:
        """News from the store, of this process or another."""
        for task in tasks:
            slot = self._by_task.get(task.task_id)
            if slot is None or slot.task is task:
                continue  # Whoever stores it says so, and the store does.
            was_over = slot.is_over
            slot.saw(task)
            if not slot.is_over:
                continue
            if not slot.is_of(task):
                self._forget(slot)
            elif not was_over:
                self._remember_ended(slot)

    def read_again(self, slot: Slot) -> Task | None:
        """Another writer may have been first: what is stored, if there still is something to write to."""
        try:
            stored = self._store.get(slot.task_id)
        except TaskNotFound:
            slot.gone()
            self._forget(slot)
            return None
        slot.saw(stored)
        return None if slot.is_over else stored

    def resync(self) -> None:
        """The store has another history, or may have lost writes: every slot is read again; what is gone is over."""
        for slot in self.all():
            try:
                self._write_again(slot)
            except StoreError:
                return  # It will say so again when it can be read.

    def _write_again(self, slot: Slot) -> None:
        """A fail-over may have lost an end that was acknowledged, or the attempt that runs here: nobody else would ever
        write it again. Progress alone comes with the next report."""
        known = slot.task
        result = self._results.get(slot.task_id) if known.has_ended else None
        while True:
            try:
                latest = self._store.get(slot.task_id)
            except TaskNotFound:
                if not known.has_ended:
                    slot.gone()
                    self._forget(slot)
                return
            slot.saw(latest)
            if was_lost(known, latest):
                again = further(known, latest)
            elif result is not None and slot.is_of(latest) and not latest.has_large_result:
                # Who saw the end was faster to write it again, and had no result to go with it.
                again = replace(latest, has_large_result=True)
            else:
                return
            if again.has_large_result and result is None:
                log.error("the result of task %s was lost by the store", slot.task_id)
                again = replace(again, has_large_result=False)
            stored = self._store.swap(Swap(latest, again, large_result=result))
            if stored is not None:
                slot.saw(stored)
                return

    def keep_result(self, task_id: str, result: str) -> None:
        """For `resync`: of a large result a task itself knows only that there is one."""
        with self._lock:
            self._results[task_id] = result
            kept = sum(map(len, self._results.values()))
            while kept > KEPT_RESULTS and len(self._results) > 1:
                kept -= len(self._results.pop(next(iter(self._results))))

    def adopt(self, slot: Slot) -> None:
        """A parked slot has news: its reporter goes on."""
        if self._parked.pop(slot.task_id, None) is slot:
            self._by_task.setdefault(slot.task_id, slot)
            self._watch(slot.task_id)

    def park(self) -> None:
        """Nobody flushes or listens any more: only the reporters still know their slots."""
        with self._lock:
            self._parked |= {task_id: slot for task_id, slot in self._by_task.items() if not slot.is_over}
            self._by_task = {}
            self._ended.clear()
            self._results.clear()
        for slot in list(self._parked.values()):
            slot.rest()

    def restart_in_child(self) -> None:
        """After a fork: the parent's locks and pending changes are not ours."""
        self._lock = threading.Lock()
        for slot in [*self._by_task.values(), *self._parked.values()]:
            slot.restart_in_child()
        self.park()

    def forget_ended(self) -> None:
        """Tasks may have been deleted: what has ended is read again when it is asked for."""
        with self._lock:
            self._ended.clear()
            for slot in self.all():
                if slot.is_over:
                    self._remove(slot)

    def forget_the_unused(self) -> None:
        """Those of plain calls that nobody has made for a while."""
        oldest = self._clock.monotonic() - FORGET_AFTER_S
        with self._lock:
            for slot in self.all():
                if slot.last_used < oldest and slot.quiet and not slot.has_news() and not slot.task.confirms_cancel:
                    self._remove(slot)

    def _new(self, task: Task) -> Slot:
        slot = Slot(task, on_news=self._on_news, wall=self._store.now)
        slot.last_used = self._clock.monotonic()
        return slot

    def _remember_ended(self, slot: Slot) -> None:
        with self._lock:
            self._ended.append(slot)
            if len(self._ended) > KEPT_FINAL:
                self._remove(self._ended.popleft())

    def _forget(self, slot: Slot) -> None:
        with self._lock:
            self._remove(slot)

    def _remove(self, slot: Slot) -> None:
        if self._by_task.get(slot.task_id) is slot:
            del self._by_task[slot.task_id]
            self._results.pop(slot.task_id, None)
            self._unwatch(slot.task_id)


def further(known: Task, stored: Task) -> Task:
    """What the next change is made from, where `stored` is swapped: more may be known than the store has.

    A fail-over of the store can lose its newest writes, a retry among them. What viewers have seen must not be taken
    back: then it is the known task, but for the log, of which the store has only so many lines.
    """
    if known.epoch != stored.epoch or known.attempt < stored.attempt or known.rev <= stored.rev:
        return stored
    return replace(known, rev=stored.rev, log_count=stored.log_count)


def was_lost(known: Task, stored: Task) -> bool:
    """Whether an end or a retry that is known is missing in the store. Progress alone comes with the next report."""
    if further(known, stored) is stored or known.created_at != stored.created_at:
        return False
    return known.attempt > stored.attempt or (known.has_ended and not stored.has_ended)

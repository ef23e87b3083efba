"""Pending changes → store: at once when a task was quiet, then at most 20 times a second.

This is the only conflation on the way to a viewer. One thread a manager, started by the first report; it ends when
nothing has been reported for a while. The interval stretches with the number of active tasks, so that the store's load
is bounded.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from headway.core.applying import applied
from headway.core.slot import Slot
from headway.core.slots import Slots, further
from headway.core.taken import NOTHING, Taken, numbered
from headway.model.change import Change
from headway.model.clock import Clock
from headway.model.errors import StoreError, TaskNotFound
from headway.model.ports import Store, Swap, next_rev
from headway.model.task import Task
from headway.model.values import dataclass

log = logging.getLogger("headway")

TICK_S = 0.05
TASKS_A_TICK = 500
LONGEST_TICK_S = 1.0
# What is stored at once: in one transaction, or one round trip.
BATCH = 1_000
RETRY_S = 0.5
IDLE_S = 30.0

Step = Callable[[Task, float], Task]
"""(task, now) → the next task, or the same object where nothing is to change."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """An end that the store could not take yet."""

    task_id: str
    step: Step
    attempt: int | None
    large_result: str | None


class WriteBehind:
    """Flushes the slots of this process, on a thread of its own."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        hold: Callable[[], str],
        watch: Callable[[str], None],
        unwatch: Callable[[str], None],
    ) -> None:
        """`hold` gives the lease of this process; `watch` and `unwatch` are for the slots."""
        self._store = store
        self._clock = clock
        self._hold = hold
        self.slots = Slots(store, clock, on_news=self._on_news, watch=watch, unwatch=unwatch)
        self._fresh: deque[Slot] = deque()
        self._due: deque[tuple[float, Slot]] = deque()
        self._owed: deque[_Owed] = deque()
        self._owed_at = 0.0
        self._round_at = 0.0
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────

    def change(
        self, task_id: str, step: Step, *, attempt: int | None = None, large_result: str | None = None
    ) -> Task | None:
        """The slow road: what is pending and one step, in one synced write. None where the step does not apply.

        Raises `TaskNotFound`, `StoreUnavailable`; what was pending is then kept.
        """
        slot = self.slots.get(task_id)
        with slot.flushing:
            taken = slot.take()
            try:
                return self._change(slot, taken, step, attempt, large_result)
            except BaseException:
                slot.give_back(taken)
                raise

    def end(
        self, task_id: str, step: Step, *, attempt: int | None = None, large_result: str | None = None
    ) -> Task | None:
        """`change`, and where the store can't take it now it is tried again until it can: an end must not be lost."""
        try:
            return self.change(task_id, step, attempt=attempt, large_result=large_result)
        except StoreError:
            self._owed.append(_Owed(task_id, step, attempt, large_result))
            self._owed_at = self._clock.monotonic() + RETRY_S
            self._start()
            raise

    def _change(
        self, slot: Slot, taken: Taken, step: Step, attempt: int | None, large_result: str | None
    ) -> Task | None:
        old = slot.task
        while True:
            now = self._store.now()
            known = old if slot.task.has_ended else further(slot.task, old)
            mine = taken if slot.is_of(known) and not known.has_ended else NOTHING
            base = self._applied(slot, known, mine.change, now)
            new = step(base, now) if attempt in (None, known.attempt) else base
            if new is base:
                # What is known here may be stale (another process may have retried it): only the store can refuse.
                latest = self._store.get(slot.task_id)
                if (latest.epoch, latest.rev) == (old.epoch, old.rev):
                    slot.give_back(taken)
                    return None
                slot.saw(latest)
                old = latest
                continue
            counted, lines = numbered(mine, old, new)
            stored = self._store.swap(Swap(old, counted, tuple(lines), large_result))
            if stored is not None:
                self.slots.saw([stored])
                if large_result is not None:
                    self.slots.keep_result(slot.task_id, large_result)
                return stored
            old = self._store.get(slot.task_id)
            slot.saw(old)

    def flush(self, task_id: str) -> None:
        """Store what is pending for one task, now; also wait for what another thread is just storing."""
        slot = self.slots.known(task_id)
        if slot is not None and (slot.has_news() or slot.flushing.locked()):
            self._flush([slot])

    def flush_all(self) -> None:
        """Store everything that is pending, now. Raises nothing; what can't be stored stays pending."""
        pending = [slot for slot in self.slots.all() if slot.has_news()]
        for start in range(0, len(pending), BATCH):
            self._flush(pending[start : start + BATCH])

    def close(self) -> None:
        """Flush, and end the thread. Reporters may go on: their next report starts it again."""
        self._closing.set()
        self._news.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)
        self._pay()
        self.flush_all()
        if self._owed:
            log.error("the ends of %d tasks could not be stored", len(self._owed))
        with self._lock:
            self._thread = None
            self._closing.clear()
            self._fresh.clear()
            self._due.clear()
        self.slots.park()

    def restart_in_child(self) -> None:
        """After a fork: the parent's thread, locks and pending changes are not ours."""
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = None
        self._owed.clear()
        self._fresh.clear()
        self._due.clear()
        self.slots.restart_in_child()

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────

    def _on_news(self, slot: Slot) -> None:
        self.slots.adopt(slot)
        self._fresh.append(slot)
        self._start()

    def _start(self) -> None:
        """Wake the thread, or start it."""
        if self._thread is None:
            with self._lock:
                if not self._closing.is_set() and not self._has_thread():
                    thread = threading.Thread(target=self._run, name="headway-write-behind", daemon=True)
                    # At the interpreter's exit no thread can be started: what is pending is stored by `close`.
                    with contextlib.suppress(RuntimeError):
                        thread.start()
                        self._thread = thread
        if not self._news.is_set():  # It is looked at after it was cleared: who finds it set will be seen.
            self._news.set()

    def _has_thread(self) -> bool:
        return self._thread is not None

    def _run(self) -> None:
        while not self._closing.is_set():
            self._news.wait(self._timeout())
            if self._closing.is_set():
                return
            self._news.clear()
            if self._owed and self._owed_at <= self._clock.monotonic():
                self._pay()
            if self._ended_by_idleness():
                return
            # Many tasks that are quiet one by one must not make a round trip each.
            if self._closing.wait(max(0.0, self._round_at - self._clock.monotonic())):
                return
            began = self._clock.monotonic()
            batch = self._ready(began)
            failed = False
            for start in range(0, len(batch), BATCH):
                failed |= not self._flush(batch[start : start + BATCH])
            # From the beginning: what storing itself takes must not come on top of the longest tick.
            again_at = began + self._interval(len(self._due) + len(batch))
            if failed:
                again_at = self._clock.monotonic() + RETRY_S
            for slot in batch:
                if not slot.is_over:
                    self._due.append((again_at, slot))
            self._round_at = self._clock.monotonic() + min(TICK_S, TICK_S * len(self._due) / TASKS_A_TICK)

    def _timeout(self) -> float:
        if self._fresh:
            return 0
        next_at = [self._due[0][0]] if self._due else []
        if self._owed:
            next_at.append(self._owed_at)
        return max(0, min(next_at) - self._clock.monotonic()) if next_at else IDLE_S

    def _pay(self) -> None:
        """Try again to store the ends that the store could not take."""
        for _ in range(len(self._owed)):
            owed = self._owed.popleft()
            try:
                self.change(owed.task_id, owed.step, attempt=owed.attempt, large_result=owed.large_result)
            except StoreError:
                self._owed.append(owed)
            except TaskNotFound:
                log.warning("task %s is gone; its end was not stored", owed.task_id)
            except Exception:
                log.exception("the end of task %s could not be stored", owed.task_id)
        self._owed_at = self._clock.monotonic() + RETRY_S

    def _ended_by_idleness(self) -> bool:
        if self._fresh or self._due or self._owed:
            return False
        self.slots.forget_the_unused()
        with self._lock:
            # First 'no thread', then a last look: a report that finds no thread starts one.
            self._thread = None
            if self._fresh or self._owed:
                self._thread = threading.current_thread()
                return False
            return True

    def _ready(self, now: float) -> list[Slot]:
        ready: list[Slot] = []
        while self._fresh:
            ready.append(self._fresh.popleft())
        while self._due and self._due[0][0] <= now:
            slot = self._due.popleft()[1]
            if slot.is_over:
                continue
            if slot.has_news() or not slot.become_quiet():
                ready.append(slot)
        return ready

    @staticmethod
    def _interval(active: int) -> float:
        return min(max(TICK_S, TICK_S * active / TASKS_A_TICK), LONGEST_TICK_S)

    def _flush(self, slots: Sequence[Slot]) -> bool:
        """Store what is pending for these; False when the store failed (all is kept)."""
        if len(slots) == 1:
            with slots[0].flushing:
                return self._flush_held(slots)
        held = [slot for slot in slots if slot.flushing.acquire(blocking=False)]  # Else somebody is just doing it.
        try:
            return self._flush_held(held)
        finally:
            for slot in held:
                slot.flushing.release()

    def _flush_held(self, slots: Sequence[Slot]) -> bool:
        taken: dict[Slot, Taken] = {}
        try:
            for slot in slots:
                if (mine := slot.take()) is not NOTHING:
                    taken[slot] = mine
            self._swap_all(taken)
            return True
        except BaseException as error:
            for slot, mine in taken.items():
                slot.give_back(mine)
            if not isinstance(error, Exception):
                raise  # Ctrl-C, while the work itself was flushing.
            log.warning("progress waits in memory for the store: %s", error, exc_info=_is_surprising(error))
            return False

    def _swap_all(self, taken: dict[Slot, Taken]) -> None:
        """What has been stored leaves `taken`."""
        left: Iterable[Slot] = taken
        read: dict[Slot, Task] = {}
        while left:
            now = self._store.now()
            swaps = {slot: swap for slot in left if (swap := self._swap(slot, taken[slot], read.get(slot), now))}
            if not swaps:
                return
            lost = []
            for slot, stored in zip(swaps, self._store.swap_many(list(swaps.values())), strict=True):
                if stored is None:
                    lost.append(slot)
                    continue
                del taken[slot]
                if slot.task is not stored:
                    self.slots.saw([stored])
                    slot.saw(stored)  # Where the slot is parked.
            # Only now: where the store can't be read, what is stored must not be given back.
            left = read = {slot: now_stored for slot in lost if (now_stored := self.slots.read_again(slot)) is not None}

    def _swap(self, slot: Slot, mine: Taken, read: Task | None, now: float) -> Swap | None:
        """From what is known, or was `read` since, to what it becomes by `mine`; None where it is over."""
        known = slot.task
        if slot.is_over or known.has_ended or not slot.is_of(known):
            return None
        if read is None and not mine.log_count:  # The usual case: nobody else has written, and it is progress.
            return Swap(known, self._applied(slot, known, mine.change, now, next_rev(known, now)))
        old = known if read is None else read
        new = self._applied(slot, further(known, old), mine.change, now)
        counted, lines = numbered(mine, old, new)
        return Swap(old, counted, tuple(lines))

    def _applied(self, slot: Slot, old: Task, change: Change | None, now: float, rev: int | None = None) -> Task:
        """The task after a pending change, held by this process."""
        if change is None:
            return old
        return applied(change, old, slot.estimator, holder=self._hold(), now=now, at=self._clock.monotonic(), rev=rev)


def _is_surprising(error: Exception) -> bool:
    """Whether a traceback helps: a store's own errors say all there is to say."""
    return not isinstance(error, StoreError)

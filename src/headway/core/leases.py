"""This process's sign of life, and the reaper that looks after those of others.

One lease a process, not one a task: renewing costs the same for one task and for ten thousand. On the same host a
process that is gone is proven dead at once; one that exists but is not heard of is only silent (paused, or a thread
that holds the interpreter for long). On another host the lease alone decides.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable

from headway.core.host import host_name, is_gone, process_started
from headway.model.clock import Clock
from headway.model.ports import Lease, Store
from headway.model.replacing import replace
from headway.model.task import Task, Worker
from headway.model.values import dataclass

log = logging.getLogger("headway")


ORPHANS_S = 60.0
READERS_LOOK_S = 0.5
OWN_LOOKS = 3
# A holder without a lease is given so much time to show one: where the store was replaced, every lease is new.
SURE_S = 5.0


@dataclass(slots=True)
class _Watched:
    beat: int
    looked_at: float
    unheard_s: float = 0.0
    told: Worker | None = None


class Leases:
    """Keeps this process's lease from the first held task on; reaps once `watch` was called."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        lease_s: float,
        on_lost: Callable[[Task], None],
        on_sign: Callable[[Task, Worker], None],
        on_first: Callable[[], None],
        runs_here: Callable[[Task], bool] = lambda _: True,
    ) -> None:
        """`on_first` says that there is something to keep or to watch: from then on call `renew` and `reap` often.

        `runs_here`: whether a task that this process holds is really at hand.
        """
        self._store = store
        self._clock = clock
        self._on_lost = on_lost
        self._on_sign = on_sign
        self._on_first = on_first
        self._runs_here = runs_here
        self._lease_s = lease_s
        self._lease: Lease | None = None
        self._renewed_at = 0.0
        self._watched: dict[str, _Watched] = {}
        self._reaps = False
        self._looked_at = float("-inf")
        self._orphans_at = float("-inf")
        self._suspects: set[str | None] = set()
        self._own_looks_left = 0
        self._own_suspects: set[tuple[str, int]] = set()
        self._lock = threading.Lock()
        self._looking = threading.Lock()

    def hold(self) -> str:
        """The id of this process's lease, which is in the store when this returns. I/O the first time only."""
        lease = self._lease
        if lease is not None:
            return lease.lease_id
        with self._lock:
            if self._lease is None:
                pid = os.getpid()
                started = process_started(pid) or ""
                lease = Lease(os.urandom(8).hex(), host_name(), pid, started, 1, self._lease_s)
                self._store.renew(lease)
                self._renewed_at = self._clock.monotonic()
                self._lease = lease
            lease = self._lease
        self._on_first()
        return lease.lease_id

    def watch(self) -> None:
        """From now on reap what dead processes of any host have left."""
        self._reaps = True
        self._on_first()

    @property
    def watches(self) -> bool:
        """Whether this process looks after the others."""
        return self._reaps

    def renew(self) -> None:
        """Show a sign of life, if it is time. Raises `StoreUnavailable`."""
        lease = self._lease
        if lease is None or self._clock.monotonic() - self._renewed_at < self._lease_s / 3:
            return
        renewed = replace(lease, beat=lease.beat + 1)
        self._store.renew(renewed)
        self._renewed_at = self._clock.monotonic()
        self._lease = renewed

    def reap(self) -> None:
        """`look`, where this process watches."""
        if self._reaps:
            self.look()

    def look_before_telling(self, tasks: Iterable[Task]) -> bool:
        """For who only reads: `look`, where one of these is in the hands of another process; whether it was done.

        Nobody else may be there to notice that it is gone: a killed script's task must not be told as running.
        Raises `StoreUnavailable`.
        """
        if self._reaps or self._clock.monotonic() - self._looked_at < READERS_LOOK_S:
            return False
        own = self._lease.lease_id if self._lease is not None else None
        if all(task.holder in (None, own) or task.has_ended for task in tasks):
            return False
        self.look()
        return True

    def look(self) -> None:
        """Reap now: fail the tasks of who is gone, mark those of who is silent or back. Raises `StoreUnavailable`."""
        with self._looking:
            now = self._looked_at = self._clock.monotonic()
            seeks_orphans = now - self._orphans_at >= (SURE_S if self._suspects else ORPHANS_S)
            # Before the leases: who holds a task has written its lease first, so that a newcomer is no orphan.
            held = self._store.held() if seeks_orphans else ()
            leases = self._store.leases()
            known = {lease.lease_id for lease in leases}
            for lease_id in [lease_id for lease_id in self._watched if lease_id not in known]:
                del self._watched[lease_id]
            for lease in leases:
                if self._lease is None or lease.lease_id != self._lease.lease_id:
                    self._look_at(lease, now)
            if seeks_orphans:
                unknown = {task.holder for task in held if task.holder not in known}
                for task in held:
                    if task.holder in unknown & self._suspects:
                        self._on_lost(task)
                self._suspects = unknown
                self._orphans_at = now

    def resync(self) -> None:
        """The store has another history: the lease is written there too. Raises `StoreUnavailable`."""
        with self._lock:
            self._watched.clear()
            self._suspects.clear()
            self._orphans_at = float("-inf")
            if self._lease is not None:
                self._renewed_at = float("-inf")
            self._own_looks_left = OWN_LOOKS
            self._own_suspects.clear()
        self.renew()

    def look_at_own(self) -> None:
        """After a reset: give up what the store says this process runs, and it does not. Raises `StoreUnavailable`.

        A backup that was put in place brings back work that has ended since. Only what is so at two looks: a task that
        was created a moment ago is in the store before it is at hand here.
        """
        lease = self._lease
        if lease is None or not self._own_looks_left:
            return
        idle = {
            (task.task_id, task.attempt): task for task in self._store.held(lease.lease_id) if not self._runs_here(task)
        }
        for key in self._own_suspects & idle.keys():
            self._on_lost(idle[key])
        self._own_suspects = set(idle)
        self._own_looks_left -= 1

    def close(self) -> None:
        """Stop renewing. What this process still holds is silent from now on, and lost when the process has ended."""
        with self._lock:
            self._lease = None
            self._reaps = False
            self._watched.clear()

    def restart_in_child(self) -> None:
        """After a fork: another process needs a lease of its own."""
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._lease = None
        self._reaps = False
        self._watched.clear()

    def _look_at(self, lease: Lease, now: float) -> None:
        here = lease.host == host_name()
        if here and is_gone(lease.pid, lease.pid_started):
            self._bury(lease)
            return
        watched = self._watched.setdefault(lease.lease_id, _Watched(lease.beat, now))
        # Only what was watched counts: who looks may have been stopped itself, together with all the others.
        watched.unheard_s += min(now - watched.looked_at, lease.lease_s / 3)
        watched.looked_at = now
        if watched.beat != lease.beat:
            watched.beat, watched.unheard_s = lease.beat, 0.0
            self._tell(lease, watched, "alive")
        elif watched.unheard_s > lease.lease_s:
            if here:
                self._tell(lease, watched, "silent")
            else:
                self._bury(lease)

    def _bury(self, lease: Lease) -> None:
        for task in self._store.held(lease.lease_id):
            self._on_lost(task)
        self._store.drop_lease(lease.lease_id)
        self._watched.pop(lease.lease_id, None)

    def _tell(self, lease: Lease, watched: _Watched, worker: Worker) -> None:
        if watched.told == worker:
            return
        for task in self._store.held(lease.lease_id):
            if task.worker != worker and task.state != "pending":
                self._on_sign(task, worker)
        watched.told = worker

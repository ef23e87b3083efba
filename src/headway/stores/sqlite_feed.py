"""Who watches a SQLite store hears of other processes' changes: a thread polls `PRAGMA data_version`.

50 times a second, as long as that costs little: what a poll costs is the code that it goes through, which is in no
cache after those 20 ms. So it takes the shortest way; while each poll finds changes it reads them without asking
whether there are any; and where a poll takes long, the next one waits longer, up to 50 ms: a task changes 20 times a
second at most. The thread lives while there are subscribers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from threading import Thread, current_thread

from headway.model.errors import StoreError
from headway.model.task import Task
from headway.stores.sqlite_database import SqliteDatabase
from headway.stores.sqlite_file import Row, SqliteFile
from headway.stores.subscribers import Subscribers

POLL_S = 0.02
LONGEST_POLL_S = 0.05
SHARE = 0.02
"""Of a core, that reading may take before polls become rarer."""
PAGE = 1_000

_log = logging.getLogger(__name__)


class SqliteFeed:
    """`last_seq` and `changes_after` (file, seq, page) are the store's queries.

    The latter gives the next changes, each beginning with its number, and the tasks among them that are to be told.
    """

    def __init__(
        self,
        subscribers: Subscribers,
        *,
        database: SqliteDatabase,
        last_seq: Callable[[], int],
        changes_after: Callable[[SqliteFile, int, int], tuple[Sequence[Row], Sequence[Task]]],
    ) -> None:
        self._subscribers = subscribers
        self._database = database
        self._read_last_seq = last_seq
        self._changes_after = changes_after
        self._lock = threading.Lock()
        self._thread: Thread | None = None
        self._stopped: Thread | None = None
        self._running = threading.Lock()
        """Held while the thread is to run. It sleeps by waiting for it, which is cheaper than waiting for an event."""
        self._file: SqliteFile | None = None
        self._version: int | None = None
        self._has_more = False
        """Perhaps: the last read found some."""
        # Up to which change of which history all has been told.
        self._epoch = ""
        self._last_seq = 0
        self._forgotten = 0
        self._is_failing = False
        self._is_abandoned = False

    def start(self) -> None:
        """What is stored from now on will be told. Where the store can't be opened, a reset is told once it can."""
        with self._lock:
            if self._thread is not None:
                return
            # gevent may have put another kind of lock in place since this was imported.
            self._running = threading.Lock()
            self._running.acquire()
            self._file = None
            self._epoch = ""
            try:
                self._begin_with(self._database.opened(look=True))
            except StoreError as error:
                self._complain(error)
            thread = Thread(target=self._run, args=(self._running,), name="headway-sqlite-feed", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # At the interpreter's exit, or over the system's limit.
                _log.warning("other processes' changes can't be seen: %s", error)
            else:
                self._thread = thread

    def stop(self) -> None:
        """The thread ends by itself, soon."""
        with self._lock:
            if self._thread is not None:
                self._running.release()
                self._thread, self._stopped = None, self._thread

    def join(self, timeout_s: float = 5.0) -> None:
        self.stop()
        thread = self._stopped
        if thread is not None and thread is not current_thread():
            thread.join(timeout_s)

    def abandon(self) -> None:
        """In a forked child. Under gevent the thread is a greenlet, which the fork has copied: it must not go on."""
        self._is_abandoned = True

    def expect_own(self, epoch: str, first_seq: int, last_seq: int) -> bool:
        """This process is about to commit these changes, and tells them itself: don't read them again.

        False where others' come before them, so that all have to be read.
        """
        with self._lock:
            is_next = epoch == self._epoch and first_seq == self._last_seq + 1
            if is_next:
                self._last_seq = last_seq
            return is_next

    def forget_own(self, epoch: str, first_seq: int) -> None:
        """They were not committed after all: others may have these numbers."""
        with self._lock:
            if epoch == self._epoch:
                self._last_seq = min(self._last_seq, first_seq - 1)
                self._forgotten += 1
                self._version = None

    def _run(self, running: threading.Lock) -> None:
        wait_s = POLL_S
        while not running.acquire(timeout=wait_s) and not self._is_abandoned:
            began = time.thread_time()
            try:
                self._poll(running)
                self._is_failing = False
            except StoreError as error:
                self._complain(error)
            except Exception:  # noqa: BLE001 - a boundary
                # A boundary: this thread must outlive whatever surprises it.
                _log.exception("watching the store failed; trying again")
            wait_s = pause_s(time.thread_time() - began)

    def _poll(self, running: threading.Lock) -> None:
        file = self._database.opened()
        if file is not self._file:
            is_other_history = file.epoch != self._epoch
            with self._lock:
                self._begin_with(file)
            if is_other_history:
                self._subscribers.tell_reset()
        if not self._has_more and not self._has_changed(file):
            return
        self._has_more = True  # Until it is read: that may fail.
        while True:
            with self._lock:
                after, forgotten = self._last_seq, self._forgotten
            changes, tasks = self._changes_after(file, after, PAGE)
            if not running.locked():
                return  # Another thread may be in its place by now.
            self._has_more = bool(changes)
            if changes:
                with self._lock:
                    if self._forgotten != forgotten:
                        continue  # It has begun behind what was not committed after all, and is another's.
                    self._last_seq = max(self._last_seq, changes[-1][0])
                self._subscribers.tell(tasks)
            if len(changes) < PAGE:
                return

    def _has_changed(self, file: SqliteFile) -> bool:
        """A number that changes with every commit but this connection's own, here and elsewhere, is another one."""
        found = self._database.watched(file, "PRAGMA data_version")
        if not found or found[0][0] == self._version:
            return False
        # Noted before what has changed is read: what is committed in between changes it again.
        self._version = found[0][0]
        return True

    def _begin_with(self, file: SqliteFile) -> None:
        if file.epoch != self._epoch:
            self._last_seq = self._read_last_seq()
            self._epoch = file.epoch
        self._file = file
        self._version = None

    def _complain(self, error: StoreError) -> None:
        # Once, not fifty times a second.
        if not self._is_failing:
            _log.warning("other processes' changes can't be seen for now: %s", error)
        self._is_failing = True


def pause_s(cpu_s: float) -> float:
    """How long to wait after a poll that took so much CPU."""
    return min(max(POLL_S, cpu_s / SHARE), LONGEST_POLL_S)

"""How viewers follow a log: page by page from the line they asked for, each read from the store when it is their turn.

Followers at the same line share a read and a frame. A page waits until its viewer has taken the one before, so that
nothing queues for a slow one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from headway.core.progress_manager import ProgressManager
from headway.model.change import LogLine
from headway.model.errors import StoreError, TaskNotFound
from headway.model.ports import LogPage
from headway.model.task import Task
from headway.web.frames import Frame
from headway.web.wire import log_payload_json

if TYPE_CHECKING:
    from headway.web.delivery import Delivery
    from headway.web.watches import Subscription, Watch

log = logging.getLogger(__name__)

PAGE_LINES = 256
PAGE_CHARS = 64 * 1024


class LogFollower:
    """Where one viewer is in a log."""

    __slots__ = ("epoch", "is_asking", "is_stuck", "next_line", "page", "waits_since")

    def __init__(self, start: int) -> None:
        self.next_line = start
        self.epoch = ""
        self.page: tuple[int, Frame] | None = None
        """From which line it was read, and what was; not yet taken by the viewer."""
        self.is_asking = False
        """From when a page is asked for until it has been read: it is not asked for twice."""
        self.is_stuck = False
        """Its page could not be read; the hub's healing has it tried again."""
        self.waits_since: float | None = None
        """Since when (monotonic) an end is held back until the lines before it have been sent."""

    def is_behind(self, task: Task) -> bool:
        """Whether lines that the task has are still to come."""
        return self.next_line <= task.log_count and self.epoch == task.epoch and not self.is_stuck


class LogReader:
    """Reads pages in the background and offers them on the driver's thread."""

    def __init__(self, manager: ProgressManager, delivery: Delivery) -> None:
        self._manager = manager
        self._delivery = delivery
        self._lock = threading.Lock()

    def follow(self, subscription: Subscription) -> None:
        """Offer the page that is due, and have the next one read. On the driver's thread."""
        follower, watch = subscription.follower, subscription.watch
        task = watch.task
        if follower is None or task is None or subscription.is_over:
            return
        if follower.epoch != task.epoch:
            # Another history: its lines count from 1 again.
            follower.next_line = 1 if follower.epoch else follower.next_line
            follower.epoch, follower.page = task.epoch, None
        if follower.page is not None:
            start, frame = follower.page
            # A page of another history may have been read meanwhile.
            if (start, frame.epoch) == (follower.next_line, follower.epoch):
                if not self._delivery.offer(subscription, frame):
                    return
                follower.next_line = frame.last_line + 1
            follower.page = None
        if task.log_count >= follower.next_line and not follower.is_stuck and not follower.is_asking:
            self._ask(watch, follower)

    def _ask(self, watch: Watch, follower: LogFollower) -> None:
        with self._lock:
            follower.is_asking = True
            if watch.is_reading_log:
                return
            watch.is_reading_log = True
        driver = self._delivery.driver
        if driver is not None:
            driver.background(partial(self._read_asked, watch))

    def _read_asked(self, watch: Watch) -> None:
        while True:
            with self._lock:
                asking: dict[tuple[str, int], list[tuple[Subscription, LogFollower]]] = {}
                for subscription in list(watch.followers):
                    follower = subscription.follower
                    if follower is not None and follower.is_asking:
                        asking.setdefault((follower.epoch, follower.next_line), []).append((subscription, follower))
                if not asking:
                    watch.is_reading_log = False
                    return
            for (epoch, start), followers in asking.items():
                task = watch.task
                # No line may be due: a task of another history has few at first.
                is_due = task is not None and task.epoch == epoch and task.log_count >= start
                page = self._page(watch, epoch, start)
                for _, follower in followers:
                    follower.is_stuck = page is None and is_due
                    follower.page = None if page is None else (start, page)
                    follower.is_asking = False
                # Whoever has taken its page already asks for the next one now.
                self._delivery.serve_again([subscription for subscription, _ in followers])

    def _page(self, watch: Watch, epoch: str, start: int) -> Frame | None:
        task = watch.task
        if task is None:
            return None
        try:
            return log_frame(task.task_id, epoch, self._manager.read_log(task.task_id, start, PAGE_LINES))
        except TaskNotFound:
            return None
        except StoreError as error:
            log.warning("a log could not be read: %s", error)
            return None
        except Exception:
            log.exception("a log could not be read")
            return None


def log_frame(task_id: str, epoch: str, page: LogPage) -> Frame | None:
    """As many of the page's lines as fit into one frame; None where there is no line."""
    lines = fitting(page.lines, PAGE_CHARS)
    if not lines:
        return None
    payload = log_payload_json(task_id, epoch, lines, page.truncated_before)
    return Frame("log", payload, epoch=epoch, last_line=lines[-1].n)


def fitting(lines: Sequence[LogLine], max_chars: int) -> Sequence[LogLine]:
    """The first of them, up to about so many characters; one at least."""
    chars = 0
    for index, line in enumerate(lines):
        chars += len(line.text)
        if chars > max_chars and index:
            return lines[:index]
    return lines

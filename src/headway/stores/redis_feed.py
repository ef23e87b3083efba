"""Hears of changes through Redis's publish and subscribe, and of a Redis that was emptied or away.

Messages may get lost; who watches compares revs, and is told to read again after each interruption.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread, current_thread
from typing import Any

from headway.model.codec import from_record
from headway.model.errors import StoreError
from headway.model.task import Task
from headway.stores.redis_client import RedisClient
from headway.stores.subscribers import Subscribers

# How long an emptied Redis may go unnoticed.
LOOK_S = 0.5
AGAIN_S = 0.25
AT_ONCE = 1_000

_log = logging.getLogger(__name__)


def message(sender: str, epoch: str, record: str) -> str:
    return f"{sender} {epoch} {record}"


class RedisFeed:
    """A thread, while there are subscribers. `look` reads the epoch and does what is to be done now and then."""

    def __init__(
        self,
        subscribers: Subscribers,
        client: RedisClient,
        *,
        channels: str,
        sender: str,
        look: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._subscribers = subscribers
        self._client = client
        self._channels = channels
        self._sender = sender
        self._look = look
        self._now = now
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stop = Event()
        self._listener: Any = None
        self._is_abandoned = False

    def start(self) -> None:
        """What is stored from now on will be told. Where Redis can't be reached, a reset is told once it can."""
        with self._lock:
            if self._thread is not None:
                return
            stop = self._stop = Event()
            listener, epoch = None, ""
            try:
                listener = self._subscribed()
                epoch = self._look()
            except StoreError as error:
                _log.warning("changes can't be seen for now: %s", error)
            self._thread = Thread(
                target=self._run, args=(stop, listener, epoch), name="headway-redis-feed", daemon=True
            )
            self._thread.start()

    def stop(self, *, join_s: float = 0.0) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None and join_s and thread is not current_thread():
            thread.join(join_s)

    def abandon(self) -> None:
        """In a forked child. Under gevent the thread is a greenlet, which the fork has copied: it must not go on and
        read what the parent's waits for."""
        self._is_abandoned = True
        self._close(self._listener)

    def _run(self, stop: Event, listener: Any, epoch: str) -> None:
        while not stop.is_set() and not self._is_abandoned:
            try:
                if listener is None:
                    listener = self._subscribed()
                    # Whatever was missed meanwhile, and perhaps another history.
                    epoch = self._look()
                    _log.info("changes are seen again")
                    self._subscribers.tell_reset()
                epoch = self._listen(stop, listener, epoch)
            except StoreError as error:
                if not self._is_abandoned:
                    _log.warning("changes can't be seen for now: %s", error)
                self._close(listener)
                listener = None
                stop.wait(AGAIN_S)
            except Exception:  # noqa: BLE001 - a boundary: this thread must outlive whatever surprises it
                _log.exception("watching the store failed; trying again")
                self._close(listener)
                listener = None
                stop.wait(AGAIN_S)
        self._close(listener)

    def _listen(self, stop: Event, listener: Any, epoch: str) -> str:
        """Until LOOK_S have passed; the epoch then."""
        end = time.monotonic() + LOOK_S
        while not stop.is_set() and not self._is_abandoned and (left := end - time.monotonic()) > 0:
            texts = self._received(listener, left)
            if texts:
                self._subscribers.tell(self._newest(texts))
        current = self._look()
        if current != epoch:
            self._subscribers.tell_reset()
        return current

    def _received(self, listener: Any, timeout_s: float) -> list[str]:
        """What has come, after waiting for the first."""
        texts: list[str] = []
        with self._client.in_words():
            heard = listener.get_message(timeout=min(timeout_s, 0.1))
            while heard is not None:
                texts.append(heard["data"])
                heard = listener.get_message(timeout=0) if len(texts) < AT_ONCE else None
        return texts

    def _newest(self, texts: Iterable[str]) -> list[Task]:
        """The tasks, without this process's own and without what has been overtaken."""
        now = self._now()
        newest: dict[str, Task] = {}
        for text in texts:
            sender, epoch, record = text.split(" ", 2)
            if sender != self._sender:
                task = from_record(record, epoch=epoch, server_time=now)
                newest[task.task_id] = task
        return list(newest.values())

    def _subscribed(self) -> Any:
        self._listener = listener = self._client.listener()
        try:
            with self._client.in_words():
                listener.psubscribe(self._channels)
                # The answer to it: from then on nothing is missed.
                listener.get_message(timeout=5)
        except BaseException:
            self._close(listener)
            raise
        return listener

    def _close(self, listener: Any) -> None:
        if listener is not None:
            try:
                listener.close()
            except Exception:  # noqa: BLE001 - it is broken already
                _log.debug("a broken connection could not be closed", exc_info=True)

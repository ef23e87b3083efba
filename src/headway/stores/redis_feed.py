"""Hears of changes through Redis's publish and subscribe, and of a Redis that was emptied or away.

While all subscribers are selective it listens to the channels of watched tasks only; what changed between the wish to
watch and Redis's word that it sends is read then. Messages may get lost; who watches compares revs, and is told to
read again after each interruption.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event, Lock, Thread, current_thread
from typing import Any

from headway.model.codec import from_record
from headway.model.errors import StoreError
from headway.model.task import Task
from headway.stores.record_json import record_decoder
from headway.stores.redis_client import RedisClient
from headway.stores.redis_keys import Keys
from headway.stores.subscribers import Subscribers

# How long an emptied Redis may go unnoticed.
LOOK_S = 0.5
AGAIN_S = 0.25
AT_ONCE = 1_000
# How late a new wish may be heard.
WISH_S = 0.02
ANSWER_S = 2.0
CHANNELS_AT_ONCE = 500

_log = logging.getLogger(__name__)


def message(sender: str, epoch: str, record: str) -> str:
    return f"{sender} {epoch} {record}"


class RedisFeed:
    """A thread, while there are subscribers. `look` reads the epoch and does what is to be done now and then; `fetch`
    reads tasks."""

    def __init__(
        self,
        subscribers: Subscribers,
        client: RedisClient,
        keys: Keys,
        *,
        sender: str,
        look: Callable[[], str],
        fetch: Callable[[Sequence[str]], dict[str, Task]],
        now: Callable[[], float],
    ) -> None:
        self._subscribers = subscribers
        self._client = client
        self._keys = keys
        self._sender = sender
        self._look = look
        self._fetch = fetch
        self._now = now
        self._lock = Lock()
        self._thread: Thread | None = None
        self._ended: Thread | None = None
        self._stop = Event()
        self._ears: _Ears | None = None
        self._is_abandoned = False

    def start(self) -> None:
        """What is stored from now on will be told. Where Redis can't be reached, a reset is told once it can."""
        with self._lock:
            if self._thread is None:
                self._begin()
                return
            thread, ears = self._thread, self._ears
        if self._subscribers.want_all and ears is not None and thread is not current_thread():
            # It may listen to some tasks only as yet.
            ears.hears_all.wait(ANSWER_S)

    def stop(self, *, join_s: float = 0.0) -> None:
        """The thread ends by itself, soon; `join_s`: wait so long for that."""
        with self._lock:
            if self._thread is not None:
                self._ended, self._thread = self._thread, None
            thread = self._ended
            self._stop.set()
        if thread is not None and join_s and thread is not current_thread():
            thread.join(join_s)

    def abandon(self) -> None:
        """In a forked child. Under gevent the thread is a greenlet, which the fork has copied: it must not go on and
        read what the parent's waits for."""
        self._is_abandoned = True
        if self._ears is not None:
            self._ears.close()

    def _begin(self) -> None:
        stop = self._stop = Event()
        ears, epoch = None, ""
        try:
            ears = self._opened()
            epoch = self._look()
        except StoreError as error:
            _log.warning("changes can't be seen for now: %s", error)
        thread = Thread(target=self._run, args=(stop, ears, epoch), name="headway-redis-feed", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # At the interpreter's exit, or over the system's limit.
            _log.warning("changes can't be seen: %s", error)
            if ears is not None:
                ears.close()
        else:
            self._thread = thread

    def _run(self, stop: Event, ears: _Ears | None, epoch: str) -> None:
        while not stop.is_set() and not self._is_abandoned:
            try:
                if ears is None:
                    ears = self._opened()
                    # Whatever was missed meanwhile, and perhaps another history.
                    epoch = self._look()
                    _log.info("changes are seen again")
                    self._subscribers.tell_reset()
                epoch = self._listen(stop, ears, epoch)
            except Exception as error:  # noqa: BLE001 - a boundary: this thread must outlive whatever surprises it
                if stop.is_set() or self._is_abandoned:
                    break  # The connection was closed with the store.
                if isinstance(error, StoreError):
                    _log.warning("changes can't be seen for now: %s", error)
                else:
                    _log.exception("watching the store failed; trying again")
                if ears is not None:
                    ears.close()
                ears = None
                stop.wait(AGAIN_S)
        if ears is not None:
            ears.close()

    def _listen(self, stop: Event, ears: _Ears, epoch: str) -> str:
        """Until LOOK_S have passed, or somebody has found another history; the epoch then."""
        end = time.monotonic() + LOOK_S
        while not stop.is_set() and not self._is_abandoned and (left := end - time.monotonic()) > 0:
            ears.adjust()
            heard = ears.heard(min(left, WISH_S))
            if heard.newest:
                self._subscribers.tell(self._tasks(heard.newest.values()))
            if heard.fresh:
                # What was stored before Redis began to send of these.
                self._subscribers.tell(list(self._fetch(heard.fresh).values()))
            if heard.is_reset:
                break
        current = self._look()
        if current != epoch:
            self._subscribers.tell_reset()
        return current

    def _tasks(self, messages: Iterable[str]) -> list[Task]:
        now = self._now()
        parts = (message.split(" ", 2) for message in messages)
        decode = record_decoder()
        return [from_record(record, epoch=epoch, server_time=now, decode=decode) for _, epoch, record in parts]

    def _opened(self) -> _Ears:
        self._ears = ears = _Ears(self._client, self._keys, self._subscribers, self._sender)
        return ears


class Heard:
    """The newest message of each task, tasks of which Redis sends only now, and whether the history is another one."""

    __slots__ = ("fresh", "is_reset", "newest")

    def __init__(self) -> None:
        self.newest: dict[str, str] = {}
        self.fresh: list[str] = []
        self.is_reset = False


class _Ears:
    """One connection that listens to what subscribers want. For one thread. Raises `StoreUnavailable`."""

    def __init__(self, client: RedisClient, keys: Keys, subscribers: Subscribers, sender: str) -> None:
        self.hears_all = Event()
        # This process tells its own changes itself.
        self._own = f"{sender} "
        self._client = client
        self._keys = keys
        self._subscribers = subscribers
        self._version = -1
        self._channels: set[str] = set()
        self._has_asked_for_all = False
        self._listener = client.listener()
        try:
            with client.in_words():
                self._listener.subscribe(keys.resets)
            self.adjust()
            # The answers to it: from then on nothing is missed.
            self._await_first(time.monotonic() + ANSWER_S)
        except BaseException:
            self.close()
            raise

    def adjust(self) -> None:
        """Ask for what is wanted now, and for nothing else."""
        version = self._subscribers.version
        if version == self._version:
            return
        wants_all = self._subscribers.want_all
        wanted = set() if wants_all else {self._keys.channel(task_id) for task_id in self._subscribers.watched()}
        with self._client.in_words():
            # What is new first: in between rather twice than not at all.
            if wants_all and not self._has_asked_for_all:
                self._listener.psubscribe(self._keys.all_channels)
            for some in _chunks(wanted - self._channels):
                self._listener.subscribe(*some)
            for some in _chunks(self._channels - wanted):
                self._listener.unsubscribe(*some)
            if self._has_asked_for_all and not wants_all:
                self._listener.punsubscribe(self._keys.all_channels)
                self.hears_all.clear()
        self._version, self._channels, self._has_asked_for_all = version, wanted, wants_all

    def heard(self, timeout_s: float) -> Heard:
        """What has come, after waiting for the first."""
        heard = Heard()
        with self._client.in_words():
            event = self._listener.get_message(timeout=timeout_s)
            taken = 0
            while event is not None:
                self._take(event, heard)
                taken += 1
                event = self._listener.get_message(timeout=0) if taken < AT_ONCE else None
        return heard

    def close(self) -> None:
        try:
            self._listener.close()
        except Exception:  # noqa: BLE001 - it is broken already
            _log.debug("a broken connection could not be closed", exc_info=True)

    def _take(self, event: dict[str, Any], heard: Heard) -> None:  # Any: what the client makes of an answer
        kind, channel = event["type"], event["channel"]
        if kind in ("message", "pmessage"):
            if channel == self._keys.resets:
                heard.is_reset = True
            elif not event["data"].startswith(self._own):
                heard.newest[channel] = event["data"]
        elif kind == "psubscribe":
            self.hears_all.set()
        elif kind == "subscribe" and channel != self._keys.resets:
            heard.fresh.append(self._keys.task_of(channel))

    def _await_first(self, deadline: float) -> None:
        """Nothing can have been missed before it: who watches reads after this."""
        while time.monotonic() < deadline:
            with self._client.in_words():
                event = self._listener.get_message(timeout=max(0.0, deadline - time.monotonic()))
            if event is None:
                continue
            if event["type"] == "psubscribe":
                self.hears_all.set()
            if self.hears_all.is_set() or not self._has_asked_for_all:
                return


def _chunks(channels: set[str]) -> Iterable[list[str]]:
    ordered = list(channels)
    return (ordered[start : start + CHANNELS_AT_ONCE] for start in range(0, len(ordered), CHANNELS_AT_ONCE))

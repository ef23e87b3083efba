"""A store that lives in another process of ours: how children use a `memory://` store of their parent.

The parent has a `StoreServer(store)` (proxy_server.py); a child is given `ProxyStore(server.address, server.key)`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from threading import Event, Lock, Thread
from typing import Any

from headway.model.clock import Clock, SystemClock
from headway.model.errors import StoreUnavailable
from headway.model.ports import Following, Lease, LogPage, OnChange, OnReset, Swap, TaskPage, TaskQuery
from headway.model.task import State, Task
from headway.stores.forks import at_fork
from headway.stores.proxy_channel import Channel
from headway.stores.subscribers import Subscribers

AGAIN_S = 0.2

Channels = list[Channel]

_log = logging.getLogger(__name__)


class ProxyStore:
    """Each call is a question to the parent; a few connections are kept. Can be pickled.

    Its `url` is None: what leads to the parent is not for others.
    """

    url: str | None = None

    def __init__(self, address: str, key: bytes, *, clock: Clock | None = None) -> None:
        self._address = address
        self._key = key
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._idle: Channels = []
        self._feed: _Feed | None = None
        self._subscribers = Subscribers()
        at_fork(in_child=self._start_anew)

    def __reduce__(self) -> tuple[type[ProxyStore], tuple[str, bytes]]:
        return type(self), (self._address, self._key)

    def now(self) -> float:
        return self._clock.time()

    def epoch(self) -> str:
        epoch: str = self._ask("epoch")
        return epoch

    def create(self, task: Task) -> Task:
        created: Task = self._ask("create", task)
        self._subscribers.tell((created,))
        return created

    def get(self, task_id: str) -> Task:
        task: Task = self._ask("get", task_id)
        return task

    def get_many(self, task_ids: Collection[str]) -> dict[str, Task]:
        found: dict[str, Task] = self._ask("get_many", list(task_ids))
        return found

    def swap(self, swap: Swap) -> Task | None:
        stored: Task | None = self._ask("swap", swap)
        self._subscribers.tell((stored,) if stored is not None else ())
        return stored

    def swap_many(self, swaps: Sequence[Swap]) -> list[Task | None]:
        stored: list[Task | None] = self._ask("swap_many", list(swaps))
        self._subscribers.tell([task for task in stored if task is not None])
        return stored

    def list(self, query: TaskQuery) -> TaskPage:
        page: TaskPage = self._ask("list", query)
        return page

    def delete(
        self, *, finished_before: float | None = None, states: Collection[State] = (), keep: int | None = None
    ) -> int:
        deleted: int = self._ask("delete", finished_before=finished_before, states=tuple(states), keep=keep)
        return deleted

    def delete_task(self, task_id: str) -> bool:
        deleted: bool = self._ask("delete_task", task_id)
        return deleted

    def read_log(self, task_id: str, start: int = 1, limit: int = 1_000) -> LogPage:
        page: LogPage = self._ask("read_log", task_id, start, limit)
        return page

    def large_result(self, task_id: str) -> str | None:
        result: str | None = self._ask("large_result", task_id)
        return result

    def renew(self, lease: Lease) -> None:
        self._ask("renew", lease)

    def leases(self) -> Sequence[Lease]:
        leases: Sequence[Lease] = self._ask("leases")
        return leases

    def drop_lease(self, lease_id: str) -> None:
        self._ask("drop_lease", lease_id)

    def held(self, holder: str | None = None) -> Sequence[Task]:
        tasks: Sequence[Task] = self._ask("held", holder)
        return tasks

    def subscribe(self, on_change: OnChange, on_reset: OnReset, *, selective: bool = False) -> Following:
        """The parent sends everything, watched or not: it is on this machine."""
        following = self._subscribers.add(on_change, on_reset, selective=selective, on_last=self._end_feed)
        with self._lock:
            if self._feed is None:
                self._feed = _Feed(self._connected, self._subscribers)
        return following

    def close(self) -> None:
        self._subscribers.clear()
        self._end_feed()
        with self._lock:
            idle, self._idle = self._idle, []
        for channel in idle:
            channel.hang_up()

    # Any: the methods above know what each question is answered with.
    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            channel = self._idle.pop() if self._idle else None
        if channel is None:
            channel = self._connected()
        try:
            channel.send((method, args, kwargs))
            is_answer, value = channel.receive()
        except BaseException as error:
            # Also on an exception from outside: the answer to this question must not be taken for the next one's.
            channel.hang_up()
            if isinstance(error, OSError | EOFError):
                raise StoreUnavailable("the process that has the store is gone") from error
            raise
        with self._lock:
            self._idle.append(channel)
        if is_answer:
            return value
        raise value

    def _connected(self) -> Channel:
        try:
            return Channel.connect(self._address, self._key)
        except OSError as error:
            raise StoreUnavailable("the process that has the store is gone") from error

    def _end_feed(self) -> None:
        with self._lock:
            feed, self._feed = self._feed, None
        if feed is not None:
            feed.end()

    def _start_anew(self) -> None:
        for channel in self._idle:
            channel.forget()
        if self._feed is not None:
            self._feed.abandon()
        self._lock = Lock()
        self._idle = []
        self._feed = None
        self._subscribers = Subscribers()


class _Feed:
    """A thread that hears of changes from the parent. This process's own may come a second time."""

    def __init__(self, connect: Callable[[], Channel], subscribers: Subscribers) -> None:
        self._connect = connect
        self._subscribers = subscribers
        self._ended = Event()
        self._is_abandoned = False
        self._channel: Channel | None = None
        try:
            self._channel = self._subscribed()
        except (StoreUnavailable, OSError, EOFError) as error:
            _log.warning("other processes' changes can't be seen for now: %s", error)
        Thread(target=self._run, name="headway-store-proxy", daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        channel = self._channel
        if channel is not None:
            channel.hang_up()

    def abandon(self) -> None:
        """In a forked child. Under gevent the thread is a greenlet, which the fork has copied: it must not go on and
        read what the parent's waits for."""
        self._is_abandoned = True
        if self._channel is not None:
            self._channel.forget()

    def _run(self) -> None:
        while not self._is_over():
            try:
                if self._channel is None:
                    self._channel = self._subscribed()
                    self._subscribers.tell_reset()
                while not self._is_over():
                    tasks, was_reset = self._channel.receive()
                    if was_reset:
                        self._subscribers.tell_reset()
                    self._subscribers.tell(tasks)
            except (StoreUnavailable, OSError, EOFError):
                if self._is_over():
                    return
                if self._channel is not None:
                    self._channel.hang_up()
                self._channel = None
                self._ended.wait(AGAIN_S)

    def _is_over(self) -> bool:
        return self._is_abandoned or self._ended.is_set()

    def _subscribed(self) -> Channel:
        channel = self._connect()
        try:
            channel.send(("subscribe", (), {}))
            channel.receive()
        except BaseException:
            channel.hang_up()
            raise
        return channel

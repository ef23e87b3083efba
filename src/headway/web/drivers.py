"""What turns the hub's crank: an asyncio loop, or a background task (a thread, a greenlet) that a waker wakes."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from headway.web.hub import Hub

log = logging.getLogger(__name__)

HEAL_S = 3.0
TURN_S = 0.5
HEAL_SHARE = 20
"""Healing takes one part in so many of the time, however many tasks are watched …"""
HEAL_AT_MOST_S = 15.0
"""… but comes at least as often: it may have taken long because the store was busy, or the machine asleep."""


class AsyncioDriver:
    """Delivers on a loop; what may block is done by an executor."""

    def __init__(self, hub: Hub, executor: Executor) -> None:
        self._hub = hub
        self._executor = executor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._healing: asyncio.TimerHandle | None = None
        hub.driven_by(self)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """On the loop. Safe to call again; another loop takes over from one that was closed."""
        if self._loop is loop:
            return
        self._loop = loop
        self._is_woken = False
        self._healing = loop.call_later(HEAL_S, self._heal)
        self.wake()

    def stop(self) -> None:
        loop, self._loop = self._loop, None
        for timer in (self._timer, self._healing):
            if timer is not None:
                timer.cancel()
        if loop is not None:
            self._hub.close()

    def wake(self) -> None:
        loop = self._loop
        if loop is None or self._is_woken:
            return
        self._is_woken = True
        try:
            loop.call_soon_threadsafe(self._turn)
        except RuntimeError:
            log.debug("the loop has been closed; nobody is left to be told")

    def on_loop(self, call: Callable[[], None]) -> None:
        """From any thread. Nothing is done where no loop runs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call)

    def heal_soon(self) -> None:
        self.background(self._hub.heal)

    def background(self, work: Callable[[], None]) -> None:
        try:
            self._executor.submit(_logged, work)
        except RuntimeError:
            log.debug("shutting down; background work is left out")

    def _turn(self) -> None:
        self._is_woken = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = self._loop
        if loop is None:
            return
        delay = self._hub.deliver()
        if delay == 0:
            # The loop's other work first: sockets that have become writable, new connections.
            self._is_woken = True
            loop.call_soon(self._turn)
        elif delay is not None:
            self._timer = loop.call_later(delay, self._turn)

    def _heal(self) -> None:
        loop = self._loop
        if loop is None:
            return
        asyncio.ensure_future(self._heal_then_wait(loop), loop=loop).add_done_callback(_raise_if_failed)

    async def _heal_then_wait(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.monotonic()
        try:
            await loop.run_in_executor(self._executor, _logged, self._hub.heal)
        except RuntimeError:
            return  # The executor has been shut down.
        if self._loop is loop:
            pause_s = pause_after(time.monotonic() - started, is_stale=self._hub.is_stale)
            self._healing = loop.call_later(pause_s, self._heal)


class Waker(Protocol):
    """An event that any thread may set, and one background task waits for."""

    def set(self) -> None: ...

    def wait(self, timeout_s: float) -> bool:
        """Until it is set, or the time is over; whether it was set. Then it is not."""

    def close(self) -> None:
        """Nobody waits for it any more. Safe to call twice."""


class ThreadWaker:
    """For true threads, and for greenlets where the standard library is patched."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        was_set = self._event.wait(timeout_s)
        self._event.clear()
        return was_set

    def close(self) -> None:
        """Nothing to free."""


class TaskDriver:
    """Delivers in a background task of its own, which `spawn` starts when the first viewer has come.

    `tidy` is called there too, every few seconds.
    """

    def __init__(
        self,
        hub: Hub,
        spawn: Callable[[Callable[[], None]], object],
        new_waker: Callable[[], Waker],
        tidy: Callable[[], None] | None = None,
    ) -> None:
        self._hub = hub
        self._tidy = tidy
        self._soon: deque[Callable[[], None]] = deque()
        self._told: deque[Callable[[], None]] = deque()
        self._spawn = spawn
        self._new_waker = new_waker
        self._lock = threading.Lock()
        self._waker: Waker | None = None
        self._pid = 0
        self._heal_at = 0.0
        hub.driven_by(self)

    def start(self) -> None:
        """Safe to call again; a forked child starts anew."""
        if self._waker is not None and self._pid == os.getpid():
            return
        with self._lock:
            if self._waker is not None and self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._waker = waker = self._new_waker()
            self._heal_at = time.monotonic() + HEAL_S
        self._spawn(lambda: self._run(waker))

    def stop(self) -> None:
        waker, self._waker = self._waker, None
        if waker is not None:
            waker.set()
            self._hub.close()

    def wake(self) -> None:
        waker = self._waker
        if waker is not None:
            waker.set()

    def heal_soon(self) -> None:
        self._heal_at = 0.0
        self.wake()

    def later(self, work: Callable[[], None]) -> None:
        """Do it in the background task, soon."""
        self._soon.append(work)
        self.wake()

    def settle(self, sleep: Callable[[float], object], within_s: float = 1.0) -> None:
        """Wait until what is due now has been delivered. `sleep` is that of the async mode."""
        if self._waker is None:
            return
        told: list[bool] = []
        self._told.append(lambda: told.append(True))
        self.wake()
        until = time.monotonic() + within_s
        while not told and time.monotonic() < until:
            sleep(0.001)

    def background(self, work: Callable[[], None]) -> None:
        # This task may block; but first the round comes to its end, and others may want the same.
        self.later(work)

    def _run(self, waker: Waker) -> None:
        while self._waker is waker:
            try:
                asked = len(self._told)
                delay = self._turn()
                while asked and self._soon:
                    delay = self._turn()  # What they wait for has to be read first.
                for _ in range(asked):
                    self._told.popleft()()
            except Exception:
                log.exception("viewers could not be told")
                delay = 1.0
            now = time.monotonic()
            if now >= self._heal_at:
                self._heal_at = math.inf
                _logged(self._hub.heal)
                if self._tidy is not None:
                    _logged(self._tidy)
                healed_at = time.monotonic()
                if self._heal_at:  # Else it has been asked for meanwhile.
                    self._heal_at = healed_at + pause_after(healed_at - now, is_stale=self._hub.is_stale)
                continue
            waker.wait(min(self._heal_at - now, HEAL_S if delay is None else delay))
        waker.close()

    def _turn(self) -> float | None:
        for _ in range(len(self._soon)):
            _logged(self._soon.popleft())
        return self._hub.deliver(TURN_S)


def spawn_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="headway-web", daemon=True).start()


def pause_after(took_s: float, *, is_stale: bool) -> float:
    """How long until the next healing, when this one took so long. Soon, where it could not reach the store."""
    return HEAL_S if is_stale else min(max(HEAL_S, HEAL_SHARE * took_s), HEAL_AT_MOST_S)


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("background work failed")


def _raise_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("healing failed", exc_info=task.exception())

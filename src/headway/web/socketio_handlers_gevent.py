"""A waker for greenlets that true OS threads may set, whether the standard library is patched or not."""

from __future__ import annotations

import gevent
from gevent.event import Event


class GeventWaker:
    """Made and waited for on the thread of gevent's hub; an async watcher is what libev lets other threads use."""

    def __init__(self) -> None:
        self._is_closed = False
        self._event = Event()
        self._watcher = gevent.get_hub().loop.async_(ref=False)
        self._watcher.start(self._event.set)

    def set(self) -> None:
        if not self._is_closed:
            self._watcher.send()

    def wait(self, timeout_s: float) -> bool:
        was_set: bool = self._event.wait(timeout_s)
        self._event.clear()
        return was_set

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._watcher.stop()
        self._watcher.close()

"""A TCP address that leads to one port now and to another later, as a proxy before a primary and its replica does."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from tests.chaos.proxy import Proxy


class Switch:
    """Forwards `port` to `target_port`, in a thread of its own. A context manager."""

    def __init__(self, target_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="switch")
        self._proxy = Proxy(target_port)

    @property
    def port(self) -> int:
        return self._proxy.port

    def lead_to(self, target_port: int) -> None:
        """From now on; what is connected is cut."""

        async def leading() -> None:
            self._proxy.lead_to(target_port)
            self._proxy.cut_all()

        asyncio.run_coroutine_threadsafe(leading(), self._loop).result(10)

    def lead_nowhere(self) -> None:
        self.lead_to(1)  # Nobody listens there.

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

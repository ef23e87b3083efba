"""The parent's side of proxy.py: answers child processes' calls on a store that lives here."""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Lock, Thread

from headway.model.errors import HeadwayError, StoreError
from headway.model.ports import Store
from headway.model.task import Task
from headway.stores.forks import at_fork
from headway.stores.proxy_channel import KEY_BYTES, Channel

METHODS = (
    "epoch", "create", "get", "get_many", "swap", "swap_many", "list", "delete", "delete_task", "read_log",
    "large_result", "renew", "leases", "drop_lease", "held",
)  # fmt: skip

_log = logging.getLogger(__name__)


class StoreServer:
    """Serves `store` to those who know `address` and `key`, from construction to `close`. A thread a connection.

    The address is in a folder that only this user may enter.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = tempfile.mkdtemp(prefix="headway-")
        self.address = str(Path(self._folder) / "store")
        self.key = secrets.token_bytes(KEY_BYTES)
        self._lock = Lock()
        self._channels: set[Channel] | None = set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.address)
        self._listener.listen(64)
        self._start(self._accept)
        at_fork(in_child=self._forget)

    def close(self) -> None:
        """End all connections. Safe to call twice. The store stays open."""
        with self._lock:
            channels, self._channels = self._channels, None
        if channels is None:
            return
        # Wakes the thread in `accept`, which closing alone would not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for channel in channels:
            channel.hang_up()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _forget(self) -> None:
        """A forked child answers nobody: whoever called would wait for ever."""
        self._listener.close()
        for channel in self._channels or ():
            channel.forget()
        self._channels = None

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, Channel(connected))

    def _serve(self, channel: Channel) -> None:
        with self._lock:
            if self._channels is None:
                channel.hang_up()
                return
            self._channels.add(channel)
        try:
            if channel.is_trusted(self.key):
                self._answer(channel)
        except (OSError, EOFError):
            pass  # The child has ended, or this server has.
        except Exception:  # noqa: BLE001 - a thread's boundary
            _log.exception("serving the store to a child process failed")
        finally:
            with self._lock:
                if self._channels is not None:
                    self._channels.discard(channel)
            channel.hang_up()

    def _answer(self, channel: Channel) -> None:
        while True:
            method, args, kwargs = channel.receive()
            if method == "subscribe":
                _Subscription(channel, self._store).run()
                return
            try:
                if method not in METHODS:
                    raise StoreError(f"a store has no {method!r} to be called from another process")
                answer = (True, getattr(self._store, method)(*args, **kwargs))
            except HeadwayError as error:
                answer = (False, error)
            except Exception as error:  # noqa: BLE001 - the child is told, too
                _log.exception("a child's call of %s failed", method)
                answer = (False, StoreError(f"{type(error).__name__}: {error}"))
            channel.send(answer)

    def _start(self, target: object, *args: object) -> None:
        Thread(target=target, args=args, name="headway-store-server", daemon=True).start()  # type: ignore[arg-type]


class _Subscription:
    """Sends one child what is stored, the newest of each task: a slow child makes no queue grow."""

    def __init__(self, channel: Channel, store: Store) -> None:
        self._channel = channel
        self._store = store
        self._changed = Condition(Lock())
        self._pending: dict[str, Task] = {}
        self._was_reset = False

    def run(self) -> None:
        end = self._store.subscribe(self._on_change, self._on_reset)
        try:
            self._channel.send("subscribed")
            while True:
                with self._changed:
                    # Now and then an empty one, to notice that the child has ended.
                    self._changed.wait_for(lambda: self._pending or self._was_reset, 5.0)
                    tasks, self._pending = list(self._pending.values()), {}
                    was_reset, self._was_reset = self._was_reset, False
                self._channel.send((tasks, was_reset))
        finally:
            end()

    def _on_change(self, tasks: Sequence[Task]) -> None:
        with self._changed:
            self._pending.update((task.task_id, task) for task in tasks)
            self._changed.notify()

    def _on_reset(self) -> None:
        with self._changed:
            self._was_reset = True
            self._changed.notify()

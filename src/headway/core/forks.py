"""What a forked child must do before it uses what it inherited: locks may be held by threads that it does not have."""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod


def in_child(restart: Callable[[], None]) -> None:
    """Call this bound method in each forked child, for as long as its object lives."""
    # The registration can't be taken back, so it must not keep the object alive.
    method = WeakMethod(restart)
    os.register_at_fork(after_in_child=lambda: call_if_alive(method))


def call_if_alive(method: WeakMethod[Callable[[], None]]) -> None:
    alive = method()
    if alive is not None:
        alive()

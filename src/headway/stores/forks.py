"""Stores in a process that forks: nothing of the parent's may be used, or even closed, by its child."""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod


def at_fork(
    *,
    in_child: Callable[[], None],
    before: Callable[[], None] | None = None,
    in_parent: Callable[[], None] | None = None,
) -> None:
    """Call these bound methods around each fork of this process, for as long as their object lives."""
    hooks = {"before": before, "after_in_parent": in_parent, "after_in_child": in_child}
    os.register_at_fork(**{name: _while_alive(hook) for name, hook in hooks.items() if hook is not None})


def _while_alive(method: Callable[[], None]) -> Callable[[], None]:
    # The registration can't be taken back, so it must not keep the store alive.
    reference = WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call

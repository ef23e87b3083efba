"""Which steps of a reporter are open, and in which one of them a new step begins."""

from __future__ import annotations

from contextvars import ContextVar
from threading import get_ident

# By context, not by thread: asyncio tasks that take turns in one thread are in steps of their own.
_entered: ContextVar[tuple[tuple[object, str], ...]] = ContextVar("headway_open_steps", default=())


class OpenSteps:
    """The open steps of one reporter, in the order in which they were opened, over all threads."""

    def __init__(self) -> None:
        self._all: list[str] = []
        self._main: list[str] = []
        self._owner = get_ident()
        self._key = object()
        """Stands for the reporter in contexts, which may outlive it."""

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def newest(self) -> str | None:
        return self._all[-1] if self._all else None

    @property
    def enclosing(self) -> str | None:
        """The step that a step opened here and now is a part of.

        The innermost one open in this asyncio task or thread; in a helper thread that has none, the innermost one of
        the thread that has made the reporter: the helper works for it.
        """
        for key, name in reversed(_entered.get()):
            if key is self._key and name in self._all:
                return name
        return self._main[-1] if self._main and get_ident() != self._owner else None

    def enter(self, name: str) -> None:
        self._all.append(name)
        if get_ident() == self._owner:
            self._main.append(name)
        _entered.set((*_entered.get(), (self._key, name)))

    def leave(self, name: str) -> None:
        # Not simply the last: threads may be in steps of their own. And not by a token: a generator may be closed in
        # another context than it was begun in.
        _drop(self._all, name)
        _drop(self._main, name)
        entered = list(_entered.get())
        _drop(entered, (self._key, name))
        _entered.set(tuple(entered))


def _drop(names: list[str] | list[tuple[object, str]], name: object) -> None:
    for i in range(len(names) - 1, -1, -1):
        if names[i] == name:
            del names[i]
            return

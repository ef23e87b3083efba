"""Pages that test after test is given as if they were new: a fresh one costs more than what many a test does on it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What stays with a page or its context for good. Whoever does one of these has had it to itself.
OF_PAGE = ("add_init_script", "expose_binding", "expose_function", "route_web_socket")
OF_CONTEXT = ("add_init_script", "grant_permissions", "new_cdp_session", "new_page", "route_web_socket")
# What is taken back when it was done, of a page or of its context.
TAKEN_BACK = ("emulate_media", "route", "set_offline", "set_viewport_size")
# How a page is looked at, if its context has no options that say otherwise.
LOOK: dict[str, Any] = {
    "color_scheme": "light", "contrast": "no-preference", "forced_colors": "none", "reduced_motion": "no-preference",
    "media": "null",
}  # fmt: skip

_idle: defaultdict[tuple[Browser, str], list[_KeptPage]] = defaultdict(list)


@contextmanager
def lent_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page of a context with these options, without cookies. After a failure nobody else gets it.

    Until it opens an address, it may still do what it was left with, and has what is stored for its origin: see
    `leave_nothing`.
    """
    idle = _idle[browser, json.dumps(options, sort_keys=True)]
    kept = idle.pop() if idle else _KeptPage(browser, options)
    try:
        yield kept.page
        kept.forget()
        if not kept.is_spent:
            idle.append(kept)
    finally:
        if kept not in idle:
            kept.page.context.close()


def leave_nothing(page: Page) -> None:
    """What it has stored for the origin that it shows."""
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")


def close_lent_pages(browser: Browser) -> None:
    for key in [key for key in _idle if key[0] is browser]:
        for kept in _idle.pop(key):
            kept.page.context.close()


class _KeptPage:
    """One page of a context of its own, until something is done to it that can't be taken back."""

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        self.is_spent = False
        self._options = options
        self._changed: set[str] = set()
        self._listeners: list[tuple[str, Callable[..., Any]]] = []
        self.page = page = browser.new_context(**options).new_page()
        page.on("crash", self._spend)
        page.on("close", self._spend)
        for name in OF_PAGE:
            _note(page, name, self._spend)
        for owner, name in [(owner, name) for owner in (page, page.context) for name in TAKEN_BACK]:
            if hasattr(owner, name):
                _note(owner, name, partial(self._change, name))
        for name in OF_CONTEXT:
            _note(page.context, name, self._spend)
        _note(page.clock, "install", self._spend)
        _note(page, "on", lambda event, listener: self._listeners.append((event, listener)))

    def forget(self) -> None:
        if not self.is_spent:
            for event, listener in self._listeners:
                self.page.remove_listener(event, listener)
            self._listeners = []
            self.page.context.clear_cookies()
            if "set_viewport_size" in self._changed:
                self.page.set_viewport_size(self._options["viewport"])
            if "emulate_media" in self._changed:
                self.page.emulate_media(**{name: self._options.get(name, usual) for name, usual in LOOK.items()})
            if "route" in self._changed:
                self.page.unroute_all(behavior="ignoreErrors")
                self.page.context.unroute_all(behavior="ignoreErrors")
            if "set_offline" in self._changed:
                self.page.context.set_offline(False)
            self._changed.clear()

    def _change(self, name: str, *_: object, **__: object) -> None:
        self._changed.add(name)
        self.is_spent |= name == "set_viewport_size" and "viewport" not in self._options

    def _spend(self, *_: object, **__: object) -> None:
        self.is_spent = True


def _note(owner: object, name: str, note: Callable[..., None]) -> None:
    call = getattr(owner, name)

    def noted(*args: Any, **options: Any) -> Any:
        note(*args, **options)
        return call(*args, **options)

    setattr(owner, name, noted)

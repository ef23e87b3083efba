"""A Chromium of a test's own, spoken to by its DevTools protocol alone.

Playwright keeps every page active and in front: under it no tab is ever hidden, and none can be frozen.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import urllib.request
from types import TracebackType
from typing import Any, Self

import websocket

from tests.conftest import CHROMIUM_FLAGS
from tests.helpers import eventually, find_chromium


class OwnChromium:
    """The browser, with one blank tab in front. A context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        own = ["--remote-debugging-port=0", f"--user-data-dir={self._folder.name}"]
        self._process = subprocess.Popen(
            [find_chromium(), "--headless", *sandbox, *CHROMIUM_FLAGS, *own, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("DevTools listening on ws://"):
                self._address = line.removeprefix("DevTools listening on ws://").partition("/")[0]
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=20)
        self._folder.cleanup()

    def new_tab(self) -> Tab:
        """In front of the others."""
        tab = Tab(self._ask("new?about:blank", "PUT"), self)
        tab.bring_to_front()
        return tab

    def activate(self, tab_id: str) -> None:
        self._ask(f"activate/{tab_id}")

    def close_tab(self, tab_id: str) -> None:
        self._ask(f"close/{tab_id}")

    def sleep(self) -> None:
        """As on a laptop whose lid is closed: nothing of it runs any more."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def _ask(self, what: str, method: str = "GET") -> Any:
        asked = urllib.request.Request(f"http://{self._address}/json/{what}", method=method)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text


class Tab:
    def __init__(self, target: dict[str, Any], browser: OwnChromium) -> None:
        self._id = target["id"]
        self._browser = browser
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=20, suppress_origin=True)
        self._last = 0
        self.ask("Page.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self._socket.recv())
            if heard.get("id") == self._last:
                assert "error" not in heard, heard
                return heard["result"]

    def evaluate(self, script: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        eventually(
            lambda: self.evaluate(f"document.readyState === 'complete' && location.href === {json.dumps(url)}"),
            saying=f"{url} is open",
        )

    def bring_to_front(self) -> None:
        self._browser.activate(self._id)
        eventually(lambda: self.evaluate("document.visibilityState") == "visible")

    def freeze(self) -> None:
        """It must be hidden."""
        self.ask("Page.setWebLifecycleState", state="frozen")

    def thaw(self) -> None:
        self.ask("Page.setWebLifecycleState", state="active")

    def close(self) -> None:
        self._socket.close()
        self._browser.close_tab(self._id)

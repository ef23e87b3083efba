"""A Headway server as a source of tasks: its HTTP API and event streams, with the standard library's client."""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast
from urllib.parse import urlencode, urlsplit

from headway import __version__
from headway.cli.event_stream import events
from headway.cli.exits import FAILED, UNREACHABLE, CommandFailed
from headway.cli.sources import News, Watch
from headway.model import limits
from headway.model.errors import TaskNotFound
from headway.model.task import FINAL, State
from headway.web.wire import LogLinePayload, TaskPayload

ANSWER_WITHIN_S = 20.0
# A stream says that it is still there every 15 s.
STREAM_QUIET_S = 45.0
RETRY_S = (0.5, 1.0, 2.0, 4.0)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Server:
    """A server at `base_url`. A token comes from HEADWAY_TOKEN: a command's arguments can be seen by other users."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._token = os.environ.get("HEADWAY_TOKEN", "").strip()
        url = urlsplit(base_url)
        is_local = url.hostname in LOOPBACK
        if self._token and url.scheme == "http" and not is_local:
            print("headway: the token travels unencrypted over http; https would hide it", file=sys.stderr)
        # A proxy from the environment has no way to this machine's own loopback.
        proxies = [urllib.request.ProxyHandler({})] if is_local else []
        self._opener = urllib.request.build_opener(_NoRedirects, *proxies)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self._opener.close()

    def tasks(self, state: State | None, limit: int) -> Iterator[TaskPayload]:
        cursor: str | None = None
        while limit > 0:
            query = {"limit": str(min(limit, limits.PAGE))}
            if state is not None:
                query["state"] = state
            if cursor is not None:
                query["cursor"] = cursor
            page = self._json(f"/api/tasks?{urlencode(query)}")
            yield from page["tasks"]
            limit -= len(page["tasks"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def task(self, task_id: str) -> TaskPayload:
        return cast("TaskPayload", self._json(f"/api/tasks/{task_id}", task_id=task_id))

    @contextmanager
    def watch(self, task_id: str, *, log: bool) -> Iterator[Watch]:
        self.task(task_id)  # Says now whether there is such a task, and such a server.
        watch = _ServerWatch(self, task_id, log=log)
        try:
            yield watch
        finally:
            watch.close()

    def cancel(self, task_id: str, reason: str | None) -> bool:
        body = json.dumps({} if reason is None else {"reason": reason}).encode()
        try:
            self._json(f"/api/tasks/{task_id}/cancel", task_id=task_id, body=body)
        except Refused as error:
            if error.code == "not_cancellable":
                return False
            raise
        return True

    def open(
        self, path: str, *, headers: dict[str, str] | None = None, body: bytes | None = None, timeout_s: float
    ) -> http.client.HTTPResponse:
        """The open answer. Raises `Refused`, and `CommandFailed` when the server can't be reached."""
        request = urllib.request.Request(self._base_url + path, data=body, headers=dict(headers or {}))
        request.add_header("User-Agent", f"headway/{__version__}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            return cast("http.client.HTTPResponse", self._opener.open(request, timeout=timeout_s))
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self._base_url) from None
        except (OSError, http.client.HTTPException) as error:
            raise CommandFailed(f"{self._base_url} can't be reached: {_reason(error)}", UNREACHABLE) from None

    def _json(self, path: str, *, task_id: str = "", body: bytes | None = None) -> Any:  # Any: decoded JSON
        try:
            with self.open(path, body=body, timeout_s=ANSWER_WITHIN_S) as answer:
                return json.load(answer)
        except Refused as error:
            if error.code == "task_not_found":
                raise TaskNotFound(task_id) from None
            raise
        except (OSError, http.client.HTTPException) as error:
            raise CommandFailed(f"{self._base_url} broke off: {_reason(error)}", UNREACHABLE) from None
        except ValueError:
            raise CommandFailed(f"{self._base_url} does not answer as a Headway server does") from None


class Refused(CommandFailed):
    """The server answered with an error; `code` is the wire's, or '' where it was not in our form."""

    def __init__(self, sentence: str, code: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence, exit_code)
        self.code = code


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token is for the server that was named, and a redirected POST would become a GET."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # Any: as the base class has it
        return None


class _ServerWatch:
    """Follows an event stream on a thread of its own, and opens it again where it had broken off."""

    def __init__(self, server: Server, task_id: str, *, log: bool) -> None:
        self._server = server
        self._task_id = task_id
        self._log = log
        self._lock = threading.Condition()
        self._is_new = False
        self._task: TaskPayload | None = None
        self._lines: list[LogLinePayload] = []
        self._trouble = ""
        self._failure: Exception | None = None
        self._last_event_id = ""
        self._end: TaskPayload | None = None
        """The final state, held back until the log that belongs before it has come."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="headway-events", daemon=True)
        self._thread.start()

    def news(self, timeout_s: float) -> News:
        with self._lock:
            self._lock.wait_for(lambda: self._is_new, timeout_s)
            self._is_new = False
            lines, self._lines = tuple(self._lines), []
            if self._failure is not None and not lines:
                raise self._failure
            return News(self._task, lines, self._trouble)

    def close(self) -> None:
        # The thread may wait in a read, which nothing can end from here; it is a daemon and touches nothing of ours.
        self._closed.set()

    def _follow(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                received = self._read_stream()
            except Refused as error:
                if error.code == "task_not_found":
                    self._tell(failure=TaskNotFound(self._task_id))
                    return
                if error.exit_code != UNREACHABLE:
                    self._tell(failure=error)
                    return
                received, trouble = False, str(error)
            except CommandFailed as error:
                received, trouble = False, str(error)
            except (ValueError, KeyError, TypeError) as error:
                # Whatever came was no event stream of ours.
                self._tell(failure=CommandFailed(f"the server's events can't be read: {error}"))
                return
            else:
                trouble = "the connection was lost"
            if self._task is not None and self._task["state"] in FINAL:
                return
            failures = 0 if received else failures + 1
            self._tell(trouble=f"{trouble}; trying again")
            pause = RETRY_S[min(failures, len(RETRY_S) - 1)]
            self._closed.wait(pause * random.uniform(0.7, 1.3))

    def _read_stream(self) -> bool:
        """Until it ends; whether anything came."""
        headers = {"Accept": "text/event-stream"}
        if self._last_event_id:
            headers["Last-Event-ID"] = self._last_event_id
        query = "?log_from=1" if self._log else ""
        path = f"/api/tasks/{self._task_id}/events{query}"
        received = False
        with self._server.open(path, headers=headers, timeout_s=STREAM_QUIET_S) as answer:
            if answer.status == 204:
                self._tell(task=self._server.task(self._task_id))
                return True
            try:
                for event in events(cast("IO[bytes]", answer)):
                    received = True
                    if self._closed.is_set():
                        break
                    self._last_event_id = event.id or self._last_event_id
                    data = json.loads(event.data)
                    if event.name == "progress" and self._log and data["state"] in FINAL:
                        self._end = cast("TaskPayload", data)
                    elif event.name == "progress":
                        self._tell(task=cast("TaskPayload", data))
                    elif event.name == "log":
                        self._tell(lines=cast("list[LogLinePayload]", data["lines"]))
            except (OSError, http.client.HTTPException):
                return received  # Broken off: the caller opens it again, from the last event on.
        if self._end is not None:
            self._tell(task=self._end)
        return received

    def _tell(
        self,
        *,
        task: TaskPayload | None = None,
        lines: list[LogLinePayload] | None = None,
        trouble: str = "",
        failure: Exception | None = None,
    ) -> None:
        with self._lock:
            self._task = task or self._task
            self._lines.extend(lines or ())
            self._trouble = trouble
            self._failure = failure
            self._is_new = True
            self._lock.notify_all()


def _refusal(error: urllib.error.HTTPError, base_url: str) -> Refused:
    if 300 <= error.code < 400:
        return Refused(f"{base_url} answers with a redirect to {error.headers.get('Location')}: name that instead", "")
    try:
        told = json.loads(error.read(65_536))["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        unreachable = UNREACHABLE if error.code in (502, 503, 504) else FAILED
        return Refused(f"{base_url} answered {error.code} {error.reason}", "", unreachable)
    return Refused(f"{base_url} says: {message} ({code})", code, UNREACHABLE if code == "unavailable" else FAILED)


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return text or type(reason).__name__

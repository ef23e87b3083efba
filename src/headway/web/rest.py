"""The HTTP API, free of any server: a `Request` in, a `Response` out. docs/reference/http.md.

The gateway and the Flask blueprint serve it; event streams are theirs, by way of sse.py.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from headway import __version__
from headway.model import limits
from headway.model.errors import HeadwayError, InvalidValue, NoResult
from headway.model.ports import Order, TaskQuery
from headway.model.task import LIFE_CYCLE, State, Task
from headway.web import headers, sse, wire
from headway.web.json_text import from_json, to_json
from headway.web.logs import fitting
from headway.web.metrics import metrics_text
from headway.web.origins import Origins
from headway.web.protocol import Protocol
from headway.web.request import Request, from_loopback
from headway.web.wire import WireError

log = logging.getLogger(__name__)

LOG_LINES = 1_000
LOG_CHARS = 1024 * 1024

STATUS_OF_CODE = {
    "invalid_request": 400,
    "not_allowed": 403,
    "cross_origin": 403,
    "task_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_cancellable": 409,
    "not_retryable": 409,
    "no_result": 409,
    "task_exists": 409,
    "too_large": 413,
    "rate_limited": 429,
    "queue_full": 503,
    "unavailable": 503,
}

Owner = Callable[[Request], str | None]
Operator = Callable[[Request], bool]

_TASK = r"/api/tasks/(?P<task_id>[^/]+)"
_EVENTS = re.compile(_TASK + "/events")


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer. `headers` holds all but the content's length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Api:
    """Everything under /api/tasks, /healthz and /metrics.

    `owner` names whose tasks a caller may list; `operator` says who may list all, and read the metrics (by default who
    asks from this very machine may read the metrics, and nobody list all).
    """

    def __init__(
        self, protocol: Protocol, origins: Origins, *, owner: Owner | None = None, operator: Operator | None = None
    ) -> None:
        self.protocol = protocol
        self.origins = origins
        self._manager = protocol.manager
        self._owner = owner
        self._operator = operator
        self._routes: tuple[tuple[str, re.Pattern[str], Callable[[Request, str], Response]], ...] = (
            ("GET", re.compile(_TASK), self._task),
            ("GET", re.compile(r"/api/tasks/?"), self._tasks),
            ("POST", re.compile(_TASK + "/cancel"), self._cancel),
            ("POST", re.compile(_TASK + "/retry"), self._retry),
            ("GET", re.compile(_TASK + "/result"), self._result),
            ("GET", re.compile(_TASK + "/log"), self._log),
            ("GET", _EVENTS, self._events),
            ("GET", re.compile("/healthz"), self._health),
            ("GET", re.compile("/metrics"), self._metrics),
        )

    def serves(self, path: str) -> bool:
        """Whether the path (below the mount) is one of the API's."""
        return path in ("/healthz", "/metrics", "/api/tasks") or path.startswith("/api/tasks/")

    def stream_of(self, request: Request) -> str | None:
        """The task whose event stream is asked for, which `handle` does not answer."""
        match = _EVENTS.fullmatch(request.path)
        return match["task_id"] if match is not None and request.method == "GET" else None

    def handle(self, request: Request) -> Response:
        """May block; never raises."""
        try:
            return self._with_cors(request, self._handle(request))
        except HeadwayError as error:
            return self.refusal(request, error)
        except Exception:
            log.exception("%s %s could not be answered", request.method, request.path)
            return self.refusal(request, WireError("internal", "something went wrong here; the server's log says what"))

    def refusal(self, request: Request, error: HeadwayError) -> Response:
        """An error as JSON, with the fitting status."""
        return self._with_cors(request, _refusal(error))

    def cors_headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        """For a page of another, listed origin."""
        origin = request.origin
        if origin is None or self.origins.is_own(request) or not self.origins.is_listed(request):
            return ()
        return headers.cors(origin)

    def _with_cors(self, request: Request, response: Response) -> Response:
        extra = self.cors_headers(request)
        return replace(response, headers=response.headers + extra) if extra else response

    def _handle(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            listed = self.origins.is_listed(request)
            return Response(204, headers=headers.PREFLIGHT if listed else (("Allow", "GET, HEAD, POST, OPTIONS"),))
        method = "GET" if request.method == "HEAD" else request.method
        found = [
            (verb, match, answer) for verb, path, answer in self._routes if (match := path.fullmatch(request.path))
        ]
        for verb, match, answer in found:
            if verb == method:
                if verb == "POST":
                    self.origins.check(request)
                return answer(request, limits.task_id(match["task_id"]) if "task_id" in match.re.groupindex else "")
        if found:
            takes = found[0][0]
            allow = ("Allow", "GET, HEAD" if takes == "GET" else takes)
            return _refusal(WireError("method_not_allowed", f"{request.path} takes {takes}"), (allow,))
        raise WireError("not_found", "there is nothing at this address")

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def _task(self, request: Request, task_id: str) -> Response:
        return self._with_actions(request, self.protocol.authorised(request, "read", task_id), 200)

    def _cancel(self, request: Request, task_id: str) -> Response:
        fields = _fields(request)
        self.protocol.cancel(request, task_id, wire.parse_reason(fields))
        return self._with_actions(request, self._manager.get_task(task_id), 202)

    def _retry(self, request: Request, task_id: str) -> Response:
        self.protocol.retry(request, task_id)
        return self._with_actions(request, self._manager.get_task(task_id), 202)

    def _result(self, request: Request, task_id: str) -> Response:
        task = self.protocol.authorised(request, "read", task_id)
        result = self._manager.get_result_json(task_id) if task.state == "completed" else None
        if result is None:
            raise NoResult(task_id)
        return _json(result)

    def _log(self, request: Request, task_id: str) -> Response:
        start = sse.parse_line(request.query.get("from"), "from")
        self.protocol.authorised(request, "read", task_id)
        page = self._manager.read_log(task_id, start or 1, LOG_LINES)
        shown: dict[str, object] = {"lines": wire.log_lines(fitting(page.lines, LOG_CHARS))}
        if page.truncated_before is not None:
            shown["truncated_before"] = page.truncated_before
        return _json(to_json(shown))

    def _events(self, request: Request, task_id: str) -> Response:
        """Only HEAD comes here: the stream itself is `stream_of`."""
        self.origins.check(request)
        self.protocol.authorised(request, "read", task_id)
        return Response(200, headers=(*sse.HEADERS, *headers.SECURITY))

    def _tasks(self, request: Request, task_id: str) -> Response:  # noqa: ARG002
        query = request.query
        owner = None
        if not self._is_operator(request):
            owner = self._owner(request) if self._owner is not None else None
            if owner is None:
                raise WireError("not_allowed", "listing tasks needs an owner")
        page = self._manager.query(
            TaskQuery(
                states=tuple(_state(name) for name in query.get("state", "").split(",") if name),
                owner=owner,
                search=limits.text(query["search"], "search", limits.NAME_CHARS) if query.get("search") else None,
                order=_order(query.get("order", "newest")),
                limit=_limit(query.get("limit")),
                cursor=query.get("cursor") or None,
            )
        )
        tasks = ",".join(self._payload(request, task) for task in page)
        return _json(f'{{"tasks":[{tasks}],"next_cursor":{to_json(page.next_cursor)}}}')

    def _with_actions(self, request: Request, task: Task, status: int) -> Response:
        actions = ", ".join(self.protocol.actions(request, task))
        return _json(self._payload(request, task), status, (("Headway-Actions", actions),))

    def _payload(self, request: Request, task: Task) -> str:
        server_time = self._manager.store.now() if task.server_time is None else task.server_time
        return wire.task_payload_json(task, server_time, request.mount)

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────────

    def _health(self, request: Request, task_id: str) -> Response:  # noqa: ARG002
        self._manager.store.get_many(("healthz",))
        return _json(to_json({"status": "ok", "version": __version__}))

    def _metrics(self, request: Request, task_id: str) -> Response:  # noqa: ARG002
        if not (from_loopback(request) if self._operator is None else self._is_operator(request)):
            raise WireError("not_allowed", "metrics are for operators")
        text = metrics_text(self.protocol)
        return Response(200, text.encode(), _headers("text/plain; version=0.0.4; charset=utf-8"))

    def _is_operator(self, request: Request) -> bool:
        return self._operator is not None and self._operator(request) is True


def _refusal(error: HeadwayError, extra: tuple[tuple[str, str], ...] = ()) -> Response:
    retry = (("Retry-After", "5"),) if error.code in ("unavailable", "queue_full", "rate_limited") else ()
    body = to_json({"error": wire.error_payload(error)})
    return _json(body, STATUS_OF_CODE.get(error.code, 500), (*retry, *extra))


def _json(text: str, status: int = 200, extra: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, text.encode(), _headers("application/json") + extra)


def _headers(content_type: str) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", content_type), ("Cache-Control", "no-store"), *headers.SECURITY)


def _fields(request: Request) -> dict[str, object]:
    if not request.body.strip():
        return {}
    fields = from_json(request.body, "body")
    if not isinstance(fields, dict):
        raise InvalidValue("body", "must be a JSON object")
    return fields


def _state(name: str) -> State:
    for state in LIFE_CYCLE:
        if state == name:
            return state
    raise InvalidValue("state", f"must be one of {', '.join(LIFE_CYCLE)}; several are parted by commas")


def _order(name: str) -> Order:
    match name:
        case "newest" | "longest" | "stuck":
            return name
    raise InvalidValue("order", "must be newest, longest or stuck")


def _limit(text: str | None) -> int:
    if not text:
        return 50
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise InvalidValue("limit", f"must be a whole number from 1 to {limits.PAGE}")
    return limits.whole(int(text), "limit", 1, limits.PAGE)

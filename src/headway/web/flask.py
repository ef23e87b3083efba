"""The HTTP API, event streams and static files as a blueprint for an existing Flask app.

    app.register_blueprint(blueprint(manager))

Viewers over Server-Sent Events take a thread of the WSGI server each; for many of them, mount a `Gateway`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import flask
from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from headway.core.progress_manager import ProgressManager
from headway.model.errors import HeadwayError
from headway.web import headers, sse
from headway.web.access import Access, HostRule, access_for
from headway.web.drivers import TaskDriver, ThreadWaker, Waker, spawn_thread
from headway.web.hub import Hub
from headway.web.origins import Origins
from headway.web.protocol import Protocol
from headway.web.rates import Bounds
from headway.web.request import Request, bearer
from headway.web.rest import Api, Operator, Owner, Response
from headway.web.static_files import PREFIX, StaticFiles
from headway.web.wire import WireError

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def blueprint(
    manager: ProgressManager,
    *,
    name: str = "headway",
    url_prefix: str | None = None,
    access: str | HostRule | Access | None = None,
    secrets: str | Sequence[str] | None = None,
    owner: Owner | None = None,
    operator: Operator | None = None,
    origins: Iterable[str] = (),
    static: bool = True,
    bounds: Bounds | None = None,
) -> Blueprint:
    """A blueprint with /api/tasks…, /healthz, /metrics and /static/ (exactly the shipped files). Starts nothing.

    The options are those of `Gateway`.
    """
    hub = Hub(manager)
    driver = TaskDriver(hub, spawn_thread, ThreadWaker)
    protocol = Protocol(manager, hub, access_for(manager.access, access, secrets), bounds=bounds)
    api = Api(protocol, Origins(origins), owner=owner, operator=operator)
    return HeadwayBlueprint(name, api, driver, ThreadWaker, url_prefix=url_prefix, static=static)


class HeadwayBlueprint(Blueprint):
    """Thin: requests and responses are translated, the `Api` answers."""

    def __init__(
        self,
        name: str,
        api: Api,
        driver: TaskDriver,
        new_waker: Callable[[], Waker],
        *,
        url_prefix: str | None = None,
        static: bool = True,
        operations: bool = True,
    ) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix)
        self._api = api
        self._driver = driver
        self._new_waker = new_waker
        self._prefix = ""
        self.record(self._note_prefix)
        paths = [
            "/api/tasks",
            "/api/tasks/",
            "/api/tasks/<path:rest>",
            *(["/healthz", "/metrics"] if operations else []),
        ]
        for path in paths:
            self._add(path, self._answer)
        if static:
            files = StaticFiles()
            # One rule for each file, so that the app's own /static/<path> goes on serving everything else.
            for file in files.names():
                self._add(PREFIX + file, _serving(files, file))

    def _add(self, path: str, view: Callable[..., flask.Response]) -> None:
        endpoint = path.replace(".", "_").replace("/", "_")
        self.add_url_rule(path, endpoint, view, methods=METHODS, provide_automatic_options=False, strict_slashes=False)

    def _note_prefix(self, state: BlueprintSetupState) -> None:
        self._prefix = (state.url_prefix or "").rstrip("/")

    def _answer(self, rest: str = "") -> flask.Response:  # noqa: ARG002
        request = self._request()
        try:
            request = self._request(_body(self._api.protocol.bounds.message_bytes))
        except HeadwayError as error:
            return _flask_response(self._api.refusal(request, error))
        hub = self._api.protocol.hub
        if not hub.mount and request.mount:
            hub.mount = request.mount
        task_id = self._api.stream_of(request)
        if task_id is not None:
            return self._stream(request, task_id)
        return _flask_response(self._api.handle(request))

    def _request(self, body: bytes = b"") -> Request:
        asked = flask.request
        by_name = {name.lower(): value for name, value in asked.headers.items()}
        return Request(
            method=asked.method,
            path=asked.path.removeprefix(self._prefix) or "/",
            query_string=asked.query_string.decode("latin-1"),
            headers=by_name,
            scheme=asked.scheme,
            remote=asked.remote_addr,
            mount=asked.script_root + self._prefix,
            body=body,
            token=bearer(by_name),
        )

    def _stream(self, request: Request, task_id: str) -> flask.Response:
        self._driver.start()
        waker = self._new_waker()
        try:
            self._api.origins.check(request)
            opened = sse.open_stream(self._api.protocol, request, task_id, waker.set)
        except HeadwayError as error:
            waker.close()
            return _flask_response(self._api.refusal(request, error))
        if opened is None:
            waker.close()
            return flask.Response(status=204, headers=list(headers.SECURITY))
        extra = (("Headway-Actions", opened.actions), *headers.SECURITY, *self._api.cors_headers(request))
        response = flask.Response(_chunks(opened, waker), headers=[*sse.HEADERS, *extra], direct_passthrough=True)
        # A generator that was never begun has no `finally`.
        response.call_on_close(opened.close)
        response.call_on_close(waker.close)
        return response


def _chunks(opened: sse.Opened, waker: Waker) -> Iterator[bytes]:
    yield sse.OPENING
    while True:
        has_ended = opened.has_ended()
        chunk = opened.stream.take()
        if chunk:
            yield chunk
        elif has_ended:
            return
        elif not waker.wait(sse.HEARTBEAT_S):
            yield sse.HEARTBEAT


def _body(limit: int) -> bytes:
    if flask.request.method in ("GET", "HEAD", "OPTIONS"):
        return b""
    if (flask.request.content_length or 0) > limit:
        raise WireError("too_large", f"the body must be up to {limit:,} bytes")
    body: bytes = flask.request.stream.read(limit + 1)
    if len(body) > limit:
        raise WireError("too_large", f"the body must be up to {limit:,} bytes")
    return body


def _serving(files: StaticFiles, name: str) -> Callable[..., flask.Response]:
    def view() -> flask.Response:
        asked = {key.lower(): value for key, value in flask.request.headers.items()}
        response = files.get(name, asked)
        if response is None or flask.request.method not in ("GET", "HEAD"):
            flask.abort(404 if response is None else 405)
        return _flask_response(response)

    return view


def _flask_response(response: Response) -> flask.Response:
    return flask.Response(response.body, response.status, list(response.headers))

"""A local server that speaks as much of OpenAI's chat completions API as the tests need, well and badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Script = Callable[["Answering"], None]


class Answering(BaseHTTPRequestHandler):
    """One request; the script says what is answered."""

    server: OpenAIServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append({"path": self.path, "headers": dict(self.headers), "body": json.loads(body)})
        try:
            self.server.script(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.was_left.set()

    def log_message(self, *_args: object) -> None:
        """The tests' output is no access log."""

    def status(self, code: int, kind: str = "application/json", **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def event(self, data: object) -> None:
        self.write(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n")


class OpenAIServer(ThreadingHTTPServer):
    """A context manager; `base_url` is what goes into OPENAI_BASE_URL."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.script = script
        self.requests: list[dict[str, Any]] = []
        self.was_left = threading.Event()  # the client closed before the answer was complete
        self.go_on = threading.Event()  # for scripts that wait for the test
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.go_on.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def delta(content: str | None = None, *, finish: str | None = None, **more: object) -> dict[str, object]:
    """A chunk of a stream."""
    piece = {key: value for key, value in {"content": content, **more}.items() if value is not None}
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": piece, "finish_reason": finish}]}


def streaming(pieces: Iterable[str], *, finish: str | None = "stop", done: bool = True) -> Script:
    """The pieces as a well-behaved service sends them."""

    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream; charset=utf-8")
        answer.write(": a comment, to keep the line open\n\n")
        answer.event(delta("", role="assistant"))
        for piece in pieces:
            answer.event(delta(piece))
        if finish:
            answer.event(delta(finish=finish))
        answer.event({"choices": [], "usage": {"total_tokens": 7}})
        if done:
            answer.event("[DONE]")

    return script

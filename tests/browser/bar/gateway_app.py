"""The real gateway, with the bar's pages beside it: `uvicorn tests.browser.bar.gateway_app:app`, HEADWAY_STORE set."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from headway import ProgressManager
from headway.web.gateway import Gateway

PAGES = Path(__file__).parent
PORT = os.environ["HEADWAY_PORT"]
GATEWAY = f"http://127.0.0.1:{PORT}"
# The same server under another name is another site to a browser; its pages bring the bar from here.
ELSEWHERE = f"http://localhost:{PORT}"
REST = "img-src 'self' data:; object-src 'none'; base-uri 'none'"
CSP = f"default-src 'self'; {REST}"
CSP_ELSEWHERE = f"default-src 'self' {GATEWAY} ws://127.0.0.1:{PORT}; {REST}"


def pages(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = PAGES / environ["PATH_INFO"].removeprefix("/bar/")
    if not path.is_file():
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no such page"]
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "text/plain"
    policy = CSP_ELSEWHERE if path.name == "embed.html" else CSP
    start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Security-Policy", policy)])
    return [path.read_bytes().replace(b"{gateway}", GATEWAY.encode())]


app = Gateway(ProgressManager(), app=pages, origins=[ELSEWHERE])

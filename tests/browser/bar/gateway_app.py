"""The real gateway, with the bar's pages beside it: `uvicorn tests.browser.bar.gateway_app:app`, HEADWAY_STORE set."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from headway import ProgressManager
from headway.web.gateway import Gateway

PAGES = Path(__file__).parent
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"


def pages(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = PAGES / environ["PATH_INFO"].removeprefix("/bar/")
    if not path.is_file():
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no such page"]
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "text/plain"
    start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Security-Policy", CSP)])
    return [path.read_bytes()]


app = Gateway(ProgressManager(), app=pages)

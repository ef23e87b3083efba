"""The shipped files under /static/: scripts, styles, the test page. Only files that are there may be asked for."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path

from headway.web import headers
from headway.web.rest import Response

ROOT = Path(__file__).resolve().parent.parent / "static"
PREFIX = "/static/"
_SOURCES = "js/progress/"
# Nothing here is secret, and another site's page may load modules only where it says so.
_ANYBODY = ("Access-Control-Allow-Origin", "*")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".map": "application/json", ".ts": "text/plain"}


class StaticFiles:
    """Files below a folder, by their path as in a URL. What names no shipped file is None, whatever it spells."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root

    def names(self) -> Iterator[str]:
        """As in `js/progress.js`; sources are not served."""
        for path in sorted(self._root.rglob("*")):
            name = path.relative_to(self._root).as_posix()
            if path.is_file() and not name.startswith(_SOURCES) and not path.name.startswith("."):
                yield name

    def get(self, name: str, request_headers: Mapping[str, str]) -> Response | None:
        """The file, or 304 where the caller has it. Reads the disk."""
        if name.startswith(_SOURCES) or any(part in ("", ".", "..") or part[0] == "." for part in name.split("/")):
            return None
        if "\\" in name or "\0" in name:
            return None
        try:
            body = (self._root / name).read_bytes()
        except OSError:
            return None
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        shared = (("ETag", etag), ("Cache-Control", "no-cache"), _ANYBODY, *headers.SECURITY)
        if etag in request_headers.get("if-none-match", ""):
            return Response(304, headers=shared)
        return Response(200, body, (("Content-Type", _type_of(name)), *shared))


def _type_of(name: str) -> str:
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

"""Shipped files, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.web.headers import CONTENT_SECURITY_POLICY
from headway.web.static_files import StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    for name in ("js/progress.js", "js/progress/index.js", "css/progress.css", "page.html", ".hidden", "a.bin"):
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    (tmp_path / "secret.txt").write_text("secret")
    return StaticFiles(tmp_path / "static")


def test_files_come_with_their_type_and_the_security_headers(files: StaticFiles) -> None:
    types = {}
    for name in files.names():
        response = files.get(name, {})
        assert response is not None
        headers = dict(response.headers)
        types[name] = headers["Content-Type"]
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"

    assert types == {
        "a.bin": "application/octet-stream",
        "css/progress.css": "text/css; charset=utf-8",
        "js/progress.js": "text/javascript; charset=utf-8",
        "page.html": "text/html; charset=utf-8",
    }


NO_FILES = ["", ".", "..", "../secret.txt", "js/../../secret.txt", "/etc/passwd", ".hidden", "js", "nope.js"]
STRANGE = ["js//progress.js", "js/progress/index.js", "page.html\0", "..\\secret.txt", "x" * 5_000]


@pytest.mark.parametrize("name", [*NO_FILES, *STRANGE])
def test_what_is_no_shipped_file_is_not_there(files: StaticFiles, name: str) -> None:
    assert files.get(name, {}) is None


def test_what_the_caller_has_is_not_sent_again(files: StaticFiles) -> None:
    first = files.get("page.html", {})
    assert first is not None

    again = files.get("page.html", {"if-none-match": dict(first.headers)["ETag"]})

    assert again is not None
    assert (again.status, again.body) == (304, b"")

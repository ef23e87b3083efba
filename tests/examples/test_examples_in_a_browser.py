"""The examples' pages, and the bar on a page of another site, as a person meets them."""

from __future__ import annotations

import functools
import http.server
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway import ProgressManager
from tests.docs.pages import blocks
from tests.examples.watching import Held
from tests.helpers import ROOT, ServerProcess, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent
WAIT_MS = 30_000


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"HEADWAY_STORE": f"sqlite:///{tmp_path / 'tasks.db'}"}


def test_the_flask_socketio_page_shows_cancels_retries_and_outlives_a_reload(
    page: Page, tmp_path: Path, settings: dict[str, str]
) -> None:
    port, held = free_port(), Held(tmp_path)
    app, settings = EXAMPLES / "flask_socketio" / "app.py", settings | held.env | {"PORT": str(port)}
    with ServerProcess.python(app, cwd=tmp_path, env=settings, port=port, ready="/") as server:
        page.goto(server.url)
        page.click("#import")
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        page.reload()
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name="Cancel").click()
        held.go_on()
        page.locator("[data-look=cancelled]").wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name=re.compile("again|retry", re.IGNORECASE)).click()
        page.locator("[data-look=completed]").wait_for(timeout=WAIT_MS)


def test_the_fastapi_page_shows_a_report_to_its_end(page: Page, tmp_path: Path, settings: dict[str, str]) -> None:
    command = (BIN / "uvicorn", "app:app", "--app-dir", EXAMPLES / "fastapi_app", "--port", "{port}")
    held = Held(tmp_path)
    with ServerProcess(*command, cwd=tmp_path, env=settings | held.env, ready="/live/healthz") as server:
        page.goto(server.url)
        page.click("#write")
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        page.reload()
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        held.go_on()
        page.locator("[data-look=completed]").wait_for(timeout=WAIT_MS)


def test_the_django_page_outlives_a_reload_and_cancels(page: Page, tmp_path: Path, settings: dict[str, str]) -> None:
    command = (BIN / "uvicorn", "app:application", "--app-dir", EXAMPLES / "django_app", "--port", "{port}")
    held = Held(tmp_path)
    with ServerProcess(*command, cwd=tmp_path, env=settings | held.env, ready="/live/healthz") as server:
        page.goto(server.url)
        page.click("#start")
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        page.reload()
        page.get_by_role("button", name="Cancel").click()
        held.go_on()
        page.locator("[data-look=cancelled]").wait_for(timeout=WAIT_MS)


def test_the_tutorials_page_works_as_it_is_told(page: Page, tmp_path: Path, settings: dict[str, str]) -> None:
    port = free_port()
    for block in blocks("docs/tutorial.md"):
        if block.option("file"):
            path = tmp_path / str(block.option("file"))
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.code.replace("port=5000", f"port={port}"), "utf-8")
    with ServerProcess.python("shop.py", cwd=tmp_path, env=settings, port=port, ready="/") as server:
        page.goto(server.url)
        page.click("#import")
        page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
        page.reload()
        page.locator("[data-look=completed]").wait_for(timeout=WAIT_MS)


def test_a_page_of_a_listed_site_shows_a_task_of_the_gateways(
    page: Page, tmp_path: Path, settings: dict[str, str]
) -> None:
    """docs/howto/embed-in-another-site.md, and csp.md for the policy of the page."""
    with site(tmp_path) as (files, origin):
        gateway = (BIN / "headway", "gateway", "--port", "{port}", "--origin", origin)
        with (
            ServerProcess(*gateway, cwd=tmp_path, env=settings) as server,
            ProgressManager(store=settings["HEADWAY_STORE"]) as manager,
        ):
            task_id = manager.create_task("Import", total=2)
            write_page(files, server.url, task_id)
            page.goto(f"{origin}/index.html")
            page.locator("[data-look=waiting]").wait_for(timeout=WAIT_MS)
            manager.update_progress(task_id, completed=1)
            page.locator("[data-look=running]").wait_for(timeout=WAIT_MS)
            page.get_by_role("button", name="Cancel").click()
            page.locator("[data-look=cancelled]").wait_for(timeout=WAIT_MS)

            assert page.evaluate("bar.state.transport") == "websocket"


def test_a_page_of_a_site_that_is_not_listed_sees_nothing(page: Page, tmp_path: Path, settings: dict[str, str]) -> None:
    with site(tmp_path) as (files, origin):
        gateway = (BIN / "headway", "gateway", "--port", "{port}", "--origin", "https://app.example.org")
        with (
            ServerProcess(*gateway, cwd=tmp_path, env=settings) as server,
            ProgressManager(store=settings["HEADWAY_STORE"]) as manager,
        ):
            task_id = manager.create_task("Secret import")
            write_page(files, server.url, task_id)
            page.goto(f"{origin}/index.html")
            page.locator("body[data-refused]").wait_for(timeout=WAIT_MS)

            assert page.evaluate("bar.state.task") is None
            assert "Secret import" not in page.content()


def write_page(files: Path, gateway: str, task_id: str) -> None:
    """The blocks of the how-to, with the addresses of this test."""
    (html,) = blocks("docs/howto/embed-in-another-site.md", "html")
    (script,) = blocks("docs/howto/embed-in-another-site.md", "js")
    policy = (
        f"default-src 'self' {gateway}; connect-src 'self' {gateway} {gateway.replace('http', 'ws')}; object-src 'none'"
    )
    code = script.code.replace("https://live.example.org", gateway).replace("task-123", task_id)
    (files / "shop.js").write_text(
        f"{code}\nwindow.bar = bar;\n"
        "for (const event of ['error', 'disconnect', 'reconnecting']) {\n"
        "  bar.on(event, () => { document.body.dataset.refused = 'yes'; });\n}\n"
    )
    (files / "index.html").write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"></head><body>'
        + html.code.replace("https://live.example.org", gateway)
        + "</body></html>"
    )


@contextmanager
def site(folder: Path) -> Iterator[tuple[Path, str]]:
    """A web server for files, of another origin than the gateway's."""
    files = folder / "site"
    files.mkdir()
    handler = functools.partial(_Quiet, directory=str(files))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            # By another name, so that it is another site and not only another port.
            yield files, f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass

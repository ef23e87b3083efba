"""What the tests of the demo's pages share: a demo of their own in an empty folder, and eyes on the page."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error

from tests.helpers import ROOT, ServerProcess
from tests.kept_pages import leave_nothing, lent_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

# Told in other ways: a server that is away, and answers, which are looked at by themselves.
HARMLESS = re.compile(r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to|Failed to load resource")

REFUSED = re.compile(r"the server responded with a status of (\d+)")

# Where nobody watches the copy being typed, it need not take ten seconds.
AT_ONCE = {"HEADWAY_DEMO_PAUSE_MS": "1"}


def demo_server(folder: Path, **env: str) -> ServerProcess:
    """`python web_app.py`, with its store in `folder`."""
    return ServerProcess.python(ROOT / "web_app.py", cwd=folder, env=env)


def post_json(url: str, body: Mapping[str, Any], cookie: str = "") -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "Cookie": cookie}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        made: dict[str, Any] = json.load(answer)
        return made


@contextmanager
def visit(browser: Browser, *, quiet: bool = True, but: str = "nothing", **options: Any) -> Iterator[Page]:
    """A page as if of a new visitor. Exceptions, and if `quiet` complaints in the console and answers that say no,
    `but` for those that match, fail the test.
    """
    usual = {"locale": "en-GB", "viewport": {"width": 1024, "height": 640}, "reduced_motion": "reduce"}
    wrong: list[str] = []
    with lent_page(browser, **(usual | options)) as page:
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))
        page.on("console", lambda message: wrong.extend(_complaints(message)))
        yield page
        _go_away(page)
    if quiet:
        assert [one for one in wrong if not re.search(but, one)] == []


def _complaints(message: ConsoleMessage) -> Iterator[str]:
    """Chromium tells here of answers that say no, too: to listen to every answer costs a fifth of opening a page."""
    if message.type == "error":
        if refused := REFUSED.search(message.text):
            yield f"{refused[1]} {message.location['url']}"
        elif not HARMLESS.search(message.text):
            yield message.text


def _go_away(page: Page) -> None:
    """To where nothing runs any more, and with nothing left behind: a page keeps what was typed when it is left."""
    address = urllib.parse.urlsplit(page.url)
    with suppress(Error):  # Its server may be away: nobody else is lent that page then.
        page.goto(f"{address.scheme}://{address.netloc}/static/css/pages.css")
        leave_nothing(page)
        return
    page.context.close()


# What only fades or slides in is not looked at half-way. What turns for ever does not settle.
SETTLED = """() => document.getAnimations().every((animation) =>
    animation.playState !== 'running' || animation.effect.getTiming().iterations === Infinity)"""
# Whatever else axe tells would be sent through two processes to be thrown away; nothing here plays sound or film.
AXE_RUN = """async ([within, only]) => {
    const options = { resultTypes: ['violations'], preload: false };
    if (only.length) options.runOnly = { type: 'rule', values: only };
    const { violations } = await axe.run(document.querySelector(within), options);
    return violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`));
}"""


# What a page must be looked at for once more when nothing but its colours has changed.
OF_COLOR = ("color-contrast", "link-in-text-block")


def axe_violations(page: Page, *, within: str = "html", only: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds wrong, best practices included: by all its rules, or `only` by these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
    page.wait_for_function(SETTLED)
    found: list[str] = page.evaluate(AXE_RUN, [within, only])
    return found


def is_fine(page: Page, *, only: tuple[str, ...] = ()) -> bool:
    """It fits and axe finds nothing: to be waited for, as styles and what comes late settle a moment later."""
    found = (axe_violations(page, only=only), sideways_overflow(page))
    assert found == ([], 0), found
    return True


def sideways_overflow(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider

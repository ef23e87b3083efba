"""A link that is shared: the task, its log and its result for who has it, and nothing that changes anything."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.demo import AT_ONCE, demo_server, is_fine, visit
from tests.helpers import ServerProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG_MS = 60_000
CLIPBOARD = ["clipboard-read", "clipboard-write"]
# The operator, who is whoever comes from this machine, needs no link: nobody is that behind a proxy.
STRANGER = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    env = {"HEADWAY_ACCESS": "signed", "HEADWAY_SECRET": "a-secret-for-tests-only-0123456789"}
    with demo_server(tmp_path_factory.mktemp("signed"), **env, **AT_ONCE) as server:
        yield server


def link_of(page: Page, demo: ServerProcess, task_id: str) -> str:
    page.goto(f"{demo.url}/tasks/{task_id}")
    page.get_by_role("button", name="Copy a read-only link").click()

    def copied() -> str:
        text: str = page.evaluate("navigator.clipboard.readText()")
        return text if f"/tasks/{task_id}#token=" in text else ""

    # Not for the word that says so: it goes by itself, and a busy machine may look too late. The clipboard is the
    # browser's, and holds what an earlier test has copied.
    return eventually(copied, saying="the link is copied")


def test_a_read_only_link_shows_the_task_to_others_and_lets_them_do_nothing(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser, permissions=CLIPBOARD) as page:
        page.goto(demo.url + "/static/test-websocket-progress.html")
        page.locator("#outcome").select_option("hang")
        page.locator("#start").click()
        expect(page.locator("#joined li")).to_have_attribute("data-state", "running")
        task_id = page.locator("#task-id").input_value()
        link = link_of(page, demo, task_id)
        expect(page.locator("#progress-container").get_by_role("button", name="Cancel")).to_be_visible()

    with visit(browser, quiet=False, extra_http_headers=STRANGER) as stranger:
        stranger.goto(f"{demo.url}/tasks/{task_id}")
        expect(stranger.locator("[role=alert]")).to_contain_text("no such task")
        expect(stranger.get_by_role("button", name="Copy a read-only link")).to_have_count(0)
        stranger.goto("about:blank")
        stranger.goto(link)

        expect(stranger.locator("#task-badge")).to_have_text("Running")
        assert "token" not in stranger.url
        expect(stranger.locator("#attempts li")).to_have_count(1)
        expect(stranger.locator("#progress-container [role=log]")).to_contain_text("test task")
        expect(stranger.get_by_role("button", name="Cancel")).to_have_count(0)
        expect(stranger.get_by_role("button", name="Copy a read-only link")).to_have_count(0)

        stranger.reload()
        expect(stranger.locator("#task-badge")).to_have_text("Running")
        expect(stranger.get_by_role("button", name="Cancel")).to_have_count(0)


def test_who_has_the_link_to_a_post_sees_its_pictures_and_can_take_them_along(
    browser: Browser, demo: ServerProcess
) -> None:
    with visit(browser, permissions=CLIPBOARD) as page:
        page.goto(demo.url)
        page.locator("#topic").fill("老北京胡同")
        page.locator("#cards").fill("2")
        page.locator("#make").click()
        expect(page.locator("#stage")).to_have_attribute("data-state", "completed", timeout=LONG_MS)
        expect(page.locator(".reel img")).to_have_count(2)
        task_id = page.evaluate("location.hash.slice(2)")
        link = link_of(page, demo, task_id)
        # The owner's own page of it, with nothing but a cookie for the pictures.
        all_shown(page)
        expect(page.get_by_role("link", name="Open in the studio")).to_be_visible()

    token = link.partition("#token=")[2]
    asked: list[str] = []
    with visit(browser, extra_http_headers=STRANGER, accept_downloads=True) as stranger:
        stranger.on("request", lambda request: asked.append(request.url))
        stranger.goto(link)

        all_shown(stranger)
        expect(stranger.locator("#result .post-title")).not_to_be_empty()
        expect(stranger.get_by_role("link", name="Open in the studio")).to_have_count(0)
        expect(stranger.get_by_role("button", name=re.compile("Delete|Another|Retry"))).to_have_count(0)
        with stranger.expect_download() as started:
            stranger.get_by_role("link", name="All as zip").click()
        with zipfile.ZipFile(started.value.path()) as archive:
            assert [name for name in archive.namelist() if name.endswith(".png")] == ["card-01.png", "card-02.png"]
        eventually(lambda: is_fine(stranger), saying="it fits, and axe finds nothing")
        assert any("/posts/" in url for url in asked)
        assert not [url for url in asked if token in url]

    with visit(browser, quiet=False, extra_http_headers=STRANGER) as nobody:
        nobody.goto(demo.url)
        fetched = "path => fetch(path).then(answer => answer.status)"
        assert nobody.evaluate(fetched, f"/posts/{task_id}/card-01.png") == 404
        # A token is for one task: it opens no other's pictures, and is no key to its owner's list.
        with_token = "([path, token]) => fetch(path, {headers: {Authorization: `Bearer ${token}`}}).then(a => a.status)"
        assert nobody.evaluate(with_token, [f"/posts/{task_id}/card-01.png", token]) == 200
        assert nobody.evaluate(with_token, [f"/posts/{'A' * 22}/card-01.png", token]) == 404
        assert nobody.evaluate(with_token, [f"/api/share/{task_id}", token]) in (404, 405)
        deleting = """([path, token]) => fetch(path, {method: 'DELETE', headers: {Authorization: `Bearer ${token}`}})
            .then(answer => answer.status)"""
        assert nobody.evaluate(deleting, [f"/api/posts/{task_id}", token]) == 404


def all_shown(page: Page) -> None:
    page.wait_for_function(
        """() => {
            const pictures = [...document.querySelectorAll('#result .reel img')];
            return pictures.length === 2 && pictures.every(picture => picture.naturalWidth === 1242);
        }""",
        timeout=LONG_MS,
    )

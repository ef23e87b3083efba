"""The demo's own HTTP API, as a program uses it: the real server, real HTTP."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.browser.demo import AT_ONCE, demo_server
from tests.helpers import ServerProcess, eventually

TRIAL: dict[str, Any] = {"seconds": 0.2, "updates": 5, "outcome": "complete"}
FINAL = ("completed", "failed", "cancelled")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("demo-api"), **AT_ONCE) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def ended(http: requests.Session, url: str, timeout: float = 60) -> dict[str, Any]:
    def end() -> dict[str, Any] | None:
        task: dict[str, Any] = http.get(url, timeout=10).json()
        return task if task["state"] in FINAL else None

    task = eventually(end, timeout)
    assert task is not None
    return task


@pytest.fixture(scope="module")
def post(demo: ServerProcess) -> tuple[requests.cookies.RequestsCookieJar, dict[str, Any]]:
    """A finished post of one visitor: their cookies, and the task."""
    with requests.Session() as http:
        made = http.post(demo.url + "/api/generate_content", json={"input_text": "老北京胡同", "cards": 2, "seed": 5})
        assert made.status_code == 202
        return http.cookies, ended(http, demo.url + made.json()["status_url"])


def test_a_post_is_made_of_words_and_pictures(post: tuple[Any, dict[str, Any]], demo: ServerProcess) -> None:
    cookies, task = post

    assert task["state"] == "completed"
    assert [stage["name"] for stage in task["stages"]] == ["title", "text", "tags", "pictures", "layout"]
    result = task["result"]
    assert result["topic"] == "老北京胡同"
    assert result["generator"]["offline"] is True
    assert result["seed"] == 5
    assert result["title"]
    assert result["text"]
    assert result["tags"]
    assert len(result["cards"]) == 2
    for card in result["cards"]:
        for name in (card["file"], card["thumb"]):
            answer = requests.get(f"{demo.url}/posts/{task['task_id']}/{name}", cookies=cookies, timeout=10)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("image/")
            assert "private" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_all_of_a_post_comes_in_one_file(post: tuple[Any, dict[str, Any]], demo: ServerProcess) -> None:
    cookies, task = post

    url = f"{demo.url}/posts/{task['task_id']}/{task['result']['archive']}"

    answer = requests.get(url, cookies=cookies, timeout=10)

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["post.txt", *(card["file"] for card in task["result"]["cards"])]


@pytest.mark.parametrize(
    "name", ["x.png", "../headway.db", "..%2f..%2fheadway.db", "%2e%2e/headway.db", "1.png%00", "headway.db", ".png"]
)
def test_only_pictures_of_the_post_are_served(post: tuple[Any, dict[str, Any]], demo: ServerProcess, name: str) -> None:
    cookies, task = post

    answer = requests.get(f"{demo.url}/posts/{task['task_id']}/{name}", cookies=cookies, timeout=10)

    assert answer.status_code == 404
    assert b"SQLite" not in answer.content


def test_the_history_is_the_visitors_own(post: tuple[Any, dict[str, Any]], demo: ServerProcess) -> None:
    cookies, task = post
    url = demo.url + "/api/posts"

    mine = requests.get(url, cookies=cookies, timeout=10).json()
    assert [one["task_id"] for one in mine["posts"]] == [task["task_id"]]
    assert mine["posts"][0]["title"] == task["result"]["title"]
    assert mine["posts"][0]["thumbs"] == [task["result"]["cards"][0]["thumb"]]
    assert requests.get(url, timeout=10).json()["posts"] == []
    assert requests.get(url, cookies=cookies, params={"q": "胡同"}, timeout=10).json()["posts"] != []
    assert requests.get(url, cookies=cookies, params={"q": "火星"}, timeout=10).json()["posts"] == []


def test_test_tasks_are_no_posts(demo: ServerProcess, http: requests.Session) -> None:
    http.post(demo.url + "/api/test_tasks", json=TRIAL)

    assert http.get(demo.url + "/api/posts").json()["posts"] == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("generate_content", {}, "input_text"),
        ("generate_content", {"input_text": ""}, "input_text"),
        ("generate_content", {"input_text": "字" * 2_001}, "input_text"),
        ("generate_content", {"input_text": "x", "cards": 25}, "cards"),
        ("generate_content", {"input_text": "x", "cards": True}, "cards"),
        ("generate_content", {"input_text": "x", "seed": 1.5}, "seed"),
        ("test_tasks", {**TRIAL, "seconds": 0}, "seconds"),
        ("test_tasks", {**TRIAL, "updates": 10_001}, "updates"),
        ("test_tasks", {**TRIAL, "outcome": "explode"}, "outcome"),
        ("test_tasks", {**TRIAL, "stages": ["Bad Name"]}, "stages"),
    ],
)
def test_a_bad_request_is_told_which_field_and_what_limit(
    demo: ServerProcess, http: requests.Session, path: str, body: dict[str, Any], field: str
) -> None:
    answer = http.post(f"{demo.url}/api/{path}", json=body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.keys() == {"code", "message"}
    assert error["code"] == "invalid_request"
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff", b"[" * 30_000])
def test_what_is_no_json_object_is_refused(demo: ServerProcess, http: requests.Session, raw: bytes) -> None:
    answer = http.post(demo.url + "/api/generate_content", data=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"


def test_unknown_fields_are_ignored(demo: ServerProcess, http: requests.Session) -> None:
    answer = http.post(demo.url + "/api/test_tasks", json={**TRIAL, "colour": "red"})

    assert answer.status_code == 202
    made = answer.json()
    assert made["status_url"] == f"/api/tasks/{made['task_id']}"
    assert made["cancel_url"] == f"/api/tasks/{made['task_id']}/cancel"
    assert ended(http, demo.url + made["status_url"])["state"] == "completed"


def test_a_body_over_64_kib_is_refused(demo: ServerProcess, http: requests.Session) -> None:
    body = json.dumps({"input_text": "x", "padding": "x" * 65_536}).encode()

    answer = http.post(demo.url + "/api/generate_content", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("outcome", "state", "code"),
    [("complete", "completed", None), ("fail", "failed", "test_failure"), ("crash", "failed", "worker_lost")],
)
def test_a_test_task_ends_as_asked(
    demo: ServerProcess, http: requests.Session, outcome: str, state: str, code: str | None
) -> None:
    body = {**TRIAL, "outcome": outcome, "stages": ["prepare", "render"]}

    task = ended(http, demo.url + http.post(demo.url + "/api/test_tasks", json=body).json()["status_url"])

    assert task["state"] == state
    assert (task["error"] or {}).get("code") == code
    # What does not end well ends in the middle.
    assert task["progress"] == 100 if outcome == "complete" else 50 < task["progress"] < 80
    assert http.get(demo.url + "/healthz").status_code == 200


def test_a_hanging_test_task_never_ends_by_itself_but_heeds_a_cancel(
    demo: ServerProcess, http: requests.Session
) -> None:
    made = http.post(demo.url + "/api/test_tasks", json={**TRIAL, "outcome": "hang", "updates": 10}).json()
    url = demo.url + made["status_url"]
    eventually(lambda: (http.get(url).json()["progress"] or 0) >= 50)
    assert http.get(url).json()["state"] == "running"

    assert http.post(demo.url + made["cancel_url"]).status_code == 202

    assert ended(http, url)["state"] == "cancelled"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/api/generate_content", "/api/test_tasks", "/api/chaos"])
def test_pages_of_other_sites_can_start_nothing(
    demo: ServerProcess, http: requests.Session, origin: str, path: str
) -> None:
    answer = http.post(demo.url + path, json={"input_text": "x", **TRIAL}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "cross_origin"


def test_the_pages_own_origin_may(demo: ServerProcess, http: requests.Session) -> None:
    answer = http.post(demo.url + "/api/test_tasks", json=TRIAL, headers={"Origin": demo.url})

    assert answer.status_code == 202


def test_a_post_under_way_is_not_deleted_and_a_finished_one_only_once(
    demo: ServerProcess, http: requests.Session
) -> None:
    made = http.post(demo.url + "/api/generate_content", json={"input_text": "delete me", "cards": 24}).json()
    url = f"{demo.url}/api/posts/{made['task_id']}"
    assert http.delete(url).status_code == 409

    http.post(demo.url + made["cancel_url"])
    ended(http, demo.url + made["status_url"])

    assert http.delete(url, headers={"Origin": "https://evil.example"}).status_code == 403
    assert http.delete(url).status_code == 204
    assert http.delete(url).status_code == 404
    assert http.get(demo.url + made["status_url"]).status_code == 404


def test_the_121st_post_in_a_minute_is_refused_and_says_when_to_come_back(tmp_path_factory: Any) -> None:
    # So slowly that none of them comes to its pictures.
    with demo_server(tmp_path_factory.mktemp("rate"), HEADWAY_DEMO_PAUSE_MS="1000") as server:
        answers = [
            # Of a new visitor each: it is the caller that is counted, not the cookie.
            requests.post(server.url + "/api/generate_content", json={"input_text": "x", "cards": 1}, timeout=10)
            for _ in range(121)
        ]
        assert {answer.status_code for answer in answers[:120]} == {202}
        assert answers[120].status_code == 429
        assert answers[120].json()["error"]["code"] == "rate_limited"
        assert 1 <= int(answers[120].headers["Retry-After"]) <= 60
        invalid = requests.post(server.url + "/api/generate_content", json={}, timeout=10)
        assert invalid.status_code == 400
        trial = requests.post(server.url + "/api/test_tasks", json=TRIAL, timeout=10)
        assert trial.status_code == 202


def test_errors_are_json_for_programs_and_a_page_for_people(demo: ServerProcess, http: requests.Session) -> None:
    assert http.get(demo.url + "/api/nothing").json()["error"]["code"] == "not_found"
    page = http.get(demo.url + "/nothing", headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert page.status_code == 404
    assert "这里什么也没有" in page.text
    refused = http.put(demo.url + "/api/generate_content")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize("path", ["/", "/tasks", "/tasks/x", "/nothing", "/static/test-websocket-progress.html"])
def test_every_page_carries_the_policy_and_no_inline_code(
    demo: ServerProcess, http: requests.Session, path: str
) -> None:
    answer = http.get(demo.url + path, headers={"Accept": "text/html"})

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://(?!www\.w3\.org)", answer.text)
    for link in re.findall(r'(?:src|href)="((?:/|css|js|img)[^"#?]*)', answer.text):
        url = requests.compat.urljoin(answer.url, link)
        assert http.get(url).status_code == 200, url


def test_the_session_cookie_is_for_this_site_and_not_for_scripts(demo: ServerProcess) -> None:
    cookie = requests.get(demo.url, timeout=10).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_session_cookie_of_a_page_behind_tls_is_never_sent_in_the_clear(demo: ServerProcess) -> None:
    behind_tls = {"X-Forwarded-Proto": "https"}  # As a proxy on this machine says it.

    assert "; Secure" in requests.get(demo.url, headers=behind_tls, timeout=10).headers["Set-Cookie"]
    assert "; Secure" not in requests.get(demo.url, timeout=10).headers["Set-Cookie"]


def test_a_forged_cookie_owns_nothing(post: tuple[Any, dict[str, Any]], demo: ServerProcess) -> None:
    cookies, _task = post
    forged = cookies.get("headway_session", "")[:-2] + "xx"

    answer = requests.get(demo.url + "/api/posts", cookies={"headway_session": forged}, timeout=10)

    assert answer.json()["posts"] == []

"""The HTTP API without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headway.model.errors import StoreUnavailable
from headway.web.access import HostAccess, SignedAccess
from headway.web.headers import CONTENT_SECURITY_POLICY
from headway.web.origins import Origins
from headway.web.request import Request
from headway.web.rest import Api, Response
from tests.unit.web.samples import World, world

SECRET = "a secret of enough characters"


def api_of(w: World, **options: Any) -> Api:
    return Api(w.protocol, Origins(options.pop("origins", ())), **options)


@pytest.fixture
def w() -> Iterator[World]:
    with world() as made:
        yield made


def get(api: Api, path: str, query: str = "", **options: Any) -> Response:
    return api.handle(Request(path=path, query_string=query, **options))


def post(api: Api, path: str, body: bytes = b"", **options: Any) -> Response:
    return api.handle(Request(method="POST", path=path, body=body, **options))


def said(response: Response) -> Any:
    return json.loads(response.body)


def code_of(response: Response) -> str:
    code: str = said(response)["error"]["code"]
    return code


def test_a_task_is_told_with_what_may_be_done(w: World) -> None:
    task_id = w.manager.create_task("名")

    response = get(api_of(w), f"/api/tasks/{task_id}")

    assert response.status == 200
    assert said(response)["task_id"] == task_id
    assert said(response)["name"] == "名"
    assert dict(response.headers)["Headway-Actions"] == "cancel"
    assert dict(response.headers)["Cache-Control"] == "no-store"
    assert dict(response.headers)["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_a_cancel_answers_with_the_task_and_a_second_one_with_a_conflict(w: World) -> None:
    api, task_id = api_of(w), w.manager.create_task()

    first = post(api, f"/api/tasks/{task_id}/cancel", '{"reason": "够了"}'.encode())
    second = post(api, f"/api/tasks/{task_id}/cancel")

    assert (first.status, said(first)["state"], said(first)["cancel_reason"]) == (202, "cancelled", "够了")
    assert (second.status, code_of(second)) == (409, "not_cancellable")


def test_a_retry_that_can_not_be_is_a_conflict(w: World) -> None:
    task_id = w.manager.create_task()

    assert code_of(post(api_of(w), f"/api/tasks/{task_id}/retry")) == "not_retryable"


def test_a_result_of_any_size_has_its_address(w: World) -> None:
    api, small, large, none = api_of(w), *(w.manager.create_task() for _ in range(3))
    assert code_of(get(api, f"/api/tasks/{small}/result")) == "no_result"
    w.manager.complete_task(small, [1])
    w.manager.complete_task(large, "x" * 20_000)
    w.manager.complete_task(none)

    assert said(get(api, f"/api/tasks/{small}/result")) == [1]
    task = said(get(api, f"/api/tasks/{large}", mount="/app"))
    assert (task["result"], task["result_url"]) == (None, f"/app/api/tasks/{large}/result")
    assert said(get(api, f"/api/tasks/{large}/result")) == "x" * 20_000
    assert get(api, f"/api/tasks/{none}/result").status == 409


def test_a_log_is_told_from_a_line(w: World) -> None:
    api, task_id = api_of(w), w.manager.create_task()
    for n in range(3):
        w.manager.add_log(task_id, f"{n}")

    assert [line["n"] for line in said(get(api, f"/api/tasks/{task_id}/log"))["lines"]] == [1, 2, 3]
    assert [line["n"] for line in said(get(api, f"/api/tasks/{task_id}/log", "from=3"))["lines"]] == [3]
    assert said(get(api, f"/api/tasks/{task_id}/log", "from=4")) == {"lines": []}
    assert code_of(get(api, f"/api/tasks/{task_id}/log", "from=x")) == "invalid_request"


def test_listing_needs_an_owner_and_gives_that_owners(w: World) -> None:
    mine = w.manager.create_task(owner="ann")
    other = w.manager.create_task(owner="bob")
    asked = {"path": "/api/tasks"}

    refused = get(api_of(w), **asked)
    anns = get(api_of(w, owner=lambda request: "ann"), **asked)
    nobodys = get(api_of(w, owner=lambda request: None), **asked)
    all_of_them = get(api_of(w, operator=lambda request: True), **asked)

    assert (refused.status, code_of(refused)) == (403, "not_allowed")
    assert nobodys.status == 403
    assert [task["task_id"] for task in said(anns)["tasks"]] == [mine]
    assert {task["task_id"] for task in said(all_of_them)["tasks"]} == {mine, other}


def test_a_list_has_pages_states_and_a_search(w: World) -> None:
    api = api_of(w, operator=lambda request: True)
    made = []
    for n in range(5):
        w.clock.advance(1)
        made.append(w.manager.create_task(f"task {n}"))
    w.manager.complete_task(made[2])

    first = said(get(api, "/api/tasks", "limit=3"))
    second = said(get(api, "/api/tasks", f"limit=3&cursor={first['next_cursor']}"))

    assert [task["task_id"] for task in first["tasks"] + second["tasks"]] == made[::-1]
    assert second["next_cursor"] is None
    assert [task["task_id"] for task in said(get(api, "/api/tasks", "state=completed,failed"))["tasks"]] == [made[2]]
    assert [task["task_id"] for task in said(get(api, "/api/tasks", "search=task+4"))["tasks"]] == [made[4]]
    assert len(said(get(api, "/api/tasks", "state=&limit=&cursor="))["tasks"]) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=1e3", "limit"),
        ("state=done", "state"),
        ("cursor=garbage%00", "cursor"),
        ("order=best", "order"),
        ("search=" + "x" * 201, "search"),
    ],
)
def test_a_bad_query_is_refused_by_the_name_of_its_field(w: World, query: str, field: str) -> None:
    response = get(api_of(w, operator=lambda request: True), "/api/tasks", query)

    assert response.status == 400
    assert said(response)["error"]["message"].startswith(field)


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"reason": 5}', b"NaN", b"[" * 60_000, b'"x"'])
def test_a_bad_body_is_refused_and_nothing_has_changed(w: World, body: bytes) -> None:
    task_id = w.manager.create_task()

    response = post(api_of(w), f"/api/tasks/{task_id}/cancel", body)

    assert (response.status, code_of(response)) == (400, "invalid_request")
    assert w.manager.get_task(task_id).state == "pending"


def test_the_head_of_an_event_stream_is_told_without_one(w: World) -> None:
    api, task_id = api_of(w), w.manager.create_task()

    found = get(api, f"/api/tasks/{task_id}/events", method="HEAD")
    missing = get(api, "/api/tasks/unknown/events", method="HEAD")
    foreign = get(api, f"/api/tasks/{task_id}/events", method="HEAD", headers={"origin": "null"})

    assert (found.status, found.body) == (200, b"")
    assert dict(found.headers)["Content-Type"].startswith("text/event-stream")
    assert (missing.status, foreign.status) == (404, 403)


def test_addresses_and_methods_that_are_not_there_are_told_as_json(w: World) -> None:
    api, task_id = api_of(w), w.manager.create_task()

    assert (get(api, "/api/tasks/a/b/c").status, code_of(get(api, "/api/tasks/a/b/c"))) == (404, "not_found")
    assert code_of(get(api, f"/api/tasks/{task_id}/cancel")) == "method_not_allowed"
    refused = post(api, f"/api/tasks/{task_id}")
    assert (refused.status, dict(refused.headers)["Allow"]) == (405, "GET, HEAD")
    assert dict(get(api, f"/api/tasks/{task_id}/cancel").headers)["Allow"] == "POST"
    assert code_of(get(api, "/api/tasks/%00")) == "invalid_request"
    assert code_of(get(api, "/api/tasks/unknown")) == "task_not_found"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/result"), ("GET", "/log"), ("POST", "/cancel"), ("POST", "/retry")]
)
def test_what_is_forbidden_is_answered_like_what_is_unknown(method: str, path: str) -> None:
    with world(HostAccess(lambda *_: False)) as w:
        api = api_of(w)
        forbidden_id, unknown_id = w.manager.create_task(task_id="a" * 22), "b" * 22

        forbidden = api.handle(Request(method=method, path=f"/api/tasks/{forbidden_id}{path}"))
        unknown = api.handle(Request(method=method, path=f"/api/tasks/{unknown_id}{path}"))

        assert forbidden.status == unknown.status == 404
        assert forbidden.body.replace(b"a" * 22, b"b" * 22) == unknown.body
        assert forbidden.headers == unknown.headers


def test_signed_access_asks_each_call_for_its_token() -> None:
    rule = SignedAccess(SECRET)
    with world(rule) as w:
        api, task_id = api_of(w), w.manager.create_task()
        reading, cancelling = rule.issue_token(task_id, ["read"]), rule.issue_token(task_id, ["cancel"])

        statuses = {
            (name, path or "task"): api.handle(
                Request(
                    method="POST" if path in ("/cancel", "/retry") else "GET",
                    path=f"/api/tasks/{task_id}{path}",
                    token=token,
                )
            ).status
            for path in ("", "/log", "/result", "/cancel", "/retry")
            for name, token in (("none", None), ("read", reading), ("cancel", cancelling))
        }

        assert [name for name, status in statuses.items() if status != 404] == [
            ("read", "task"),
            ("read", "/log"),
            ("read", "/result"),
            ("cancel", "/cancel"),
            ("cancel", "/retry"),
        ]


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "https://app.example.evil.net"])
def test_pages_of_other_sites_can_not_change_anything(w: World, origin: str) -> None:
    task_id = w.manager.create_task()
    headers = {"host": "app.example", "origin": origin}

    response = post(api_of(w), f"/api/tasks/{task_id}/cancel", headers=headers)

    assert (response.status, code_of(response)) == (403, "cross_origin")
    assert w.manager.get_task(task_id).state == "pending"
    assert "Access-Control-Allow-Origin" not in dict(get(api_of(w), f"/api/tasks/{task_id}", headers=headers).headers)


def test_pages_of_listed_sites_may_and_are_told_so(w: World) -> None:
    api, task_id = api_of(w, origins=["https://partner.example"]), w.manager.create_task()
    headers = {"host": "app.example", "origin": "https://partner.example"}

    asked = api.handle(Request(method="OPTIONS", path=f"/api/tasks/{task_id}/cancel", headers=headers))
    done = post(api, f"/api/tasks/{task_id}/cancel", headers=headers)

    assert asked.status == 204
    assert "Authorization" in dict(asked.headers)["Access-Control-Allow-Headers"]
    assert dict(done.headers)["Access-Control-Allow-Origin"] == "https://partner.example"
    assert done.status == 202


def test_metrics_are_for_this_machine_or_for_operators(w: World) -> None:
    here = Request(path="/metrics", remote="127.0.0.1", headers={"host": "localhost:8080"})
    there = Request(path="/metrics", remote="203.0.113.7", headers={"host": "app.example"})
    w.join(w.manager.create_task())

    assert b"headway_viewers 1\n" in api_of(w).handle(here).body
    assert api_of(w).handle(there).status == 403
    assert api_of(w, operator=lambda request: True).handle(there).status == 200
    assert api_of(w, operator=lambda request: False).handle(here).status == 403


def test_health_tells_whether_the_store_answers(w: World) -> None:
    def down(ids: object) -> object:
        raise StoreUnavailable("the disk is gone")

    assert said(get(api_of(w), "/healthz"))["status"] == "ok"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(w.manager.store, "get_many", down)
        response = get(api_of(w), "/healthz")

    assert (response.status, code_of(response)) == (503, "unavailable")
    assert dict(response.headers)["Retry-After"] == "5"


def test_what_nobody_expected_is_logged_and_told_without_its_words(w: World, caplog: pytest.LogCaptureFixture) -> None:
    def broken(task_id: str) -> object:
        raise RuntimeError("SELECT password")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(w.manager, "get_task", broken)
        response = get(api_of(w), "/api/tasks/abc")

    assert (response.status, code_of(response)) == (500, "internal")
    assert b"password" not in response.body
    assert "SELECT password" in caplog.text

"""Who may do what, by every road: action × scope × expiry × tampering × owner, over sockets, event streams and HTTP.

A refusal must read exactly like the answer for a task that isn't there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from headway import ProgressManager
from headway.testing import FakeClock
from headway.web.access import Scope, SignedAccess
from tests.helpers import ROOT, ServerProcess
from tests.integration.matrix_server import SECRETS, QuietRunner
from tests.integration.raw_sockets import RawClients, ask

UNKNOWN = "0123456789abcdefghijkl"
READ: tuple[Scope, ...] = ("read",)
CANCEL: tuple[Scope, ...] = ("cancel",)
BOTH: tuple[Scope, ...] = ("read", "cancel")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matrix") / "tasks.db"


def server_with(rule: str, store: Path) -> ServerProcess:
    script = ROOT / "tests/integration/matrix_server.py"
    return ServerProcess.python(
        "-W", "error", script, "{port}", f"sqlite:///{store}", rule, env={"PYTHONPATH": str(ROOT)}
    )


@pytest.fixture(scope="module")
def signed(store: Path) -> Iterator[ServerProcess]:
    with server_with("signed", store) as server:
        yield server
        assert "Traceback" not in server.log, server.log[-5000:]


@pytest.fixture(scope="module")
def hosted(store: Path) -> Iterator[ServerProcess]:
    with server_with("host", store) as server:
        yield server


@pytest.fixture
def manager(store: Path) -> Iterator[ProgressManager]:
    with ProgressManager(store=f"sqlite:///{store}") as opened:
        opened.register_runner(QuietRunner())
        yield opened


def new_task(manager: ProgressManager, owner: str = "ann") -> str:
    return manager.create_task(owner=owner, runner="quiet")


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────

newest, older = SignedAccess(SECRETS[0]), SignedAccess(SECRETS[1])
expired = SignedAccess(SECRETS[0], clock=FakeClock(time=1_000_000_000.0))


def with_scopes(token: str, scopes: list[str]) -> str:
    """The same signature under another content."""
    content, _, signature = token.rpartition(".")
    task_id, _, expiry = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    changed = json.dumps([task_id, scopes, expiry], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(changed).decode().rstrip("=") + "." + signature


Make = Callable[[str, str], str | None]
"""(this task, another task) → a token."""

TOKENS: dict[str, tuple[Make, tuple[Scope, ...]]] = {
    "to read": (lambda mine, other: newest.issue_token(mine, READ), READ),
    "to cancel": (lambda mine, other: newest.issue_token(mine, CANCEL), CANCEL),
    "for both": (lambda mine, other: newest.issue_token(mine, BOTH), BOTH),
    "for both, by the secret before": (lambda mine, other: older.issue_token(mine, BOTH), BOTH),
    "expired": (lambda mine, other: expired.issue_token(mine, BOTH), ()),
    "expired as it is issued": (lambda mine, other: newest.issue_token(mine, BOTH, ttl_s=0), ()),
    "by another secret": (lambda mine, other: SignedAccess("nobody knows this secret").issue_token(mine, BOTH), ()),
    "for another task": (lambda mine, other: newest.issue_token(other, BOTH), ()),
    "with more scopes than were signed": (
        lambda mine, other: with_scopes(newest.issue_token(mine, READ), ["read", "cancel"]),
        (),
    ),
    "with the signature of another": (
        lambda mine, other: (
            newest.issue_token(mine, BOTH).rpartition(".")[0] + "." + newest.issue_token(other, BOTH).rpartition(".")[2]
        ),
        (),
    ),
    "without its signature": (lambda mine, other: newest.issue_token(mine, BOTH).rpartition(".")[0], ()),
    "without its last character": (lambda mine, other: newest.issue_token(mine, BOTH)[:-1], ()),
    "that is empty": (lambda mine, other: "", ()),
    "that is no token": (lambda mine, other: "x" * 200, ()),
    "that is not there": (lambda mine, other: None, ()),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_opens_what_it_says_by_every_road(signed: ServerProcess, manager: ProgressManager, name: str) -> None:
    make, scopes = TOKENS[name]
    mine, other = new_task(manager), new_task(manager, "bob")
    token = make(mine, other)

    for action, scope in (("read", "read"), ("cancel", "cancel"), ("retry", "cancel")):
        for road in ROADS[action]:
            # Each call meets the task in the state in which it would succeed.
            bring_to(manager, mine, "pending" if action != "retry" else "cancelled")
            answer = road(signed, mine, token)
            if scope in scopes:
                assert answer.is_granted, (name, action, road.__name__, answer)
            else:
                assert not answer.is_granted, (name, action, road.__name__, answer)
                unknown = road(signed, UNKNOWN, token)
                assert answer.with_id_of(UNKNOWN) == unknown, (name, action, road.__name__)
                assert manager.get_task(mine).state == ("pending" if action != "retry" else "cancelled")
    assert not token or token not in signed.log


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        ("ann", {"read", "cancel", "retry"}),
        ("bob", set()),
        ("auditor", {"read"}),
        ("breaker", set()),
        ("", set()),
    ],
)
def test_the_hosts_own_rule_is_asked_by_every_road(
    hosted: ServerProcess, manager: ProgressManager, user: str, allowed: set[str]
) -> None:
    mine = new_task(manager, "ann")

    for action, roads in ROADS.items():
        for road in roads:
            bring_to(manager, mine, "pending" if action != "retry" else "cancelled")
            answer = road(hosted, mine, user)
            assert answer.is_granted is (action in allowed), (user, action, road.__name__, answer)
            if not answer.is_granted and user != "breaker":
                assert answer.with_id_of(UNKNOWN) == road(hosted, UNKNOWN, user)


@pytest.mark.parametrize(
    ("user", "sees"), [("ann", {"ann"}), ("bob", {"bob"}), ("operator", {"ann", "bob"}), ("", None)]
)
def test_a_list_holds_the_callers_own_tasks(
    signed: ServerProcess, manager: ProgressManager, user: str, sees: set[str] | None
) -> None:
    owners = {new_task(manager, owner): owner for owner in ("ann", "bob")}

    answer = requests.get(f"{signed.url}/api/tasks?limit=500", headers={"X-User": user} if user else {}, timeout=20)

    if sees is None:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    else:
        listed = {owners[task["task_id"]] for task in answer.json()["tasks"] if task["task_id"] in owners}
        assert listed == sees
        assert "owner" not in answer.text


def test_a_fresh_token_keeps_a_viewer_without_another_connection(
    signed: ServerProcess, manager: ProgressManager
) -> None:
    task_id = new_task(manager)
    with RawClients(signed) as clients:
        opened = clients.socket()
        first = ask(opened, "join", {"task_id": task_id, "token": newest.issue_token(task_id, READ, ttl_s=3600)})
        refused = ask(opened, "join", {"task_id": task_id, "token": expired.issue_token(task_id)})
        renewed = ask(opened, "join", {"task_id": task_id, "token": older.issue_token(task_id, BOTH)})

    assert first == {"ok": True, "actions": []}
    assert refused["error"]["code"] == "task_not_found"
    assert renewed == {"ok": True, "actions": ["cancel", "retry"]}


# ── roads ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Answer:
    """What a road has answered: whether it was granted, and all that a stranger could learn from it."""

    def __init__(self, is_granted: bool, told: str, task_id: str) -> None:
        self.is_granted = is_granted
        self.told = told
        self._task_id = task_id

    def with_id_of(self, task_id: str) -> Answer:
        return Answer(self.is_granted, self.told.replace(self._task_id, task_id), task_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answer) and (self.is_granted, self.told) == (other.is_granted, other.told)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{'granted' if self.is_granted else 'refused'}: {self.told[:300]}"


def by_socket(event: str) -> Callable[[ServerProcess, str, str | None], Answer]:
    def road(server: ServerProcess, task_id: str, token: str | None) -> Answer:
        with RawClients(server) as clients:
            shown: dict[str, Any] = {} if token is None else {"token": token}
            answer = ask(clients.socket(), event, {"task_id": task_id} | shown)
        return Answer(answer["ok"], json.dumps(answer), task_id)

    road.__name__ = f"{event} by socket"
    return road


def by_http(method: str, path: str) -> Callable[[ServerProcess, str, str | None], Answer]:
    def road(server: ServerProcess, task_id: str, token: str | None) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = server.url + path.format(task_id)
        with requests.request(method, url, headers=headers, timeout=20, stream=True) as answer:
            granted = answer.status_code < 400
            told = "" if granted else f"{answer.status_code} {sorted(answer.headers)} {answer.text}"
        return Answer(granted, told, task_id)

    road.__name__ = f"{method} {path}"
    return road


ROADS = {
    "read": [
        by_socket("join"),
        by_http("GET", "/api/tasks/{}"),
        by_http("GET", "/api/tasks/{}/log"),
        by_http("GET", "/api/tasks/{}/events"),
    ],
    "cancel": [by_socket("cancel_task"), by_http("POST", "/api/tasks/{}/cancel")],
    "retry": [by_socket("retry_task"), by_http("POST", "/api/tasks/{}/retry")],
}


def bring_to(manager: ProgressManager, task_id: str, state: str) -> None:
    while (now := manager.get_task(task_id).state) != state:
        if now == "pending":
            manager.cancel_task(task_id)
        else:
            manager.retry_task(task_id)

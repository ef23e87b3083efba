"""Rules: capability, signed, a callable of the host application."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product

import pytest

from headway.model.errors import InvalidValue
from headway.model.task import Task
from headway.testing import FakeClock
from headway.web.access import (
    CapabilityAccess,
    HostAccess,
    Scope,
    SignedAccess,
    TaskAction,
    access_for,
    access_rule,
)
from headway.web.request import Request

SECRET = "a secret of enough characters"
ACTIONS: tuple[TaskAction, ...] = ("read", "cancel", "retry")
TASK = Task(task_id="task-1", created_at=1.0, owner="ann")


def asking(token: str | None) -> Request:
    return Request(token=token)


def test_with_capability_who_knows_the_id_may_do_everything() -> None:
    rule = CapabilityAccess()

    assert all(
        rule.admits(asking(None), action, "task-1") and rule.allows(asking(None), action, TASK) for action in ACTIONS
    )


SCOPES: tuple[tuple[Scope, ...], ...] = (("read",), ("cancel",), ("read", "cancel"))
TAMPERED: dict[str, Callable[[str], str]] = {
    "as it is": lambda token: token,
    "cut": lambda token: token[:-1],
    "changed": lambda token: ("A" if token[0] != "A" else "B") + token[1:],
    "signature of another": lambda token: (
        token.rpartition(".")[0] + "." + SignedAccess("another secret of mine").issue_token("task-1").rpartition(".")[2]
    ),
    "none": lambda token: "",
    "garbage": lambda token: "é" * 40,
}


@pytest.mark.parametrize(("action", "scopes", "tampered"), [*product(ACTIONS, SCOPES, TAMPERED)])
@pytest.mark.parametrize("task_id", ["task-1", "task-2"])
@pytest.mark.parametrize("age_s", [0, 59, 61])
def test_a_signed_token_grants_what_it_says_and_nothing_else(
    action: TaskAction, scopes: tuple[Scope, ...], tampered: str, task_id: str, age_s: int
) -> None:
    clock = FakeClock()
    rule = SignedAccess(SECRET, clock)
    token = TAMPERED[tampered](rule.issue_token("task-1", scopes, ttl_s=60))
    clock.advance(age_s)

    admitted = rule.admits(asking(token), action, task_id)

    is_granted = ("cancel" if action == "retry" else action) in scopes
    assert admitted == (is_granted and tampered == "as it is" and task_id == "task-1" and age_s < 60)


def test_keys_rotate_without_breaking_what_was_issued() -> None:
    clock = FakeClock()
    old = SignedAccess("the old secret, long enough", clock)
    both = SignedAccess(["the new secret, long enough", "the old secret, long enough"], clock)
    new = SignedAccess("the new secret, long enough", clock)

    assert both.admits(asking(old.issue_token("t")), "read", "t")
    assert both.admits(asking(both.issue_token("t")), "read", "t")
    assert new.admits(asking(both.issue_token("t")), "read", "t")
    assert not new.admits(asking(old.issue_token("t")), "read", "t")
    assert not old.admits(asking(both.issue_token("t")), "read", "t")


def test_a_token_of_another_kind_signed_with_the_same_secret_is_refused() -> None:
    from itsdangerous import URLSafeSerializer

    for value in ("owner", ["t"], ["t", None, 9e9], {"t": 1}, ["t", ["read"], "later"]):
        other = URLSafeSerializer(SECRET, salt="headway.token.1").dumps(value)
        foreign = URLSafeSerializer(SECRET, salt="session").dumps(["t", ["read"], 9e9])
        assert not SignedAccess(SECRET).admits(asking(other), "read", "t")
        assert not SignedAccess(SECRET).admits(asking(foreign), "read", "t")


@pytest.mark.parametrize("scopes", [(), ("write",), ("read", "all")])
def test_a_token_with_scopes_that_do_not_exist_is_not_issued(scopes: tuple[Scope, ...]) -> None:
    with pytest.raises(InvalidValue, match="scopes"):
        SignedAccess(SECRET).issue_token("t", scopes)


@pytest.mark.parametrize("secrets", [[], "", "short", ["long enough, this one", "short"]])
def test_secrets_that_are_none_are_refused(secrets: list[str] | str) -> None:
    with pytest.raises(InvalidValue, match="secrets"):
        SignedAccess(secrets)


def test_the_host_application_decides_by_request_action_and_task() -> None:
    seen: list[tuple[str | None, str, str]] = []

    def rule(request: Request, action: str, task: Task) -> bool:
        seen.append((request.token, action, task.task_id))
        return request.token == task.owner

    access = HostAccess(rule)

    assert access.allows(asking("ann"), "cancel", TASK)
    assert not access.allows(asking("bob"), "read", TASK)
    assert seen == [("ann", "cancel", "task-1"), ("bob", "read", "task-1")]


def test_a_rule_that_raises_or_answers_anything_but_true_refuses(caplog: pytest.LogCaptureFixture) -> None:
    def failing(request: Request, action: str, task: Task) -> bool:
        raise RuntimeError("no database")

    assert not HostAccess(failing).allows(asking(None), "read", TASK)
    assert "no database" in caplog.text
    assert not HostAccess(lambda *_: 1).allows(asking(None), "read", TASK)  # type: ignore[arg-type, return-value]


def test_rules_are_chosen_by_name_or_given() -> None:
    given = CapabilityAccess()

    assert isinstance(access_rule("capability"), CapabilityAccess)
    assert isinstance(access_rule("signed", secrets=SECRET), SignedAccess)
    assert access_rule(given) is given
    assert isinstance(access_rule(lambda *_: True), HostAccess)
    with pytest.raises(InvalidValue, match="HEADWAY_SECRET"):
        access_rule("signed")
    with pytest.raises(InvalidValue, match="access"):
        access_rule("open")


def test_an_adapter_takes_the_managers_rule_and_the_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_SECRET", f"{SECRET} new,{SECRET}")
    rule = access_for("signed", None, None)

    assert isinstance(access_for("capability", None, None), CapabilityAccess)
    assert rule.admits(asking(SignedAccess(SECRET).issue_token("t")), "read", "t")
    with pytest.raises(InvalidValue, match="callable"):
        access_for("host", None, None)


def test_a_token_is_kept_out_of_what_is_logged() -> None:
    assert "hush" not in repr(dataclasses.replace(asking("hush"), path="/x"))

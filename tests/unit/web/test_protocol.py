"""What each event does and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.model.errors import StoreUnavailable
from headway.model.task import Task
from headway.web.access import Access, CapabilityAccess, HostAccess, SignedAccess
from headway.web.protocol import Connection
from headway.web.rates import Bounds
from headway.web.request import Request
from tests.unit.web.samples import World, golden, outlet_of, world

SECRET = "a secret of enough characters"


def ask(w: World, connection: Connection, event: str, data: Any = None) -> Any:
    """The acknowledgement of an event."""
    w.say(connection, f'2/progress,7["{event}",{json.dumps(data)}]')
    return outlet_of(connection).of("ack 7")[-1]


def test_who_enters_is_greeted_like_the_golden_payload() -> None:
    with world() as w:
        connection = w.connect()
        w.protocol.greet(connection)

        assert set(outlet_of(connection).of("connected")[0]) == set(golden("connected"))
        assert outlet_of(connection).of("connected")[0]["protocol"] == 1


@pytest.mark.parametrize(
    ("access", "shareable"),
    [(CapabilityAccess(), True), (SignedAccess(SECRET), True), (HostAccess(lambda *_: True), False)],
    ids=["ids", "tokens", "the host's rule"],
)
def test_tabs_may_share_a_socket_where_it_is_no_matter_who_opened_it(access: Access, shareable: bool) -> None:
    with world(access=access) as w:
        connection = w.connect()
        w.protocol.greet(connection)

        assert outlet_of(connection).of("connected")[0]["shareable"] is shareable


def test_a_join_is_acknowledged_with_what_may_be_done() -> None:
    with world() as w:
        ack = ask(w, w.connect(), "join", {"task_id": w.manager.create_task()})

        assert ack == {"ok": True, "actions": ["cancel"]}


def test_a_refused_join_reads_like_the_golden_payload() -> None:
    with world() as w:
        ack = ask(w, w.connect(), "join", {"task_id": "nope"})

        assert set(ack["error"]) == set(golden("join-refused")["error"])
        assert ack["ok"] is False


def test_an_id_that_can_not_be_sent_back_is_answered_all_the_same() -> None:
    with world() as w:
        connection = w.connect()

        w.say(connection, r'2/progress,7["join",{"task_id":"\ud83d"}]')
        w.say(connection, r'2/progress,["join",{"task_id":"\ud83d"}]')

        [ack], [error] = outlet_of(connection).of("ack 7"), outlet_of(connection).of("error")
        assert ack["error"] == error
        assert (error["code"], "task_id" in error) == ("invalid_request", False)


def test_without_an_acknowledgement_an_error_event_comes_and_with_one_it_does_not() -> None:
    with world() as w:
        connection = w.connect()
        ask(w, connection, "join", {"task_id": "nope"})
        assert outlet_of(connection).of("error") == []

        w.say(connection, '2/progress,["join",{"task_id":"nope"}]')

        assert outlet_of(connection).of("error") == [
            {"code": "task_not_found", "message": "there is no task 'nope'", "task_id": "nope"}
        ]


def test_leaving_ends_the_news_and_is_no_error_twice() -> None:
    with world() as w:
        connection = w.connect()
        task_id = w.manager.create_task()
        ask(w, connection, "join", {"task_id": task_id})

        assert ask(w, connection, "leave", {"task_id": task_id}) == {"ok": True}
        assert ask(w, connection, "leave", {"task_id": task_id}) == {"ok": True}
        w.report(task_id, progress=5)

        assert len(outlet_of(connection).states) == 1


def test_a_cancel_is_acknowledged_and_its_outcome_comes_as_progress() -> None:
    with world() as w:
        connection = w.connect()
        task_id = w.manager.create_task()
        ask(w, connection, "join", {"task_id": task_id})

        assert ask(w, connection, "cancel_task", {"task_id": task_id, "reason": "enough"}) == {"ok": True}
        assert outlet_of(connection).states[-1]["state"] == "cancelled"
        assert outlet_of(connection).states[-1]["cancel_reason"] == "enough"
        assert ask(w, connection, "cancel_task", {"task_id": task_id})["error"]["code"] == "not_cancellable"


def test_a_retry_without_a_runner_is_refused() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.fail_task(task_id, "no")

        assert ask(w, w.connect(), "retry_task", {"task_id": task_id})["error"]["code"] == "not_retryable"


class OneRunner:
    """A runner that only notes what it is asked."""

    name = "one"
    holds_pending = False

    def __init__(self) -> None:
        self.retried: list[str] = []

    def can_retry(self, task: Task) -> bool:
        return True

    def retry(self, task: Task) -> None:
        self.retried.append(task.task_id)

    def stop_task(self, task: Task) -> None:
        """Nothing runs."""

    def kill_task(self, task: Task) -> str | None:
        return None


def test_a_task_with_a_runner_may_be_retried_and_that_is_known_from_the_start() -> None:
    with world() as w:
        runner = OneRunner()
        w.manager.register_runner(runner)
        connection = w.connect()
        task_id = w.manager.create_task(runner="one", job="null")

        assert ask(w, connection, "join", {"task_id": task_id})["actions"] == ["cancel", "retry"]
        w.manager.fail_task(task_id, "no")
        assert ask(w, connection, "retry_task", {"task_id": task_id}) == {"ok": True}
        w.deliver()

        assert runner.retried == [task_id]
        assert outlet_of(connection).states[-1]["attempt"] == 2


def test_a_ping_is_answered_by_a_pong() -> None:
    with world() as w:
        connection = w.connect()
        assert ask(w, connection, "ping", {"t": 12.5}) == {"ok": True}
        w.say(connection, '2/progress,["ping"]')

        first, second = outlet_of(connection).of("pong")
        assert first == {"t": 12.5, "server_time": w.clock.time()}
        assert second["t"] is None


@pytest.mark.parametrize(
    "packet",
    [
        '2/progress,["nonsense",{}]',
        "2/progress,[{}]",
        "2/progress,[",
        '2/progress,["join"]',
        '2/progress,["join",[1]]',
        '2/progress,["join",{"task_id":{"a":1}}]',
        '2/progress,["__init__",{}]',
        '51-/progress,["join",{"_placeholder":true,"num":0}]',
        '2/other,["join",{"task_id":"a"}]',
        b"\x00\x01",
        "2" + "[" * 60_000,
        '2/progress,["ping",' + '{"t":' * 9_000 + "1" + "}" * 9_000 + "]",
    ],
)
def test_a_bad_message_is_answered_and_the_connection_lives_on(packet: Any) -> None:
    with world() as w:
        connection = w.connect()
        w.say_any(connection, packet)

        assert [error["code"] for error in outlet_of(connection).of("error")] == ["invalid_request"]
        assert not outlet_of(connection).is_closed
        assert ask(w, connection, "ping") == {"ok": True}


def test_too_many_rooms_are_refused_and_leaving_one_makes_room() -> None:
    with world(bounds=Bounds(rooms=2)) as w:
        connection = w.connect()
        first, second, third = (w.manager.create_task() for _ in range(3))
        ask(w, connection, "join", {"task_id": first})
        ask(w, connection, "join", {"task_id": second})

        assert ask(w, connection, "join", {"task_id": third})["error"]["code"] == "too_many_rooms"
        assert ask(w, connection, "join", {"task_id": second})["ok"]
        ask(w, connection, "leave", {"task_id": first})
        assert ask(w, connection, "join", {"task_id": third})["ok"]


def test_too_many_events_are_refused_and_a_flood_is_closed() -> None:
    with world(bounds=Bounds(events_per_s=10, refusals_in_row=50)) as w:
        connection = w.connect()
        answers = [ask(w, connection, "ping")["ok"] for _ in range(12)]
        assert answers == [True] * 10 + [False] * 2
        assert outlet_of(connection).of("ack 7")[-1]["error"]["code"] == "rate_limited"

        for _ in range(48):
            w.say(connection, '2/progress,["ping"]')

        assert outlet_of(connection).is_closed


def test_with_signed_access_every_event_is_held_against_its_own_token() -> None:
    rule = SignedAccess(SECRET)
    with world(rule) as w:
        connection = w.connect()
        task_id = w.manager.create_task()
        reading, cancelling = rule.issue_token(task_id, ["read"]), rule.issue_token(task_id, ["cancel"])

        def outcome(event: str, token: str | None) -> str:
            ack = ask(w, connection, event, {"task_id": task_id, "token": token})
            return "ok" if ack["ok"] else ack["error"]["code"]

        assert outcome("join", None) == "task_not_found"
        assert outcome("join", cancelling) == "task_not_found"
        assert outcome("join", reading) == "ok"
        assert outcome("cancel_task", reading) == "task_not_found"
        assert outcome("retry_task", reading) == "task_not_found"
        assert outcome("cancel_task", cancelling) == "ok"
        assert outcome("retry_task", cancelling) == "not_retryable"


def test_actions_are_those_of_the_token() -> None:
    rule = SignedAccess(SECRET)
    with world(rule) as w:
        task_id = w.manager.create_task()

        for scopes, actions in ((["read"], []), (["read", "cancel"], ["cancel"])):
            token = rule.issue_token(task_id, scopes)  # type: ignore[arg-type]
            ack = ask(w, w.connect(), "join", {"task_id": task_id, "token": token})
            assert ack["actions"] == actions


@pytest.mark.parametrize("event", ["join", "cancel_task", "retry_task"])
def test_what_is_forbidden_is_answered_like_what_is_unknown(event: str) -> None:
    with world(HostAccess(lambda *_: False)) as w:
        connection = w.connect()
        task_id = w.manager.create_task(task_id="a" * 22)

        forbidden = ask(w, connection, event, {"task_id": task_id})
        unknown = ask(w, connection, event, {"task_id": "b" * 22})

        assert json.dumps(forbidden).replace("a" * 22, "b" * 22) == json.dumps(unknown)
        assert w.hub.counts() == (0, 0)


@pytest.mark.parametrize("event", ["join", "cancel_task", "retry_task"])
def test_without_a_token_that_fits_the_store_is_not_even_asked(event: str) -> None:
    access = SignedAccess(["a secret of some length"])
    with world(access) as w:
        task_id = w.manager.create_task()
        for_another = access.issue_token("another-task")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "get_task", lambda _: pytest.fail("the time that takes would tell"))
            told = {
                json.dumps(ask(w, w.connect(), event, {"task_id": asked, **token})).replace(asked, "…")
                for asked in (task_id, "unknown")
                for token in ({}, {"token": "forged"}, {"token": for_another})
            }

        assert len(told) == 1
        assert "task_not_found" in told.pop()


def test_a_forbidden_task_takes_the_way_of_an_unknown_one_even_where_others_watch_it() -> None:
    def only_ann(request: Request, action: str, task: Task) -> bool:
        return request.token == "ann"

    with world(HostAccess(only_ann)) as w:
        task_id = w.manager.create_task()
        assert ask(w, w.connect(), "join", {"task_id": task_id, "token": "ann"})["ok"]
        reads: list[str] = []
        get_task = w.manager.get_task
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "get_task", lambda task_id: (reads.append(task_id), get_task(task_id))[1])
            ask(w, w.connect(), "join", {"task_id": task_id})
            ask(w, w.connect(), "join", {"task_id": "unknown"})

        assert reads == [task_id, "unknown"]


def test_a_store_that_is_down_is_told_as_such() -> None:
    def down(task_id: str) -> Task:
        raise StoreUnavailable("the disk is full")

    with world() as w, pytest.MonkeyPatch.context() as patch:
        patch.setattr(w.manager, "get_task", down)

        assert ask(w, w.connect(), "join", {"task_id": "a"})["error"]["code"] == "unavailable"


def test_what_nobody_expected_is_logged_and_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken(task_id: str) -> Task:
        raise RuntimeError("SELECT password")

    with world() as w, pytest.MonkeyPatch.context() as patch:
        patch.setattr(w.manager, "get_task", broken)
        ack = ask(w, w.connect(), "join", {"task_id": "a"})

        assert ack["error"]["code"] == "internal"
        assert "password" not in json.dumps(ack)
        assert "SELECT password" in caplog.text


def test_a_connection_that_is_gone_leaves_everything_and_its_tasks_go_on() -> None:
    with world() as w:
        connection = w.connect()
        task_id = w.manager.create_task()
        w.report(task_id, progress=5)
        ask(w, connection, "join", {"task_id": task_id})
        w.protocol.forget(connection)
        w.protocol.forget(connection)

        assert w.hub.counts() == (0, 0)
        assert w.manager.get_task(task_id).state == "running"


def test_places_are_counted() -> None:
    with world(bounds=Bounds(connections=2)) as w:
        assert [w.protocol.take_place() for _ in range(3)] == [True, True, False]
        w.protocol.give_place()
        assert w.protocol.take_place()

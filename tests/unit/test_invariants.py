"""The checker itself: it is silent about sound histories, and finds each planted fault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.invariants import Checker, Event, History, Rule, violations


def event(kind: Any, payload: dict[str, Any] | None = None, viewer: str = "ann", task_id: str | None = "t1") -> Event:
    return Event(viewer=viewer, kind=kind, task_id=task_id, payload=payload or {})


def join(log_from: int | None = None, **who: Any) -> Event:
    return event("join", {} if log_from is None else {"log_from": log_from}, **who)


def progress(
    rev: int, value: float | None = 0, state: str = "running", attempt: int = 1, epoch: str = "e1", **who: Any
) -> Event:
    payload = {"rev": rev, "progress": value, "state": state, "attempt": attempt, "epoch": epoch, "task_id": "t1"}
    return event("progress", payload, **who)


def done(rev: int, attempt: int = 1, **who: Any) -> Event:
    return progress(rev, 100, "completed", attempt, **who)


def log(*numbers: int, epoch: str = "e1", **more: Any) -> Event:
    return event("log", {"task_id": "t1", "epoch": epoch, "lines": [{"n": n} for n in numbers], **more})


LEAVE = event("leave")
DISCONNECT = event("disconnect", task_id=None)
CONNECT = event("connect", task_id=None)

SOUND = {
    "a task that runs and ends": [CONNECT, join(), progress(1), progress(5, 50), done(9)],
    "no events at all": [],
    "the answer to a second join repeats the last state": [join(), progress(1), join(), progress(1), done(2)],
    "a state on its way comes between a join and its repeating answer": [
        *(join(), progress(1), join(), progress(2), progress(2), done(3)),
    ],
    "the end is repeated after a reconnect": [join(), done(3), DISCONNECT, CONNECT, join(), done(3)],
    "a retry lowers the progress": [join(), progress(1, 80), done(3), progress(4, 0, "pending", 2), done(5, 2)],
    "another epoch begins with a lower rev": [join(), progress(9, 80), progress(1, 0, epoch="e2"), done(2, epoch="e2")],
    "a number comes after null": [join(), progress(1, None), progress(2, 10), done(3)],
    "who left need not see the end": [join(), progress(1), LEAVE],
    "who lost the connection need not see the end": [join(), progress(1), DISCONNECT],
    "two viewers see different states": [join(), join(viewer="bob"), progress(1), done(7), done(7, viewer="bob")],
    "a log from its start": [join(log_from=1), log(1, 2), log(3), done(2)],
    "a log from the middle": [join(log_from=7), log(7, 8), done(2)],
    "a log whose start is gone": [join(log_from=1), log(40, 41, truncated_before=40), done(2)],
    "a log asked for again from an earlier line": [join(log_from=1), log(1, 2), join(log_from=2), log(2, 3), done(2)],
    "a line on its way before the answer to another join": [
        *(join(log_from=1), log(1, 2), join(log_from=2), log(3), log(2, 3, 4), done(2)),
    ],
    "a log resumed after a reconnect": [
        *(join(log_from=1), log(1, 2), DISCONNECT, join(log_from=3), log(3), done(2)),
    ],
    "a log of another epoch counts from one": [join(log_from=3), log(3), log(1, epoch="e2"), done(2)],
    "a log of another epoch for who had asked for later lines and seen none": [
        *(join(log_from=3), progress(5), log(1, epoch="e2"), done(2, epoch="e2")),
    ],
    "a log of another epoch for who has just come back": [
        *(join(log_from=1), log(1, 2), DISCONNECT, CONNECT, join(log_from=3), done(2), log(1, 2, epoch="e2")),
    ],
}

FAULTY: dict[str, tuple[Rule, list[Event]]] = {
    "a rev that falls": ("rev", [join(), progress(5), progress(4), done(9)]),
    "a rev that repeats without a join": ("rev", [join(), progress(5), progress(5), progress(5), done(9)]),
    "a repeated rev with another content": ("rev", [join(), progress(5, 1), join(), progress(5, 2), done(9)]),
    "a rev that falls after a reconnect": ("rev", [join(), progress(5), DISCONNECT, join(), progress(4), done(9)]),
    "a rev that falls on return to an old epoch": (
        "rev",
        [join(), progress(5), progress(1, epoch="e2"), progress(4), done(9)],
    ),
    "progress that falls": ("progress", [join(), progress(1, 50), progress(2, 49.9), done(9)]),
    "progress that is forgotten": ("progress", [join(), progress(1, 50), progress(2, None), done(9)]),
    "an attempt that falls": ("progress", [join(), progress(1, attempt=2), progress(2, attempt=1), done(9, 2)]),
    "a state after the end": ("final", [join(), done(3), progress(4, 100)]),
    "a second end": ("final", [join(), done(3), progress(4, 100, "failed")]),
    "an end that never comes": ("final", [join(), progress(3)]),
    "nothing at all after a join": ("final", [join()]),
    "a state without a join": ("joined", [done(1)]),
    "a state after leaving": ("joined", [join(), progress(1), LEAVE, done(2)]),
    "a state on a new connection that did not join": ("joined", [join(), progress(1), DISCONNECT, CONNECT, done(2)]),
    "a state of what another viewer joined": ("joined", [join(), done(1), done(1, viewer="bob")]),
    "a log without a join": ("joined", [log(1)]),
    "a log that was not asked for": ("log", [join(), log(1), done(2)]),
    "a log that does not begin where asked": ("log", [join(log_from=1), log(2), done(2)]),
    "a gap within a message": ("log", [join(log_from=1), log(1, 3), done(2)]),
    "a gap between messages": ("log", [join(log_from=1), log(1), log(3), done(2)]),
    "a line that comes twice": ("log", [join(log_from=1), log(1), log(1), done(2)]),
    "lines in the wrong order": ("log", [join(log_from=1), log(2, 1), done(2)]),
    "a state that another viewer saw otherwise": (
        "agree",
        [join(), join(viewer="bob"), progress(5, 10), progress(5, 11, viewer="bob"), done(9), done(9, viewer="bob")],
    ),
    "another end than another viewer saw": (
        "final",
        [join(), join(viewer="bob"), done(9), progress(10, 100, "failed", viewer="bob")],
    ),
    "a gap beyond what was announced as gone": ("log", [join(log_from=1), log(41, truncated_before=40), done(2)]),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_history_has_no_violations(name: str) -> None:
    assert violations(SOUND[name]) == []


@pytest.mark.parametrize("name", FAULTY)
def test_a_planted_fault_is_found(name: str) -> None:
    rule, history = FAULTY[name]

    found = violations(history)

    assert rule in {violation.rule for violation in found}, found


def judged(
    *events: Event, rewound_after: int | None = None, replaced_after: int | None = None, **truth: Any
) -> list[Rule]:
    checker = Checker()
    for number, event in enumerate(events, 1):
        checker.take(event)
        if number == rewound_after:
            checker.rewound()
        if number == replaced_after:
            checker.replaced()
    return [violation.rule for violation in checker.finish(truth=truth)]


def test_the_end_that_was_seen_must_be_the_one_that_is_stored() -> None:
    retried = progress(9, 100, "completed", 2)["payload"]

    assert judged(join(), done(5), t1=done(5)["payload"]) == []
    assert judged(join(), done(5), t1=retried) == ["final"]


def test_after_a_power_cut_what_is_not_newer_is_dropped_and_the_next_news_may_be_behind() -> None:
    before = (join(), progress(1, 10), progress(8, 60))

    assert judged(*before, DISCONNECT, CONNECT, join(), progress(5, 40), done(9), rewound_after=3) == []
    assert judged(*before, join(), progress(5, 40), progress(9, 41), done(10), rewound_after=3) == []
    assert judged(*before, join(), progress(9, 41), progress(10, 40), done(11), rewound_after=3) == ["progress"]
    assert judged(*before, join(), progress(7, 100, "failed"), rewound_after=3) == ["final"], "behind for ever"


def test_lines_that_were_asked_of_a_store_that_was_replaced_since_begin_anew() -> None:
    asked, state, end = join(log_from=2), progress(5, 10), done(9)

    assert judged(asked, state, log(1, 2), end, replaced_after=1) == []
    assert judged(asked, state, log(2, 3), end, replaced_after=1) == []
    assert judged(asked, state, log(1, 2), end) == ["log"]
    assert judged(asked, state, log(2, 3), log(1), end, replaced_after=1) == ["log"]


def test_a_task_named_as_unfinished_need_not_end() -> None:
    assert violations([join(), progress(3)], unfinished={"t1"}) == []


def test_a_violation_says_whose_it_is_and_where() -> None:
    [found] = violations([join(viewer="bob"), progress(5, viewer="bob"), progress(4, viewer="bob")], unfinished={"t1"})

    assert (found.rule, found.viewer, found.task_id, found.index) == ("rev", "bob", "t1", 2)


def test_a_recorded_history_is_checked_with_its_last_events() -> None:
    history = History()
    history.connect("ann")
    history.join("ann", "t1", log_from=1)
    history.log("ann", log(2)["payload"])
    history.progress("ann", done(5)["payload"])
    history.leave("ann", "t1")
    history.disconnect("ann")

    with pytest.raises(AssertionError, match="line 2 where 1 was due"):
        history.check()

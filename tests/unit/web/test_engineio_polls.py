"""Whose turn it is to poll, and which answer may have been lost."""

from __future__ import annotations

import threading

import pytest
from engineio.packet import MESSAGE, PING, PONG, Packet

from headway.web.engineio_polls import FIRST_PONG_WITHIN_S, PollTurns
from headway.web.wire import WireError


@pytest.fixture
def turns() -> PollTurns:
    return PollTurns(threading.Event())


def answered(turns: PollTurns, mark: str = "") -> list[int]:
    """The types of the packets of an answer that holds one message."""
    sent = [packet.packet_type for packet in turns.answer([Packet(MESSAGE, "news")])]
    turns.end()
    return sent


def test_without_marks_the_next_answer_waits_for_the_pong_to_the_last_from_the_first_on(turns: PollTurns) -> None:
    assert turns.begin("")
    assert answered(turns) == [MESSAGE, PING]

    assert not turns.begin(""), "the first PONG may just be late"
    turns.heard(Packet(PONG))
    assert turns.confirmed.is_set()
    turns.check()
    assert answered(turns) == [MESSAGE, PING]


def test_a_client_that_never_sends_a_pong_is_waited_for_once(turns: PollTurns) -> None:
    assert turns.begin("")
    answered(turns)
    assert not turns.begin("")
    assert turns.patience_s(10) == FIRST_PONG_WITHIN_S
    turns.check()
    assert answered(turns) == [MESSAGE]

    assert turns.begin("")
    assert answered(turns) == [MESSAGE]


def test_one_that_has_sent_pongs_and_then_does_not_has_lost_an_answer(turns: PollTurns) -> None:
    assert turns.begin("")
    answered(turns)
    turns.heard(Packet(PONG))
    assert turns.begin("")
    answered(turns)

    assert not turns.begin("")
    assert turns.patience_s(10) == 10
    with pytest.raises(WireError, match="may have been lost"):
        turns.check()


def test_a_late_first_pong_ends_the_indulgence(turns: PollTurns) -> None:
    assert turns.begin("")
    answered(turns)
    assert not turns.begin("")
    turns.check()

    turns.heard(Packet(PONG))

    assert answered(turns) == [MESSAGE, PING]


def test_a_mark_that_comes_again_is_a_poll_that_was_repeated(turns: PollTurns) -> None:
    assert turns.begin("a")
    assert answered(turns) == [MESSAGE]
    assert turns.begin("b")
    assert answered(turns) == [MESSAGE]

    with pytest.raises(WireError):
        turns.begin("b")

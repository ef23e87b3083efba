"""Socket.IO packets as text."""

from __future__ import annotations

import pytest

from headway.model.errors import InvalidValue
from headway.web.packets import (
    ALL_KINDS,
    EventPacket,
    ack_packet,
    bytes_of,
    checked_namespace,
    event_packet,
    is_about,
    parse_event,
)


def test_events_are_parsed_with_and_without_an_acknowledgement() -> None:
    assert parse_event('2/progress,17["join",{}]') == EventPacket("/progress", "17", '["join",{}]')
    assert parse_event('2/progress,["join",{}]') == EventPacket("/progress", None, '["join",{}]')
    assert parse_event('217["join"]') == EventPacket("/", "17", '["join"]')
    assert parse_event('2/progress?x=1,["join"]') == EventPacket("/progress", None, '["join"]')


@pytest.mark.parametrize("text", ["", "0/progress,", "3/progress,1[]", "51-/progress,[]", "4"])
def test_other_packets_are_no_events(text: str) -> None:
    assert parse_event(text) is None


@pytest.mark.parametrize("text", ["2x", "2/progress,1x[]", "2/progress,1234567890123456[]", "2/progress"])
def test_what_only_begins_like_an_event_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_event(text)


@pytest.mark.parametrize(
    "arguments", ["", "[", "{}", "[]", "[1]", "[null,{}]", "[NaN]", '["a",Infinity]', "[" * 30_000]
)
def test_arguments_that_name_no_event_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidValue):
        EventPacket("/progress", None, arguments).decoded()


def test_the_first_argument_counts() -> None:
    assert EventPacket("/", None, '["ping"]').decoded() == ("ping", None)
    assert EventPacket("/", None, '["ping",{"t":1},2]').decoded() == ("ping", {"t": 1})


def test_what_nests_too_deep_is_refused_by_name_and_limit() -> None:
    def nested(deep: int) -> EventPacket:
        return EventPacket("/", None, '["ping",' + '{"a":' * deep + "1" + "}" * deep + "]")

    assert nested(32).decoded()[0] == "ping"
    for deep in (33, 200, 20_000):
        with pytest.raises(InvalidValue, match=r"^event: must nest at most 32 deep$"):
            nested(deep).decoded()


def test_a_text_is_as_long_as_its_bytes() -> None:
    assert [bytes_of(text) for text in ("abc", "字", "😀", "\ud800")] == [3, 3, 4, 3]


def test_what_is_sent_reads_as_socket_io_wants_it() -> None:
    assert event_packet("/progress", "pong", '{"t":1}') == '2/progress,["pong",{"t":1}]'
    assert event_packet("/", "pong", "{}") == '2["pong",{}]'
    assert ack_packet("/progress", "17", '{"ok":true}') == '3/progress,17[{"ok":true}]'


def test_events_of_a_namespace_are_told_from_others() -> None:
    assert is_about("/progress", '2/progress,["a"]')
    assert is_about("/progress", '51-/progress,["a"]')
    assert not is_about("/progress", '2/progressive,["a"]')
    assert not is_about("/progress", '2["a"]')
    assert not is_about("/progress", "0/progress,")
    assert not is_about("/progress", b"2/progress,")
    assert is_about("/progress", "0/progress,{}", ALL_KINDS)
    assert is_about("/progress", "61-/progress,1[]", ALL_KINDS)
    assert is_about("/progress", '20-/progress,1["a"]'), "python-socketio takes it for an event"
    assert is_about("/progress", '2٣-/progress,1["a"]')
    assert not is_about("/other", '5/progress,["a","-/other,"]')
    assert not is_about("/progress", "0/progressive,", ALL_KINDS)
    assert not is_about("/progress", "", ALL_KINDS)
    assert is_about("/", '2["a"]')
    assert is_about("/", '217["a"]')
    assert not is_about("/", '2/progress,["a"]')


@pytest.mark.parametrize("namespace", ["", "progress", "/a,b", "/a?b", '/a"b', None, "/a b"])
def test_a_namespace_that_would_break_the_packets_is_refused(namespace: object) -> None:
    with pytest.raises(InvalidValue):
        checked_namespace(namespace)

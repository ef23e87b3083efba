"""Streams of one task: what they send, how they resume, when they end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.model.errors import InvalidValue, TaskNotFound
from headway.web import sse
from headway.web.rates import Bounds
from headway.web.request import Request
from headway.web.wire import WireError
from tests.unit.web.samples import World, world


def opened(w: World, task_id: str, query: str = "", last: str | None = None) -> sse.Opened | None:
    headers = {} if last is None else {"last-event-id": last}
    stream = sse.open_stream(w.protocol, Request(query_string=query, headers=headers), task_id, lambda: None)
    w.deliver()
    return stream


def taken(w: World, stream: sse.Opened | None) -> list[tuple[str, str, Any]]:
    """(event, id, data) of what is to be sent now."""
    assert stream is not None
    events = []
    for _ in range(50):
        w.clock.advance(0.1)
        w.deliver()
        for block in stream.stream.take().decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if line)
            if fields:
                events.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return events


def test_a_stream_begins_with_the_state_and_ends_after_the_final_one() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        stream = opened(w, task_id)
        assert [data["state"] for _, _, data in taken(w, stream)] == ["pending"]
        assert stream is not None
        assert not stream.has_ended()

        w.manager.complete_task(task_id)
        w.deliver()

        assert stream.has_ended()
        assert [data["state"] for _, _, data in taken(w, stream)] == ["completed"]


def test_ids_tell_epoch_rev_and_last_line() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.add_log(task_id, "one")
        task = w.manager.get_task(task_id)

        events = taken(w, opened(w, task_id, "log_from=1"))

        assert [(event, event_id) for event, event_id, _ in events] == [
            ("progress", f"{task.epoch}:{task.rev}:0"),
            ("log", f"{task.epoch}:{task.rev}:1"),
        ]


def test_a_resumed_stream_sends_only_what_is_new() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        for n in range(5):
            w.manager.add_log(task_id, f"line {n}")
        task = w.manager.get_task(task_id)
        stream = opened(w, task_id, "log_from=1", f"{task.epoch}:{task.rev}:3")

        first = taken(w, stream)
        w.report(task_id, progress=50)
        second = taken(w, stream)

        assert [line["n"] for _, _, data in first for line in data["lines"]] == [4, 5]
        assert [event for event, _, _ in second] == ["progress"]


def test_a_resume_after_the_end_has_nothing_to_come() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.add_log(task_id, "one")
        w.manager.fail_task(task_id, "no")
        task = w.manager.get_task(task_id)

        assert opened(w, task_id, "", f"{task.epoch}:{task.rev}:0") is None
        assert opened(w, task_id, "log_from=1", f"{task.epoch}:{task.rev}:1") is None

        still = opened(w, task_id, "log_from=1", f"{task.epoch}:{task.rev}:0")
        assert [event for event, _, _ in taken(w, still)] == ["log"]
        assert still is not None
        assert still.has_ended()


def test_a_resume_from_another_history_begins_anew() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.complete_task(task_id)

        stream = opened(w, task_id, "", "otherhistory:9999999999999:0")

        assert [data["state"] for _, _, data in taken(w, stream)] == ["completed"]


@pytest.mark.parametrize(
    "query", ["log_from=0", "log_from=x", "log_from=", "log_from=-1", "log_from=1.5", "log_from=9" + "9" * 20]
)
def test_a_bad_line_number_is_refused(query: str) -> None:
    with world() as w, pytest.raises(InvalidValue, match="log_from"):
        opened(w, w.manager.create_task(), query)


@pytest.mark.parametrize(
    "last", ["x", "a:b:c", "epoch123:1", "epoch123:1:2:3", "epoch123:-1:0", "\n", "epoch123:" + "9" * 17 + ":0"]
)
def test_a_bad_last_event_id_is_refused(last: str) -> None:
    with world() as w, pytest.raises(InvalidValue, match="Last-Event-ID"):
        opened(w, w.manager.create_task(), "", last)


def test_an_unknown_task_takes_no_place() -> None:
    with world() as w:
        with pytest.raises(TaskNotFound):
            opened(w, "unknown")

        assert w.protocol.connections == 0


def test_streams_count_as_connections_and_closing_twice_counts_once() -> None:
    with world(bounds=Bounds(connections=1)) as w:
        task_id = w.manager.create_task()
        stream = opened(w, task_id)
        with pytest.raises(WireError) as caught:
            opened(w, task_id)
        assert caught.value.code == "unavailable"

        assert stream is not None
        stream.close()
        stream.close()

        assert w.protocol.connections == 0
        assert w.hub.counts() == (0, 0)


def test_a_reader_that_does_not_read_makes_nothing_grow() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        stream = opened(w, task_id, "log_from=1")
        assert stream is not None
        for progress in range(1, 90):
            w.manager.add_log(task_id, "x" * 4_000)
            w.report(task_id, progress=progress)
            w.clock.advance(0.1)
        waiting = len(stream.stream._pending)
        w.manager.complete_task(task_id)

        events = taken(w, stream)

        assert waiting <= sse.PENDING
        assert [line["n"] for event, _, data in events if event == "log" for line in data["lines"]] == [*range(1, 90)]
        assert events[-1][2]["state"] == "completed"


def test_a_line_break_in_a_text_breaks_no_event() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.report(task_id, message="a\n\nevent: forged\ndata: {}\r\n\u2028")

        events = taken(w, opened(w, task_id))

        assert [event for event, _, _ in events] == ["progress"]
        assert events[0][2]["message"].startswith("a\n\nevent")

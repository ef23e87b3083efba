"""How a command's output is read: lines as a terminal would leave them, and the percentages in them."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.cli.event_stream import ServerEvent, events
from headway.cli.output import LineReader, Read, percent_in
from headway.model import limits


def test_lines_end_at_newlines_and_the_rest_is_the_current_one() -> None:
    assert LineReader().feed(b"one\ntwo\r\nthr") == Read(("one", "two"), "thr")


def test_what_a_carriage_return_overwrites_is_gone() -> None:
    reader = LineReader()

    assert reader.feed(b"10%\r20%") == Read((), "20%")
    assert reader.feed(b"\r30%\r") == Read((), "30%")
    assert reader.feed(b"\n") == Read(("30%",), "")


def test_a_character_cut_in_two_by_the_pipe_is_whole_again() -> None:
    reader = LineReader()
    first, second = "胡".encode()[:2], "胡".encode()[2:]

    reader.feed(first)

    assert reader.feed(second + b"\n") == Read(("胡",), "")


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_lines_do_not_depend_on_how_the_output_was_cut(pieces: list[bytes]) -> None:
    reader = LineReader()

    cut = [line for piece in pieces for line in reader.feed(piece).lines]

    assert tuple(cut) == LineReader().feed(b"".join(pieces)).lines


@given(st.binary(max_size=20_000))
def test_every_line_fits_into_the_log(data: bytes) -> None:
    for line in LineReader().feed(data * 3 + b"\n").lines:
        assert len(line.encode()) <= limits.LOG_LINE_BYTES


@pytest.mark.parametrize(
    ("text", "progress"),
    [
        ("", None),
        ("50%", 50),
        ("12.5 % done", 12.5),
        ("10% of the first, 90% of all", 90),
        ("150%", None),
        ("50%, up by 250%", 50),
        ("1.2.3%", None),
        ("50%20", None),
        ("100%|█████| 5/5", 100),
    ],
)
def test_the_last_percentage_counts(text: str, progress: float | None) -> None:
    assert percent_in(text) == progress


def test_an_event_stream_is_read_event_by_event() -> None:
    stream = (
        b": still here\n\nretry: 3000\n\nevent: progress\nid: e:1:0\ndata: {}\n\n"
        b"data: one\ndata: two\r\n\nevent: log\nid: e:2:0\n\ndata: cut o"
    )

    assert list(events(BytesIO(stream))) == [
        ServerEvent("progress", "{}", "e:1:0"),
        ServerEvent("message", "one\ntwo", "e:1:0"),
    ]


def test_an_endless_line_of_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="endless"):
        list(events(BytesIO(b"data: " + b"x" * (17 * 1024 * 1024))))

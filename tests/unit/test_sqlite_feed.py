"""Whose changes the watching thread reads, and whose it takes for its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from headway.model.errors import StoreUnavailable
from headway.stores.sqlite import SqliteStore
from headway.stores.sqlite_feed import SqliteFeed, pause_s
from tests.helpers import eventually


def feed_of(
    changes_after: Callable[[Any, int, int], Any], told: list[int], *, version: Callable[[], int] = lambda: 1
) -> SqliteFeed:
    """A feed of a store of which only the answers matter; changes are numbers, and so are their tasks."""
    file = SimpleNamespace(epoch="e")
    return SqliteFeed(
        SimpleNamespace(tell=told.extend, tell_reset=lambda: None),  # type: ignore[arg-type]
        database=SimpleNamespace(  # type: ignore[arg-type]
            opened=lambda look=False: file, watched=lambda file, query: [(version(),)]
        ),
        last_seq=lambda: 0,
        changes_after=changes_after,
    )


def test_a_change_is_told_though_its_number_was_expected_for_an_own_one_that_was_not_stored() -> None:
    stored: list[int] = []
    looked: list[int] = []
    told: list[int] = []

    def changes_after(file: Any, seq: int, page: int) -> Any:
        looked.append(seq)
        changes = [number for number in stored if number > seq]
        if changes == [2, 3]:
            # While they are read it turns out that the number 1 is another process's, too.
            feed.forget_own("e", 1)
        return [(number,) for number in changes], changes

    feed = feed_of(changes_after, told, version=lambda: len(stored))
    feed.start()
    try:
        eventually(lambda: looked)
        assert feed.expect_own("e", 1, 1)

        stored += [1, 2, 3]

        eventually(lambda: 3 in told)
        eventually(lambda: looked[-1] == 3)
    finally:
        feed.join()
    assert told == [1, 2, 3]


def test_what_could_not_be_read_is_read_the_next_time_though_nothing_else_is_stored() -> None:
    told: list[int] = []
    refusals = [StoreUnavailable("the store is busy")]

    def changes_after(file: Any, seq: int, page: int) -> Any:
        if refusals:
            raise refusals.pop()
        return ([(1,)], [1]) if seq < 1 else ([], [])

    feed = feed_of(changes_after, told)
    feed.start()
    try:
        eventually(lambda: told == [1])
    finally:
        feed.join()


def test_whether_there_are_changes_is_asked_only_where_the_last_read_found_none() -> None:
    steps: list[str] = []
    found = iter([[1], [2], [], [3]])

    def changes_after(file: Any, seq: int, page: int) -> Any:
        steps.append("read")
        changes = next(found, [])
        return [(number,) for number in changes], changes

    def version() -> int:
        steps.append("ask")
        return len(steps)

    feed = feed_of(changes_after, [], version=version)
    feed.start()
    try:
        eventually(lambda: len(steps) >= 9)
    finally:
        feed.join()
    assert steps[:9] == ["ask", "read", "read", "read", "ask", "read", "read", "ask", "read"]


def test_a_thread_that_was_stopped_while_it_read_tells_nothing_more() -> None:
    told: list[int] = []
    reads: list[Event] = []

    def changes_after(file: Any, seq: int, page: int) -> Any:
        is_first = not reads
        reads.append(Event())
        if is_first:
            assert reads[0].wait(20)
        return [(9 if is_first else 1,)], [9 if is_first else 1]

    feed = feed_of(changes_after, told)
    feed.start()
    eventually(lambda: reads)
    first = feed._thread
    assert first is not None
    feed.stop()
    feed.start()
    try:
        eventually(lambda: told)
        reads[0].set()
        first.join(20)
        assert not first.is_alive()
    finally:
        feed.join()
    assert 9 not in told


@pytest.mark.parametrize(("cpu_s", "seconds"), [(0, 0.02), (0.0003, 0.02), (0.0006, 0.03), (0.001, 0.05), (1, 0.05)])
def test_a_poll_that_took_long_is_followed_by_a_longer_pause(cpu_s: float, seconds: float) -> None:
    assert pause_s(cpu_s) == pytest.approx(seconds)


def test_a_store_that_is_first_followed_at_the_interpreter_s_exit_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def too_late(thread: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    store = SqliteStore(tmp_path / "headway.db")
    monkeypatch.setattr(Thread, "start", too_late)
    store.subscribe(lambda tasks: None, lambda: None)

    store.close()
    assert "other processes' changes can't be seen: can't create new thread" in caplog.text

"""Whose changes the watching thread reads, and whose it takes for its own."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from headway.model.errors import StoreUnavailable
from headway.stores.sqlite import SqliteStore
from headway.stores.sqlite_feed import SqliteFeed
from tests.helpers import eventually

SAME = SimpleNamespace(epoch="e")


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

    feed = SqliteFeed(
        SimpleNamespace(tell=told.extend, tell_reset=lambda: None),  # type: ignore[arg-type]
        database=SimpleNamespace(  # type: ignore[arg-type]
            opened=lambda look=False: SAME, watched=lambda file, query: [(len(stored),)]
        ),
        last_seq=lambda: 0,
        changes_after=changes_after,
    )
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

    feed = SqliteFeed(
        SimpleNamespace(tell=told.extend, tell_reset=lambda: None),  # type: ignore[arg-type]
        database=SimpleNamespace(  # type: ignore[arg-type]
            opened=lambda look=False: SAME, watched=lambda file, query: [(7,)]
        ),
        last_seq=lambda: 0,
        changes_after=changes_after,
    )
    feed.start()
    try:
        eventually(lambda: told == [1])
    finally:
        feed.join()


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

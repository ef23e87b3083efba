"""The cookie that makes a visitor the owner of what they made."""

from __future__ import annotations

from pathlib import Path

from headway.demo.sessions import COOKIE, Sessions, session_key

KEY, OLD_KEY = "k" * 32, "o" * 32


def test_the_cookie_names_the_owner_it_was_made_for() -> None:
    sessions = Sessions([KEY])
    owner = sessions.new_owner()

    assert sessions.owner({COOKIE: sessions.cookie(owner)}) == owner


def test_a_cookie_that_was_tampered_with_names_nobody() -> None:
    sessions = Sessions([KEY])
    cookie = sessions.cookie("visitor-a")

    for wrong in ("", "x", cookie[:-1], cookie + "x", "visitor-a", Sessions([OLD_KEY]).cookie("visitor-a")):
        assert sessions.owner({COOKIE: wrong}) is None
    assert sessions.owner({}) is None


def test_a_cookie_of_the_key_before_is_believed_while_that_key_is_listed() -> None:
    old = Sessions([OLD_KEY]).cookie("visitor-a")

    assert Sessions([KEY, OLD_KEY]).owner({COOKIE: old}) == "visitor-a"
    assert Sessions([KEY, OLD_KEY]).cookie("visitor-a") == Sessions([KEY]).cookie("visitor-a")


def test_newcomers_differ() -> None:
    sessions = Sessions([KEY])

    assert len({sessions.new_owner() for _ in range(100)}) == 100


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "session.key"

    key = session_key(path)

    assert len(key) >= 32
    assert session_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["session.key"]

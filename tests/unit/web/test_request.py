"""What is read off a request."""

from __future__ import annotations

import pytest

from headway.model.errors import InvalidValue
from headway.web.request import Request, bearer, from_loopback, headers_by_name


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
    ],
)
def test_a_token_travels_as_bearer(value: str, token: str | None) -> None:
    assert bearer({"authorization": value}) == token


def test_headers_that_came_twice_are_joined() -> None:
    assert headers_by_name([(b"A", b"1"), (b"a", b"2")]) == {"a": "1, 2"}


def test_cookies_are_read_and_broken_ones_are_none() -> None:
    assert Request(headers={"cookie": "a=1; b=x%20y"}).cookies == {"a": "1", "b": "x%20y"}
    assert Request(headers={"cookie": "\x01=;;;["}).cookies == {}
    assert Request().cookies == {}


def test_a_query_has_a_bounded_number_of_fields() -> None:
    assert Request(query_string="a=1&a=2&b=").query == {"a": "2", "b": ""}
    with pytest.raises(InvalidValue, match="query"):
        _ = Request(query_string="&".join(f"a{n}=1" for n in range(21))).query


@pytest.mark.parametrize(
    ("remote", "host", "more", "expected"),
    [
        ("127.0.0.1", "localhost:8080", {}, True),
        ("127.0.0.1", "127.0.0.1", {}, True),
        ("::1", "[::1]:8080", {}, True),
        ("::1", "[::1]", {}, True),
        ("127.0.0.1", "rebound.evil.net:8080", {}, False),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "203.0.113.5"}, False),
        ("127.0.0.1", "localhost", {"forwarded": "for=203.0.113.5"}, False),
        ("203.0.113.5", "localhost", {}, False),
        (None, "localhost", {}, False),
        ("testclient", "localhost", {}, False),
        ("127.0.0.1", "", {}, False),
    ],
)
def test_loopback_is_peer_and_host_with_no_proxy_between(
    remote: str | None, host: str, more: dict[str, str], expected: bool
) -> None:
    assert from_loopback(Request(remote=remote, headers={"host": host, **more})) is expected

"""Pages of this host and of listed origins may; look-alikes may not."""

from __future__ import annotations

import pytest

from headway.model.errors import InvalidValue
from headway.web.origins import Origins
from headway.web.request import Request
from headway.web.wire import WireError


def asked(origin: str | None, host: str = "app.example", scheme: str = "http", **more: str) -> Request:
    headers = {"host": host, **more} if origin is None else {"host": host, "origin": origin, **more}
    return Request(headers=headers, scheme=scheme)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://app.example", "app.example", "http"),
        ("http://app.example:8080", "app.example:8080", "http"),
        ("http://APP.example".lower(), "App.Example", "http"),
        ("https://app.example", "app.example", "https"),
        ("https://app.example", "app.example", "http"),  # a proxy ends TLS
        ("https://app.example", "app.example:443", "https"),
        ("http://localhost:8080", "localhost:8080", "ws"),
        ("http://[::1]:8080", "[::1]:8080", "http"),
    ],
)
def test_pages_of_the_own_host_may(origin: str, host: str, scheme: str) -> None:
    assert Origins().permits(asked(origin, host, scheme))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://app.example.evil.net",
        "http://evilapp.example",
        "http://sub.app.example",
        "http://app.example.",
        "http://app.example:81",
        "http://app.example@evil.net",
        "http://evil.net/http://app.example",
        "http://evil.net#app.example",
        "http://app.example/",
        "http://app.example, http://evil.net",
        "ftp://app.example",
        "file://",
        "http://app.exаmple",  # a Cyrillic а
        "chrome-extension://abcdef",
    ],
)
def test_look_alikes_may_not(origin: str) -> None:
    with pytest.raises(WireError) as caught:
        Origins(["https://partner.example"]).check(asked(origin))

    assert caught.value.code == "cross_origin"


def test_a_plain_page_may_not_speak_to_a_host_behind_tls() -> None:
    assert not Origins().permits(asked("http://app.example", scheme="https"))


def test_listed_origins_may_and_their_look_alikes_may_not() -> None:
    origins = Origins(["https://partner.example", "http://localhost:3000/"])

    assert origins.permits(asked("https://partner.example"))
    assert origins.permits(asked("https://partner.example:443"))
    assert origins.permits(asked("http://localhost:3000"))
    assert not origins.permits(asked("http://partner.example"))
    assert not origins.permits(asked("https://partner.example.evil.net"))
    assert not origins.permits(asked("https://partner.example:8443"))


def test_no_origin_is_no_browser() -> None:
    assert Origins().permits(asked(None))
    assert Origins().permits(asked(None, **{"sec-fetch-site": "same-origin"}))
    assert not Origins().permits(asked(None, **{"sec-fetch-site": "cross-site"}))


def test_a_star_lets_everybody_in() -> None:
    assert Origins("*").permits(asked("https://anything.example"))


@pytest.mark.parametrize("listed", ["example.com", "https://", "https://a b", "https://example.com/path", 5])
def test_what_is_no_origin_can_not_be_listed(listed: object) -> None:
    with pytest.raises(InvalidValue, match="origins"):
        Origins([listed])  # type: ignore[list-item]

"""What the access rules and the HTTP API see of a request, whatever server took it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qsl

from headway.model.errors import InvalidValue

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP call, or an event on a socket (then `method` is SOCKET, and the headers are those of its handshake)."""

    method: str = "GET"
    path: str = "/"
    """Below where Headway is mounted."""
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    scheme: str = "http"
    remote: str | None = None
    """The peer's address, as the server tells it."""
    mount: str = ""
    """Where Headway is mounted: '' or '/some/path'."""
    body: bytes = b""
    token: str | None = field(default=None, repr=False)
    """From `Authorization: Bearer`, or from a socket's payload. Kept out of the repr, and so of logs."""

    @property
    def query(self) -> dict[str, str]:
        """The last value of each name. Raises `InvalidValue` for more than 20 of them."""
        try:
            return dict(parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=20))
        except ValueError as error:
            raise InvalidValue("query", "must have at most 20 fields") from error

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(self.headers.get("cookie", ""))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def origin(self) -> str | None:
        return self.headers.get("origin")

    @property
    def host(self) -> str:
        return self.headers.get("host", "")


def headers_by_name(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI headers; those that came more than once are joined by a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer …`."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def from_loopback(request: Request) -> bool:
    """Whether it comes from this very machine: peer and host asked for are loopback, and no proxy stands between.

    The host's name counts because another site's name may be made to resolve to 127.0.0.1 (DNS rebinding).
    """
    if any(name in request.headers for name in _FORWARDING):
        return False
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    return _is_loopback(request.remote) and host.strip("[]").lower() in LOOPBACK_NAMES


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False

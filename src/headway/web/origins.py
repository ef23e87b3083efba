"""Which pages may talk to this server: those of its own host, and those that are listed.

`Origin` is what a browser says about the page that asks (RFC 6454). Nothing but an exact match counts, so that `null`,
`https://example.com.evil.net` and `https://evil.net/?https://example.com` are refused. A request without one comes from
no browser, or is a plain navigation; what reads only is then left to the access rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from headway.model.errors import InvalidValue
from headway.web.request import Request
from headway.web.wire import WireError

_ORIGIN = re.compile(r"(https?)://((?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_HOST = re.compile(r"((?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}


class Origins:
    """`allowed`: origins as `https://host[:port]`, or '*' for every page of every site."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        listed = [allowed] if isinstance(allowed, str) else list(allowed)
        self._any = "*" in listed
        self._listed = {_listed(origin) for origin in listed if origin != "*"}

    def check(self, request: Request) -> None:
        """Raises `WireError` (`cross_origin`) for a request that another site's page has made."""
        if not self.permits(request):
            raise WireError("cross_origin", "pages of this origin may not do that; list it in `origins`")

    def permits(self, request: Request) -> bool:
        if self._any:
            return True
        if request.origin is None:
            # Some browsers leave `Origin` out where they say this instead (Fetch Metadata).
            return request.headers.get("sec-fetch-site") not in ("cross-site", "same-site")
        return self.is_own(request) or self.is_listed(request)

    def is_listed(self, request: Request) -> bool:
        """Whether the page is of another, listed origin: it gets CORS headers."""
        origin = request.origin
        if origin is None:
            return False
        return self._any or _parts(origin) in self._listed

    @staticmethod
    def is_own(request: Request) -> bool:
        origin = _parts(request.origin or "")
        host = _HOST.fullmatch(request.host.lower())
        if origin is None or host is None:
            return False
        scheme, name, port = origin
        if scheme == "http" and request.scheme in ("https", "wss"):
            return False
        # A proxy that ends TLS hands on plain HTTP: the port to compare with is the page's scheme's.
        return (name, port) == (host[1], int(host[2]) if host[2] else _PORTS[scheme])


def _parts(origin: str) -> tuple[str, str, int] | None:
    match = _ORIGIN.fullmatch(origin)
    return None if match is None else (match[1], match[2], int(match[3]) if match[3] else _PORTS[match[1]])


def _listed(origin: object) -> tuple[str, str, int]:
    parts = _parts(origin.lower().rstrip("/")) if isinstance(origin, str) else None
    if parts is None:
        raise InvalidValue("origins", f"must be like https://example.com or https://example.com:8443; got {origin!r}")
    return parts

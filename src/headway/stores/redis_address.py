"""Where a Redis is, from the store's URL: one server, one that Sentinel names, or a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from headway.model.errors import InvalidValue, MissingExtra
from headway.model.redacting import without_secrets

try:
    import redis
except ImportError as error:
    raise MissingExtra("the Redis client (redis)", "redis") from error

PREFIX = "headway"
SENTINELS_PORT = 26_379

_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SCHEMES = {"valkey": "redis", "valkeys": "rediss"}


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Who is asked where the primary of `service` is."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    login: dict[str, str]
    """Their own username and password, if any."""


@dataclass(frozen=True, slots=True)
class Address:
    """`redis://[[user]:password@]host[:port][/db][?prefix=…][&retention_s=…][&cluster=yes]`.

    Also rediss (TLS), valkey, valkeys, unix:///path/of/socket, and
    `redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/service[/db][?sentinel_password=…]`.
    """

    url: str
    """What the client understands; with Sentinel the host in it is none."""
    prefix: str
    retention_s: float | None
    is_cluster: bool
    sentinels: Sentinels | None
    shown: str
    """The URL without its secrets."""

    @classmethod
    def parse(cls, url: str) -> Address:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _malformed() from None
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        prefix = options.pop("prefix", PREFIX)
        retention = options.pop("retention_s", "")
        cluster = options.pop("cluster", "no")
        if not _PREFIX.fullmatch(prefix):
            raise InvalidValue("store", "prefix= must be 1 to 64 of A-Z a-z 0-9 . _ -")
        if retention and not re.fullmatch(r"[1-9][0-9]{0,9}", retention):
            raise InvalidValue("store", "retention_s= must be a whole number of seconds above 0")
        if cluster not in ("yes", "no"):
            raise InvalidValue("store", "cluster= must be yes or no")
        scheme, _, by_sentinel = parts.scheme.partition("+")
        scheme = _SCHEMES.get(scheme, scheme)
        netloc, path, sentinels = parts.netloc, parts.path, None
        if by_sentinel:
            sentinels, path = _sentinels(netloc, path, options)
            netloc = netloc.rpartition("@")[0] + "@sentinel" if "@" in netloc else "sentinel"
        plain = urlunsplit((scheme, netloc, path, urlencode(options), ""))
        # Without this an empty host would be dropped from unix:///path.
        plain = plain.replace("unix:/", "unix:///", 1) if plain.startswith("unix:/") and "://" not in plain else plain
        address = cls(
            plain, prefix, float(retention) if retention else None, cluster == "yes", sentinels, without_secrets(url)
        )
        address._check()
        return address

    def client_options(self) -> dict[str, Any]:  # Any: redis-py's own
        """What the client makes of the URL."""
        options: dict[str, Any] = redis.connection.parse_url(self.url)  # type: ignore[no-untyped-call]
        return options

    def _check(self) -> None:
        try:
            options = self.client_options()
        except ValueError:
            raise _malformed() from None
        if self.is_cluster and (self.sentinels or "path" in options or options.get("db")):
            raise InvalidValue("store", "with cluster=yes must be redis://HOST:PORT/0: a cluster has one database")


def _malformed() -> InvalidValue:
    """Without urllib's own words: they may quote a part of the password."""
    return InvalidValue("store", "must be redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], with / @ : of a password encoded")


def _sentinels(netloc: str, path: str, options: dict[str, str]) -> tuple[Sentinels, str]:
    """Who is asked, and the path without the service's name."""
    service, _, database = path.removeprefix("/").partition("/")
    if not service:
        raise InvalidValue("store", "with Sentinel must be redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB")
    hosts: list[tuple[str, int]] = []
    for one in netloc.rpartition("@")[2].split(","):
        try:
            its = urlsplit(f"//{one}")
            hosts.append((its.hostname or "", its.port or SENTINELS_PORT))
        except ValueError:
            hosts.append(("", 0))
    if not all(host for host, _ in hosts):
        raise InvalidValue("store", "must name each Sentinel as HOST or HOST:PORT, parted by commas")
    login = {
        name: options.pop(f"sentinel_{name}") for name in ("username", "password") if f"sentinel_{name}" in options
    }
    return Sentinels(tuple(hosts), unquote(service), login), f"/{database}"

"""The connection to Redis or Valkey: what the URL says, scripts, retries, and errors in words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from headway.model.errors import InvalidValue, MissingExtra, StoreError, StoreUnavailable

try:
    import redis
    from redis.backoff import ExponentialBackoff
    from redis.exceptions import ConnectionError as NotConnected
    from redis.exceptions import NoScriptError, RedisError, ResponseError
    from redis.exceptions import TimeoutError as TookTooLong
    from redis.retry import Retry
except ImportError as error:
    raise MissingExtra("the Redis client (redis)", "redis") from error

PREFIX = "headway"
CONNECT_S = 1.5
ANSWER_S = 5.0
TRIES_AGAIN = 2
SCRIPTS = ("create", "swap", "delete")

Command = tuple[Any, ...]

_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Address:
    """`redis://[[user]:password@]host[:port][/db][?prefix=…][&retention_s=…][&cluster=yes]`.

    Also rediss (TLS), valkey, valkeys, and unix:///path/of/socket.
    """

    url: str
    """What the client understands."""
    prefix: str
    retention_s: float | None
    is_cluster: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        parts = urlsplit(url)
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
        scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
        plain = urlunsplit((scheme, parts.netloc, parts.path, urlencode(options), ""))
        # Without this an empty host would be dropped from unix:///path.
        plain = plain.replace("unix:/", "unix:///", 1) if plain.startswith("unix:/") and "://" not in plain else plain
        try:
            redis.connection.parse_url(plain)  # type: ignore[no-untyped-call]
        except ValueError as error:
            raise InvalidValue("store", f"must be redis://HOST:PORT/DB: {error}") from None
        return cls(plain, prefix, float(retention) if retention else None, cluster == "yes")

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return re.sub(r"//[^@/]*@", "//…@", self.url)


class RedisClient:
    """Connects with the first call. Each call is tried again when the connection breaks, so it must bear repetition."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to the commands, which go in one round trip. Raises `StoreUnavailable`, `StoreError`."""
        if not commands:
            return []
        answers = self._sent(commands)
        missing = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            # A server that was started anew, or has been emptied of scripts.
            with self.in_words():
                for name in SCRIPTS:
                    self._connected.script_load(_SOURCES[name])
            for place, answer in zip(missing, self._sent([commands[place] for place in missing]), strict=True):
                answers[place] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                with self.in_words():
                    raise answer
        return answers

    def one(self, *command: Any) -> Any:
        return self.run([command])[0]

    def listener(self) -> Any:
        """A connection that subscribes."""
        with self.in_words():
            return self._listening.pubsub()

    def close(self) -> None:
        for connected in (self._connected, self._listening):
            with contextlib.suppress(RedisError, OSError):
                connected.close()

    def _sent(self, commands: Sequence[Command]) -> list[Any]:
        with self.in_words():
            pipeline = self._connected.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
            return answers

    # Any: redis-py's types are unions of answers now and later.
    @cached_property
    def _connected(self) -> Any:
        return self._client(tries_again=TRIES_AGAIN)

    @cached_property
    def _listening(self) -> Any:
        # A listener that silently connected again would have missed something, and wouldn't say so.
        return self._client(tries_again=0)

    def _client(self, *, tries_again: int) -> Any:
        options: dict[str, Any] = {
            "decode_responses": True,
            "protocol": 2,
            "socket_connect_timeout": CONNECT_S,
            "socket_timeout": ANSWER_S,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
        if self._address.is_cluster:
            return redis.RedisCluster.from_url(self._address.url, **options)
        retry = Retry(ExponentialBackoff(cap=0.3, base=0.03), tries_again)
        again = [NotConnected, TookTooLong]
        return redis.Redis.from_url(self._address.url, retry=retry, retry_on_error=again, **options)

    @contextlib.contextmanager
    def in_words(self) -> Iterator[None]:
        try:
            yield
        except ResponseError as error:
            raise self._explained(error) from error
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"the store {self._address.shown} can't be reached: {error}") from error

    def _explained(self, error: ResponseError) -> StoreError:
        text = str(error)
        if text.startswith(("WRONGTYPE", "ERR")):
            return StoreError(f"the store {self._address.shown} can't do that: {text}")
        # OOM, READONLY, MISCONF, LOADING, BUSY, CLUSTERDOWN, NOAUTH …: may pass.
        return StoreUnavailable(f"the store {self._address.shown} refuses: {text}")


def script(name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Command:
    return ("EVALSHA", _DIGESTS[name], len(keys), *keys, *arguments)


def _digest(source: str) -> str:
    import hashlib

    # The name that Redis gives a script; nothing is protected by it.
    return hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


_SOURCES = {name: Path(__file__).with_name(f"{name}.lua").read_text("utf-8") for name in SCRIPTS}
_DIGESTS = {name: _digest(source) for name, source in _SOURCES.items()}

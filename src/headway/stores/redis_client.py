"""What the store asks of Redis or Valkey: commands, scripts, and errors in words."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError
from redis.sentinel import MasterNotFoundError

from headway.model.errors import StoreError, StoreUnavailable
from headway.stores.redis_address import Address
from headway.stores.redis_servers import Command, servers

SCRIPTS = ("create", "swap", "delete")


class RedisClient:
    """Connects with the first call. Each call is tried again when the connection breaks, so it must bear repetition."""

    def __init__(self, address: Address) -> None:
        self._shown = address.shown
        self._servers = servers(address)

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to the commands, which go in one round trip (in a cluster: one a node, in the order in which the
        nodes come first). Raises `StoreUnavailable`, `StoreError`."""
        if not commands:
            return []
        answers = self._sent(commands)
        missing = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            # A server that was started anew, or has been emptied of scripts, is given them whole.
            whole = [("EVAL", _SOURCES[commands[place][1]], *commands[place][2:]) for place in missing]
            for place, answer in zip(missing, self._sent(whole), strict=True):
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
            return self._servers.listener()

    def close(self) -> None:
        self._servers.close()

    def _sent(self, commands: Sequence[Command]) -> list[Any]:
        with self.in_words():
            return self._servers.send(commands)

    @contextlib.contextmanager
    def in_words(self) -> Iterator[None]:
        try:
            yield
        except ResponseError as error:
            raise self._explained(error) from error
        except MasterNotFoundError as error:  # Its own text is all that the client knows of itself.
            raise StoreUnavailable(f"the store {self._shown} can't be reached: no Sentinel names a primary") from error
        except (RedisError, RedisClusterException, OSError) as error:
            raise StoreUnavailable(f"the store {self._shown} can't be reached: {error}") from error

    def _explained(self, error: ResponseError) -> StoreError:
        text = str(error)
        if text.startswith(("WRONGTYPE", "ERR")):
            return StoreError(f"the store {self._shown} can't do that: {text}")
        # OOM, READONLY, MISCONF, LOADING, BUSY, CLUSTERDOWN, NOAUTH …: may pass.
        return StoreUnavailable(f"the store {self._shown} refuses: {text}")


def script(name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Command:
    return ("EVALSHA", _DIGESTS[name], len(keys), *keys, *arguments)


def _digest(source: str) -> str:
    # The name that Redis gives a script; nothing is protected by it.
    return hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


_TEXTS = {name: Path(__file__).with_name(f"{name}.lua").read_text("utf-8") for name in SCRIPTS}
_DIGESTS = {name: _digest(text) for name, text in _TEXTS.items()}
_SOURCES = {_DIGESTS[name]: text for name, text in _TEXTS.items()}

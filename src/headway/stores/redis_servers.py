"""Connections to Redis: one server, the one that Sentinel names as primary, or the nodes of a cluster.

All of them send commands and give the answers; what fails is raised as the client has it (redis_client.py puts it into
words). They bear that commands are sent twice, and so must who sends.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TookTooLong
from redis.retry import Retry
from redis.sentinel import Sentinel

from headway.stores.redis_address import Address

CONNECT_S = 1.5
ANSWER_S = 5.0
TRIES_AGAIN = 2
BACKOFF = ExponentialBackoff(cap=0.3, base=0.03)

Command = tuple[Any, ...]
# Any, here and below: redis-py's types are unions of answers now and later.
Answers = list[Any]

_OPTIONS: dict[str, Any] = {
    "decode_responses": True,
    "protocol": 2,
    "socket_connect_timeout": CONNECT_S,
    "socket_timeout": ANSWER_S,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
_AGAIN = (AskError, TryAgainError, ClusterDownError)  # A MovedError is an AskError.
_PLACES_OF_KEYS = {"EVALSHA": 3, "EVAL": 3, "PUBLISH": None, "TIME": None}


class Servers(Protocol):
    def send(self, commands: Sequence[Command]) -> Answers:
        """The answers, errors among them. Those that go to one server go in one round trip."""

    def listener(self) -> Any:
        """A connection that subscribes."""

    def close(self) -> None: ...


def servers(address: Address) -> Servers:
    """Connects with the first call."""
    return Cluster(address) if address.is_cluster else One(address)


class One:
    """One server, or the primary of one service of Sentinel's."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def send(self, commands: Sequence[Command]) -> Answers:
        return _piped(self._connected, commands)

    def listener(self) -> Any:
        return self._listening.pubsub()

    def close(self) -> None:
        for connected in (self._connected, self._listening):
            with contextlib.suppress(RedisError, OSError):
                connected.close()

    @cached_property
    def _connected(self) -> Any:
        return self._client(tries_again=TRIES_AGAIN)

    @cached_property
    def _listening(self) -> Any:
        # A listener that silently connected again would have missed something, and wouldn't say so.
        return self._client(tries_again=0)

    def _client(self, *, tries_again: int) -> Any:
        options = {**_OPTIONS, "retry": Retry(BACKOFF, tries_again), "retry_on_error": [NotConnected, TookTooLong]}
        asked = self._address.sentinels
        if asked is None:
            if "path" in self._address.client_options():
                del options["socket_keepalive"]  # Nothing that a file could do.
            return redis.Redis.from_url(self._address.url, **options)
        options |= self._address.client_options()
        del options["host"]
        options["ssl"] = options.pop("connection_class", None) is not None
        # One that is away is passed over; there are others.
        own = {name: value for name, value in options.items() if name.startswith(("socket_", "ssl"))}
        own |= {**asked.login, "retry": Retry(BACKOFF, 0)}
        sentinel = Sentinel(asked.hosts, sentinel_kwargs=own)  # type: ignore[no-untyped-call]
        return sentinel.master_for(asked.service, **options)  # type: ignore[no-untyped-call]


class Cluster:
    """The nodes of a cluster. To which of them a command goes is told by its first key.

    redis-py's own pipeline would ask a node for the keys of each script: a round trip a task.
    """

    def __init__(self, address: Address) -> None:
        self._address = address

    def send(self, commands: Sequence[Command]) -> Answers:
        """Node by node, in the order in which each is first needed; where one fails the later ones are sent nothing."""
        answers: Answers = [None] * len(commands)
        left = list(range(len(commands)))
        for tries_left in reversed(range(TRIES_AGAIN + 1)):
            try:
                left = self._send_some(commands, left, answers)
            except (NotConnected, TookTooLong, RedisClusterException):
                if not tries_left:
                    raise
                # What other nodes have answered must not be done twice.
                left = [place for place in left if answers[place] is None or isinstance(answers[place], _AGAIN)]
            if not left or not tries_left:
                break
            time.sleep(BACKOFF.compute(TRIES_AGAIN - tries_left))
            # Slots may have moved, or a replica stands in for its primary.
            self._connected.nodes_manager.initialize()
        return answers

    def listener(self) -> Any:
        """To any node: a message goes to all of them."""
        cluster = self._connected
        cluster.nodes_manager.initialize()  # The last one may have been lost with its node.
        return cluster.get_redis_connection(random.choice(cluster.get_primaries())).pubsub()

    def close(self) -> None:
        connected = self.__dict__.get("_connected")  # It connects when it is made.
        if connected is not None:
            # redis-py's own close() leaves the pools of a cluster that was named by a URL to the collector.
            for node in list(connected.nodes_manager.nodes_cache.values()):
                with contextlib.suppress(RedisError, OSError):
                    node.redis_connection.connection_pool.disconnect()

    @cached_property
    def _connected(self) -> Any:
        return redis.RedisCluster.from_url(self._address.url, **_OPTIONS)

    def _send_some(self, commands: Sequence[Command], places: Sequence[int], answers: Answers) -> list[int]:
        """Fills in the answers; the places of those that are to be sent again."""
        by_node: dict[Any, list[int]] = {}
        for place in places:
            by_node.setdefault(self._node(commands[place]), []).append(place)
        groups = iter(by_node.items())
        for node, its in groups:
            sent = _piped(self._connected.get_redis_connection(node), [commands[place] for place in its])
            refused: list[int] = []
            has_failed = False
            for place, answer in zip(its, sent, strict=True):
                if isinstance(answer, AskError) and not isinstance(answer, MovedError):
                    answer = self._ask(answer, commands[place])
                if isinstance(answer, _AGAIN):
                    refused.append(place)
                has_failed |= isinstance(answer, RedisError) and not isinstance(answer, NoScriptError)
                answers[place] = answer
            if has_failed:
                return [*refused, *(place for _, later in groups for place in later)] if refused else []
        return []

    def _node(self, command: Command) -> Any:
        place_of_key = _PLACES_OF_KEYS.get(command[0], 1)
        if place_of_key is None:
            return self._connected.get_default_node()
        return self._connected.get_node_from_key(command[place_of_key])

    def _ask(self, told: AskError, command: Command) -> Any:
        """Its slot is just moving: the key may be at the other node already."""
        node = self._connected.get_node(host=told.host, port=told.port)
        if node is None:
            return told
        return _piped(self._connected.get_redis_connection(node), [("ASKING",), command])[-1]


def _piped(client: Any, commands: Sequence[Command]) -> Answers:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    answers: Answers = pipeline.execute(raise_on_error=False)
    return answers

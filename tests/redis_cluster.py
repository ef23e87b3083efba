"""A real Redis Cluster of several nodes on loopback: what one node alone takes is refused here, or sent elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from redis.crc import key_slot

from tests.helpers import eventually
from tests.redis_server import RedisServer

SLOTS = 16_384


class RedisCluster:
    """`nodes` share the slots evenly. `options` as in redis.conf.

    `gives_up_after_s`: a node that is not heard of for so long is taken for dead. Long, for machines that are slow.
    """

    def __init__(self, folder: Path, *, nodes: int = 3, gives_up_after_s: float = 30, **options: str) -> None:
        self._options = {
            "cluster_node_timeout": str(int(gives_up_after_s * 1_000)),
            "repl_diskless_sync_delay": "0",
            **options,
        }
        self.nodes = [_node(folder / f"node-{number}", self._options) for number in range(nodes)]
        self._slots = [range(SLOTS * n // nodes, SLOTS * (n + 1) // nodes) for n in range(nodes)]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.nodes[0].port}/0?cluster=yes"

    def start(self) -> Self:
        first = self.nodes[0]
        for number, (node, slots) in enumerate(zip(self.nodes, self._slots, strict=True), start=1):
            node.start()
            _ok(node, f"CLUSTER SET-CONFIG-EPOCH {number}")
            _ok(node, f"CLUSTER ADDSLOTSRANGE {slots.start} {slots.stop - 1}")
        for node in self.nodes[1:]:
            _ok(node, f"CLUSTER MEET 127.0.0.1 {first.port}")
        eventually(lambda: all(self._knows_all(node) for node in self.nodes), saying="the nodes have found each other")
        return self

    def node_of(self, key: str) -> RedisServer:
        """Who had the key when the cluster was started."""
        slot = key_slot(key.encode())
        return next(node for node, slots in zip(self.nodes, self._slots, strict=True) if slot in slots)

    def add_replica(self, primary: RedisServer, folder: Path) -> RedisServer:
        """One more node, which stands in for that one when it dies."""
        replica = _node(folder, self._options).start()
        self.nodes.append(replica)
        _ok(replica, f"CLUSTER MEET 127.0.0.1 {primary.port}")
        its_id = _id(primary)
        eventually(lambda: replica.ask(f"CLUSTER REPLICATE {its_id}") == "+OK\r\n")
        eventually(lambda: replica.info("replication", "master_link_status") == "up")
        eventually(lambda: all(self._knows_all(node) for node in self.nodes))
        return replica

    def begin_to_move(self, key: str, to: RedisServer) -> None:
        """Its slot is between two nodes from now on."""
        slot, source = key_slot(key.encode()), self.node_of(key)
        _ok(to, f"CLUSTER SETSLOT {slot} IMPORTING {_id(source)}")
        _ok(source, f"CLUSTER SETSLOT {slot} MIGRATING {_id(to)}")

    def move(self, key: str, to: RedisServer) -> None:
        """Begun before: the keys of its slot go over, and then the slot."""
        slot, source = key_slot(key.encode()), self.node_of(key)
        lines = source.ask(f"CLUSTER GETKEYSINSLOT {slot} 100").split("\r\n")
        for moving in lines[2::2]:
            assert source.ask(f"MIGRATE 127.0.0.1 {to.port} {moving} 0 5000") == "+OK\r\n"
        for node in (to, source):
            _ok(node, f"CLUSTER SETSLOT {slot} NODE {_id(to)}")

    def flush(self) -> None:
        for node in self.nodes:
            node.flush()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def _knows_all(self, node: RedisServer) -> bool:
        told = node.ask("CLUSTER INFO")
        return "cluster_state:ok" in told and f"cluster_known_nodes:{len(self.nodes)}" in told


def _node(folder: Path, options: dict[str, str]) -> RedisServer:
    folder.mkdir(parents=True)
    # The nodes talk on a second port, the first one plus 10,000.
    made = (RedisServer(folder, cluster_enabled="yes", **options) for _ in range(1_000))
    return next(server for server in made if server.port < 55_000)


def _ok(node: RedisServer, command: str) -> None:
    answer = node.ask(command)
    assert answer == "+OK\r\n", (command, answer)


def _id(node: RedisServer) -> str:
    return node.ask("CLUSTER MYID").split("\r\n")[1]

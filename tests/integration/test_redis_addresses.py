"""Every form of the store's URL against a real server of that kind: Sentinel, TLS, passwords, databases, sockets."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
import redis as client

from headway import ProgressManager
from headway.model.errors import InvalidValue, StoreUnavailable
from headway.model.task import Task
from headway.stores.redis import RedisStore
from headway.stores.redis_address import Address
from tests.helpers import eventually, free_port
from tests.redis_server import RedisServer

PASSWORD = "s3cr:t@/ø"


def works(url: str) -> None:
    with ProgressManager(store=url) as worker, ProgressManager(store=url) as watcher:
        heard: list[str] = []
        watcher.subscribe(lambda tasks: heard.extend(task.state for task in tasks), lambda: None)
        task_id = worker.create_task()
        assert worker.complete_task(task_id, result=7)
        assert watcher.get_result(task_id) == 7
        eventually(lambda: "completed" in heard)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RedisServer]:
    """Asks for a password from the first command on."""
    server = RedisServer(tmp_path, requirepass=PASSWORD, unixsocket=str(tmp_path / "redis.sock"))
    server.start()
    yield server
    server.kill()


def test_a_password_and_a_database_are_taken_from_the_url(guarded: RedisServer) -> None:
    works(f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{guarded.port}/3")

    with client.Redis(port=guarded.port, password=PASSWORD, decode_responses=True) as connection:
        assert list(connection.info("keyspace")) == ["db3"]


def test_a_user_of_redis_who_may_use_the_prefix_alone_is_enough(guarded: RedisServer) -> None:
    """What docs/howto/many-gateways.md gives such a user."""
    with client.Redis(port=guarded.port, password=PASSWORD) as connection:
        rules = "on >pw ~{headway}:* ~{headway:* &headway:change:* &headway:reset +@all -@admin -@dangerous"
        connection.execute_command("ACL", "SETUSER", "app", *rules.split())

    works(f"redis://app:pw@127.0.0.1:{guarded.port}/0")


def test_a_unix_socket_needs_no_port(guarded: RedisServer) -> None:
    works(f"unix://:{quote(PASSWORD, safe='')}@{guarded.folder / 'redis.sock'}?db=1")


def test_a_wrong_password_is_unavailable_and_is_not_repeated(guarded: RedisServer) -> None:
    store = RedisStore(f"redis://:wr0ng@127.0.0.1:{guarded.port}/0")

    with pytest.raises(StoreUnavailable) as caught:
        store.epoch()

    assert "wr0ng" not in str(caught.value)
    store.close()


def test_tls_is_spoken_and_the_certificate_is_checked(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", "req", *made, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    tls_port = free_port()
    files = {"tls_cert_file": str(cert), "tls_key_file": str(key)}
    server = RedisServer(tmp_path, tls_port=str(tls_port), tls_auth_clients="no", **files).start()
    try:
        works(f"rediss://127.0.0.1:{tls_port}/0?ssl_ca_certs={cert}")

        store = RedisStore(f"rediss://127.0.0.1:{tls_port}/0")
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            store.epoch()
        store.close()
    finally:
        server.kill()


# --- Sentinel --------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched_pair(tmp_path: Path) -> Iterator[tuple[RedisServer, RedisServer, str]]:
    """A primary, its replica, and the URL of three Sentinels that watch them; all ask for passwords."""
    with ExitStack() as stack:

        def started(name: str, **options: str) -> RedisServer:
            (tmp_path / name).mkdir()
            server = RedisServer(tmp_path / name, **options)
            stack.callback(server.kill)
            return server.start()

        login = {"requirepass": "pw", "masterauth": "pw", "repl_diskless_sync_delay": "0"}
        primary = started("primary", **login)
        replica = started("replica", replicaof=f"127.0.0.1 {primary.port}", **login)
        sentinels = []
        for n in range(3):
            sentinels.append(started_sentinel(stack, tmp_path / f"sentinel-{n}", primary.port))
        for port in sentinels:
            with client.Redis(port=port, password="their-own", decode_responses=True) as connection:
                eventually(lambda c=connection: knows_all(c), 20)  # type: ignore[misc]
        hosts = ",".join(f"127.0.0.1:{port}" for port in (1, *sentinels))  # Nobody listens on port 1.
        yield primary, replica, f"redis+sentinel://:pw@{hosts}/main/2?sentinel_password=their-own"


def started_sentinel(stack: ExitStack, folder: Path, primary: int) -> int:
    folder.mkdir()
    config = folder / "sentinel.conf"
    sentinel = RedisServer(folder, sentinel=str(config))
    config.write_text(
        f"requirepass their-own\nsentinel monitor main 127.0.0.1 {primary} 2\nsentinel auth-pass main pw\n"
        "sentinel sentinel-pass their-own\n"
        "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
    )
    stack.callback(sentinel.kill)
    sentinel.start()
    return sentinel.port


def knows_all(sentinel: client.Redis) -> bool:
    told = sentinel.info("sentinel")["master0"]
    return (told["status"], told["slaves"], told["sentinels"]) == ("ok", 1, 3)


def test_the_primary_is_asked_of_sentinel_and_followed_when_another_takes_over(
    watched_pair: tuple[RedisServer, RedisServer, str],
) -> None:
    primary, replica, url = watched_pair
    works(url)
    seen: dict[str, object] = {}
    with ProgressManager(store=url) as worker, ProgressManager(store=url) as watcher:
        task_id = worker.create_task()
        watcher.subscribe(
            lambda tasks: seen.update({task.task_id: task.progress for task in tasks}),
            lambda: seen.update({task_id: watcher.get_task(task_id).progress}),
        )
        worker.update_progress(task_id, progress=10)
        eventually(lambda: seen.get(task_id) == 10)
        with client.Redis(port=primary.port, password="pw") as connection:
            assert connection.wait(1, 5_000) == 1

        primary.kill()
        worker.update_progress(task_id, progress=20)

        eventually(lambda: seen.get(task_id) == 20, 40)
        assert worker.complete_task(task_id)
        eventually(lambda: seen.get(task_id) == 100)
    with client.Redis(port=replica.port, password="pw", db=2) as connection:
        assert connection.exists(f"{{headway:{task_id}}}:task") == 1


def test_without_any_sentinel_the_store_is_unavailable() -> None:
    store = RedisStore("redis+sentinel://:hunter2@127.0.0.1:1/main")

    with pytest.raises(StoreUnavailable, match="reached: no Sentinel names a primary") as caught:
        store.create(Task(task_id="task-1", created_at=1.0))

    assert "hunter2" not in str(caught.value)
    store.close()


@pytest.mark.parametrize("url", ["redis+sentinel://a", "redis+sentinel://a:x/main", "redis+sentinel://a,,b/main"])
def test_what_names_no_service_or_no_sentinel_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue):
        Address.parse(url)

from __future__ import annotations

import pytest

from headway.model.redacting import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:hunter2@db:6379/1", "redis://…@db:6379/1"),
        ("redis://:hun/ter@2@db/1", "redis://…@db/1"),
        ("redis://db/1?password=hunter2&prefix=a", "redis://db/1?password=…&prefix=a"),
        ("redis://db/1?password=hun@ter2", "redis://db/1?password=…"),
        ("redis+sentinel://db/main?sentinel_password=hunter2", "redis+sentinel://db/main?sentinel_password=…"),
        ("unix://:hunter2@/run/redis.sock", "unix://…@/run/redis.sock"),
        ("sqlite:////home/me@work/tasks.db", "sqlite:////home/me@work/tasks.db"),
    ],
)
def test_a_store_is_shown_without_its_passwords(url: str, shown: str) -> None:
    assert without_secrets(url) == shown

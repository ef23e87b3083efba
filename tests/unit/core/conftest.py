from __future__ import annotations

from collections.abc import Iterator

import pytest

from headway import ProgressManager
from tests.unit.core.doubles import WatchedStore


@pytest.fixture
def store() -> WatchedStore:
    return WatchedStore()


@pytest.fixture
def manager(store: WatchedStore) -> Iterator[ProgressManager]:
    with ProgressManager(store=store) as opened:
        yield opened

"""What only a store in memory does; the rest is its contract (tests/contract/test_stores.py)."""

from __future__ import annotations

import subprocess
import sys

FORK = """
import os
from headway.model.errors import TaskNotFound
from headway.model.task import Task
from headway.stores.memory import MemoryStore
store = MemoryStore()
told = []
store.subscribe(told.extend, lambda: None)
store.create(Task(task_id="parents", created_at=1.0))
epoch = store.epoch()
# As if another thread was in the middle of a call.
store._lock.acquire()
child = os.fork()
if not child:
    try:
        store.get("parents")
    except TaskNotFound:
        store.create(Task(task_id="childs", created_at=1.0))
        os._exit(0 if store.epoch() != epoch and len(told) == 1 else 2)
    os._exit(1)
store._lock.release()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert store.get("parents").task_id == "parents"
assert len(told) == 1
"""


def test_a_forked_child_has_an_empty_store_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)

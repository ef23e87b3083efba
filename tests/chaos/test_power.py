"""The simulated power cut takes what a real one could take, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headway import ProgressManager
from headway.stores.sqlite import SqliteStore
from tests.chaos import power
from tests.helpers import ROOT, eventually

WRITER = """
import sys
from pathlib import Path
from headway import ProgressManager
from headway.stores.sqlite import SqliteStore
from tests.chaos import power

path, folder = map(Path, sys.argv[1:])
power.copy_at_sync_points(path, folder)
manager = ProgressManager(store=SqliteStore(path))
manager.create_task()
copy = power._copy
def slowly(*paths):
    print("committed", flush=True)
    sys.stdin.readline()
    copy(*paths)
power._copy = slowly
manager.create_task()
sys.stdin.readline()
"""


ENDER = """
import sys
from pathlib import Path
from headway import ProgressManager
from headway.stores.sqlite import SqliteStore
from tests.chaos import power

path, folder = map(Path, sys.argv[1:])
power.copy_at_sync_points(path, folder)
manager = ProgressManager(store=SqliteStore(path))
task_id = manager.create_task()
manager.update_progress(task_id, 50)
manager.complete_task(task_id, {"a": 1})
print(task_id, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "synced"
    folder.mkdir()
    return folder


@pytest.fixture
def writer(tmp_path: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Commits two tasks; says so of the second one, whose copy is made at a line on its standard input."""
    with running(WRITER, tmp_path / "headway.db", folder) as process:
        yield process


@contextmanager
def running(program: str, path: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(path), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_an_end_that_was_acknowledged_is_there_after_the_cut(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "headway.db"
    with running(ENDER, path, folder) as ender:
        assert ender.stdout is not None
        task_id = ender.stdout.readline().strip()
        power.kill([ender.pid], folder)
        eventually(lambda: ender.poll() is not None)

    assert power.restore(path, folder)
    with ProgressManager(store=SqliteStore(path)) as manager:
        task = manager.get_task(task_id)
        assert (task.state, task.result) == ("completed", {"a": 1})


def test_what_somebody_could_see_of_a_synced_change_is_there_after_the_cut(
    tmp_path: Path, folder: Path, writer: subprocess.Popen[str]
) -> None:
    assert writer.stdin is not None
    assert writer.stdout is not None
    path = tmp_path / "headway.db"
    assert writer.stdout.readline() == "committed\n"
    with ProgressManager(store=SqliteStore(path)) as manager:
        seen = {task.task_id for task in manager.list_tasks()}
        assert len(seen) == 2

    cut = threading.Thread(target=power.kill, args=([writer.pid], folder))
    cut.start()
    writer.stdin.write("\n")
    writer.stdin.flush()
    cut.join(20)
    eventually(lambda: writer.poll() is not None)

    assert power.restore(path, folder)
    with ProgressManager(store=SqliteStore(path)) as manager:
        assert seen == {task.task_id for task in manager.list_tasks()}

"""The `headway` command as a person would run it: in a process of its own, with a store of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headway import ProgressManager, Task
from tests.helpers import Done, eventually, finished


class Cli:
    """Runs `headway` in `folder`, with `folder/tasks.db` as the store."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.store = f"sqlite:///{folder / 'tasks.db'}"
        settings = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
        self.env = settings | {"HEADWAY_STORE": self.store, "PYTHONUTF8": "1"} | dict(env or {})

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None, given: str = "") -> Done:
        done = finished(self.command(*arguments), cwd=self.folder, env=self.env | dict(env or {}), given=given)
        assert "Traceback" not in done.err, done.err
        return done

    @contextmanager
    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """The command as it runs; leaving the block ends it by force, and whatever it has started."""
        mark = f"HEADWAY_TEST_RUN={secrets.token_hex(8)}"
        name, _, value = mark.partition("=")
        with subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.env | dict(env or {}) | {name: value},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                _end_all_with(mark)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "headway", *arguments]

    @contextmanager
    def manager(self) -> Iterator[ProgressManager]:
        """The same store, opened here."""
        with ProgressManager(store=self.store) as manager:
            yield manager

    def only_task(self) -> Task:
        with self.manager() as manager:
            (task,) = manager.list_tasks()
            return task

    def running_task(self) -> Task:
        """The one task, as soon as it runs and has said something."""
        with self.manager() as manager:

            def running() -> Task | None:
                found = [task for task in manager.list_tasks(state="running") if task.message]
                return found[0] if found else None

            return eventually(running)

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        done = self("tasks", "--json", *arguments)
        assert done.code == 0, done.err
        found: list[dict[str, Any]] = json.loads(done.out)
        return found


def _end_all_with(mark: str) -> None:
    """End the processes with this in their environment: also those whose parent is gone."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)

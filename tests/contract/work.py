"""Work for the runners' contract: importable in every worker process, and steered by files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from headway import Reporter, TaskFailed


def _pause() -> None:
    threading.Event().wait(0.01)


def _say_begun(folder: Path, attempt: int = 1) -> None:
    """Who sees that there is such a file finds all of it."""
    part = folder / f"begun-{attempt}.part"
    part.write_text(str(os.getpid()))
    part.replace(folder / f"begun-{attempt}")


def add(task: Reporter, one: int, *, other: int) -> dict[str, int]:
    return {"sum": one + other, "pid": os.getpid()}


def count(task: Reporter, up_to: int) -> None:
    for n in task.track(range(up_to)):
        task.log(f"line {n}")


def own_result(task: Reporter) -> None:
    task.set_result("set")


def refuse(task: Reporter) -> None:
    task.update(30)
    raise TaskFailed("the model refused", code="refused")


def refuse_all_of(task: Reporter, things: object) -> None:
    raise TaskFailed("none of these", code="refused")


def break_down(task: Reporter) -> None:
    raise ZeroDivisionError("division by zero")


def leave(task: Reporter) -> None:
    sys.exit(3)


def no_json(task: Reporter) -> object:
    return {1, 2}


def wait_for(task: Reporter, folder: str) -> str:
    """Says that it has begun, and goes on once `go` is there. Heeds a cancel."""
    here = Path(folder)
    _say_begun(here, task.attempt)
    while not (here / "go").exists():
        task.raise_if_cancelled()
        _pause()
    return "gone on"


def tidy_up(task: Reporter, folder: str) -> None:
    try:
        wait_for(task, folder)
    finally:
        task.log("tidying up")
        (Path(folder) / "tidied").touch()


def never_heed(task: Reporter, folder: str) -> str:
    """Never looks whether it was asked to stop."""
    here = Path(folder)
    _say_begun(here)
    while not (here / "go").exists():
        _pause()
    return "gone on"


def swallow(task: Reporter, folder: str) -> str:
    """Catches every exception, as careless work does."""
    (Path(folder) / "begun-1").touch()
    while True:
        try:
            task.advance()
            _pause()
        except Exception:  # noqa: BLE001, S110
            pass


def compute(task: Reporter, folder: str) -> None:
    """Holds the interpreter for all it is worth."""
    here = Path(folder)
    (here / "begun-1").touch()
    numbers = range(200_000)
    while not (here / "go").exists():
        sum(numbers)
        task.raise_if_cancelled()


def die(task: Reporter) -> None:
    os._exit(7)


def die_once(task: Reporter) -> str:
    if task.attempt == 1:
        os._exit(7)
    return "second time"


def fail_once(task: Reporter) -> str:
    if task.attempt == 1:
        raise TaskFailed("the first time", code="flaky")
    return "second time"


def leave_a_child_behind(task: Reporter, folder: str) -> None:
    """Dies, while a process that it has forked holds on to all that was open."""
    if os.fork() == 0:
        while not (Path(folder) / "go").exists():
            _pause()
        os._exit(0)
    os._exit(7)


def run_a_program(task: Reporter) -> str:
    """What a program inherits: whether Ctrl-C would still end it."""
    program = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


class Unloadable:
    """Can be pickled, and then not be loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _explode, ()


def _explode() -> None:
    raise RuntimeError("not here")


def take(task: Reporter, thing: object) -> None:
    pass

"""`headway run -- COMMAND`: a command as a task. Its output goes through unchanged, and is the task's log."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from headway.cli import exits
from headway.cli.output import LineReader, percent_in
from headway.cli.places import shared_store
from headway.core.progress_manager import ProgressManager
from headway.core.reporter import Reporter
from headway.model import limits
from headway.model.errors import HeadwayError, StoreError, TaskCancelled, TaskFailed

log = logging.getLogger("headway")

LOOK_S = 0.1
# Others may have inherited the pipes; the command itself has said all that it will say.
LAST_WORDS_S = 1.0
CHUNK = 64 * 1024
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def run(options: argparse.Namespace, command_line: list[str]) -> int:
    """Exits as the command did, by the same signal where one ended it."""
    _keep_log_quiet()
    name = options.name or Path(command_line[0]).name[: limits.NAME_CHARS]
    with ProgressManager(store=shared_store(options.store)) as manager:
        code = _run_as_task(manager, name, options, command_line)
    if code < 0:
        _end_by(-code)
    return code


def _run_as_task(manager: ProgressManager, name: str, options: argparse.Namespace, command_line: list[str]) -> int:
    """The command's exit code, or minus the signal that ended it."""
    run: _Run | None = None
    try:
        with manager.task(name, indeterminate=True, owner=options.owner) as task:
            print(f"headway: task {task.task_id}", file=sys.stderr, flush=True)
            run = _Run(command_line, task, reads_percent=options.percent, grace_s=options.grace)
            run.to_the_end()
    except (TaskFailed, TaskCancelled):
        pass  # So the task has ended; the terminal has heard it from the command itself.
    except StoreError as error:
        if run is None:
            raise
        print(f"headway: how the task ended could not be stored: {error}", file=sys.stderr)
    assert run is not None
    return run.code


class _Run:
    """One run of the command, from its first byte to its end."""

    code: int = 0

    def __init__(self, command_line: list[str], task: Reporter, *, reads_percent: bool, grace_s: float) -> None:
        self._command_line = command_line
        self._task = task
        self._reads_percent = reads_percent
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._signalled: signal.Signals | None = None
        self._kill_at: float | None = None

    def to_the_end(self) -> None:
        """Run it. Raises `TaskFailed` or `TaskCancelled` unless it did what it should."""
        with self._signals_passed_on():
            try:
                process = self._start()
            except OSError as error:
                self.code = exits.COMMAND_NOT_FOUND if isinstance(error, FileNotFoundError) else exits.NOT_EXECUTABLE
                sentence = f"{self._command_line[0]} can't be run: {error.strerror}"
                print(f"headway: {sentence}", file=sys.stderr)
                raise TaskFailed(sentence, code="not_started") from None
            assert process.stdout is not None
            assert process.stderr is not None
            readers = [
                threading.Thread(target=self._pass_on, args=(pipe, to), daemon=True)
                for pipe, to in ((process.stdout, 1), (process.stderr, 2))
            ]
            for reader in readers:
                reader.start()
            self.code = self._waited(process)
        deadline = time.monotonic() + LAST_WORDS_S
        for reader in readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        self._tell_how_it_ended()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: a stop reaches all that the command has started. A terminal can't be its input then,
        # since it would be stopped for reading from it.
        stdin = subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None
        self._process = subprocess.Popen(
            self._command_line, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        if self._signalled is not None:  # It came while there was no process yet.
            self._signal(self._signalled)
        return self._process

    def _waited(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                self._heed_cancel()

    def _tell_how_it_ended(self) -> None:
        code = self.code
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        if code == 0:
            self._task.set_result({"exit_code": 0})
            return
        if self._task.cancelled or self._signalled == signal.SIGINT:
            self._say(f"the command {how} after it was asked to stop")
            raise TaskCancelled(self._task.task_id)
        if self._signalled is not None:
            raise TaskFailed(f"the command {how}: headway run got {self._signalled.name}", code="interrupted")
        raise TaskFailed(f"the command {how}", code="command_failed")

    # ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────

    def _heed_cancel(self) -> None:
        now = time.monotonic()
        if self._kill_at is None and self._task.cancelled:
            self._kill_at = now + self._grace_s
            self._say("asked to stop: SIGTERM was sent to the command")
            self._signal(signal.SIGTERM)
        elif self._kill_at is not None and now >= self._kill_at:
            self._kill_at = float("inf")
            self._say(f"still there after {self._grace_s:g} s: SIGKILL was sent to the command")
            self._signal(signal.SIGKILL)

    @contextlib.contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        """What a person or a service manager sends to us is meant for the command."""

        def pass_on(number: int, _frame: FrameType | None) -> None:
            self._signalled = signal.Signals(number)
            self._signal(self._signalled)

        before = {number: signal.getsignal(number) for number in PASSED_ON}
        # What nohup has switched off stays off.
        caught = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in caught:
            signal.signal(number, pass_on)
        try:
            yield
        finally:
            for number in caught:
                signal.signal(number, before[number])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    # ── output ───────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_on(self, pipe: IO[bytes], to: int) -> None:
        reader = LineReader()
        with pipe:
            while data := os.read(pipe.fileno(), CHUNK):
                try:
                    _write_all(to, data)
                except OSError:
                    # Whoever read it has gone, or the disk is full: the command learns it by its next write.
                    break
                read = reader.feed(data)
                self._report(read.lines, read.current)
        last = reader.feed(b"\n").lines[0]
        self._report((last,), "")

    def _report(self, lines: tuple[str, ...], current: str) -> None:
        """What was printed, as log lines and as the message. Whatever goes wrong with that, the command goes on."""
        said = [text for text in (*lines, current) if text]
        if not said:
            return
        try:
            for line in lines:
                if line:
                    self._say(line)
            if not self._task.cancelled:
                told = [percent_in(text) for text in said] if self._reads_percent else []
                progress = max((number for number in told if number is not None), default=None)
                with contextlib.suppress(TaskCancelled):
                    self._task.update(progress, message=said[-1][: limits.MESSAGE_CHARS])
        except HeadwayError as error:
            log.warning("output could not be reported: %s", error)

    def _say(self, line: str) -> None:
        """A log line, also once the task was asked to stop: that is told by an exception once."""
        try:
            self._task.log(line)
        except TaskCancelled:
            self._task.log(line)


def _write_all(to: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(to, view) :]
        except BlockingIOError:
            select.select([], [to], [])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end_by(number: int) -> None:
    """End as the command did, so that whoever waits for us sees the same. Without a core dump of ours."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # A signal that is blocked, or that ends nobody.


def _keep_log_quiet() -> None:
    """Warnings as one line each. How the task ended is no news here: its output was on this terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    handler.addFilter(lambda record: record.msg != "task %s failed")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.WARNING)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"headway: {record.getMessage()}"

"""Where a watched task is shown: one line of a terminal that is drawn anew, plain lines, or JSON."""

from __future__ import annotations

import json
import math
import shutil
from typing import Protocol, TextIO

from headway.cli import words
from headway.web.wire import LogLinePayload, TaskPayload

PLAIN_STEP = 10
SMALLEST_BAR, LARGEST_BAR = 10, 40


class Screen(Protocol):
    def show(self, task: TaskPayload, *, age_s: float, trouble: str) -> None:
        """The newest state. `age_s` is how long ago it came, `trouble` why nothing newer may come, or ''."""

    def log(self, line: LogLinePayload) -> None: ...

    def close(self) -> None: ...


class TerminalScreen:
    """One line that stays in its place; log lines go by above it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._unicode = (out.encoding or "").lower().replace("-", "").startswith("utf")
        self._line = ""

    def show(self, task: TaskPayload, *, age_s: float, trouble: str) -> None:
        # One column stays free: a terminal that wraps at its last one would leave a line behind for each update.
        line = status_line(
            task, age_s=age_s, trouble=trouble, width=shutil.get_terminal_size().columns - 1, unicode=self._unicode
        )
        if line != self._line:
            self._line = line
            self._write(f"\r\x1b[K{line}")

    def log(self, line: LogLinePayload) -> None:
        self._write(f"\r\x1b[K{words.clean(line['text'])}\n{self._line}")

    def close(self) -> None:
        if self._line:
            self._write("\n")
            self._line = ""

    def _write(self, text: str) -> None:
        self._out.write(printable(text, self._out))
        self._out.flush()


class PlainScreen:
    """For files, pipes and services: a line for each new state, stage or message, and for each ten percent."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said: tuple[object, ...] = ()
        self._trouble = ""

    def show(self, task: TaskPayload, *, age_s: float, trouble: str) -> None:  # noqa: ARG002
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                self._print(trouble)
        progress = task["progress"]
        tens = None if progress is None else math.floor(progress / PLAIN_STEP)
        said = (task["epoch"], task["attempt"], task["state"], task["status"], task["message"], task["worker"], tens)
        if said != self._said:
            self._said = said
            details = [
                words.headline(task),
                words.amounts(task),
                words.time_left(task),
                "no sign of life from its worker" if task["worker"] == "silent" else "",
            ]
            self._print(f"{words.percent(progress)}  {' · '.join(filter(None, details))}")

    def log(self, line: LogLinePayload) -> None:
        self._print(f"  | {words.clean(line['text'])}")

    def close(self) -> None:
        pass

    def _print(self, text: str) -> None:
        print(printable(text, self._out), file=self._out, flush=True)


class JsonScreen:
    """Each state as one line of JSON, for programs."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._seen: tuple[str, int] | None = None

    def show(self, task: TaskPayload, *, age_s: float, trouble: str) -> None:  # noqa: ARG002
        if (task["epoch"], task["rev"]) != self._seen:
            self._seen = (task["epoch"], task["rev"])
            print(json.dumps(task), file=self._out, flush=True)

    def log(self, line: LogLinePayload) -> None:
        pass

    def close(self) -> None:
        pass


def status_line(task: TaskPayload, *, age_s: float, trouble: str, width: int, unicode: bool = True) -> str:
    """Title, bar, percentage, and as much of the rest as there is room for."""
    title = words.fitted(words.title(task), max(10, width // 4))
    bar_width = min(LARGEST_BAR, max(SMALLEST_BAR, width // 4))
    begins = f"{title} {words.bar(task['progress'], bar_width, unicode=unicode)} {words.percent(task['progress'])}"
    notes = [trouble or words.doubts(task, age_s), words.amounts(task), words.time_left(task), words.headline(task)]
    return words.fitted("  ".join([begins, " · ".join(filter(None, notes))]).rstrip(), max(1, width))


def printable(text: str, out: TextIO) -> str:
    """The text with a ? for each character that this output has no bytes for."""
    encoding = out.encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)

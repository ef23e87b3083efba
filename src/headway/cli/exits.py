"""How the commands end: one meaning for each exit code."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
CANCELLED = 3
NOT_FOUND = 4
UNREACHABLE = 5
NOT_EXECUTABLE = 126
COMMAND_NOT_FOUND = 127
INTERRUPTED = 130

OF_STATE = {"completed": OK, "failed": FAILED, "cancelled": CANCELLED}


class CommandFailed(Exception):
    """A sentence for the person at the terminal, and the exit code that goes with it."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code

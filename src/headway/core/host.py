"""Which host and process this is, and whether another process of this host still exists.

A pid alone is reused; together with the start time it names one process. Within containers the same pid means different
processes, so the pid namespace is a part of the host's name.
"""

from __future__ import annotations

import os
from functools import cache


@cache
def host_name() -> str:
    """The boot of this kernel and the pid namespace; elsewhere than on Linux the node's name."""
    try:
        return f"{_read('/proc/sys/kernel/random/boot_id').strip()}/{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - see _read
    except OSError:
        import platform  # Here: it costs 3 ms that Linux does not need.

        return platform.node()


def process_started(pid: int) -> str | None:
    """When the process began, as opaque text ("" where the system does not say), or None if there is no such process.

    A zombie has ended: nobody works there any more. Source: proc(5), fields 3 and 22 of /proc/PID/stat.
    """
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return _exists_unseen(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def is_gone(pid: int, started: str) -> bool:
    """Whether the process that had this pid, and began then, has ended. False where that can't be told."""
    found = process_started(pid)
    return found is None or ("" not in (found, started) and found != started)


def _exists_unseen(pid: int) -> str | None:
    """Without /proc, or where it hides the processes of other users (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


def _read(path: str) -> str:
    # Not `Path.read_text`: importing that takes 8 ms, for what URLs and addresses need.
    with open(path) as file:  # noqa: PTH123
        return file.read()

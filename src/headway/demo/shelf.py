"""Where the studio's files are: a folder a task, with a fixed set of names in it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from headway.model.errors import InvalidValue

OVERVIEW = "overview.webp"
ARCHIVE = "post.zip"
PART = ".part"  # the ending of a file that is not whole yet

_NAME = re.compile(r"(?:card-\d\d\.png|thumb-\d\d\.webp|overview\.webp|post\.zip)")
_TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


class Shelf:
    """Constructing touches no disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, task_id: str) -> Path:
        """The folder of a task, which may not be there. Raises `InvalidValue` for what is no plain name."""
        if not _TASK_ID.fullmatch(task_id):
            raise InvalidValue("task_id", "must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot")
        return self._folder / task_id

    def file(self, task_id: str, name: str) -> Path | None:
        """A finished file of a task, or None: whatever a visitor asks for may be passed."""
        if not _NAME.fullmatch(name) or not _TASK_ID.fullmatch(task_id):
            return None
        path = self._folder / task_id / name
        return path if path.is_file() else None

    def fresh(self, task_id: str) -> Path:
        """An empty folder for the task; what an earlier attempt left is removed."""
        folder = self.folder(task_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def remove(self, task_id: str) -> None:
        """Remove what there is of a task. Harmless where there is nothing."""
        shutil.rmtree(self.folder(task_id), ignore_errors=True)


def card_name(number: int) -> str:
    return f"card-{number:02d}.png"


def thumb_name(number: int) -> str:
    return f"thumb-{number:02d}.webp"

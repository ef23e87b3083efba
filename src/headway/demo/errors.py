"""What can go wrong in the studio. Each error has a `code` for programs and a message that says what to do."""

from __future__ import annotations

from headway.model.errors import TaskFailed


class FontMissing(TaskFailed):
    """No font on this machine has Chinese characters."""

    def __init__(
        self,
        message: str = "No font with Chinese characters was found, so no cards can be drawn. "
        "Install one, for example with: apt-get install fonts-noto-cjk",
        *,
        code: str = "font_missing",
    ) -> None:
        super().__init__(message, code=code)


class PictureFailed(TaskFailed):
    """A card could not be drawn: `picture_failed`, or `picture_worker_lost` where the drawing process died twice."""


class GeneratorError(TaskFailed):
    """The copy could not be written; `code` says why, and the message what to do about it."""

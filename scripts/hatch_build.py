"""Refuses to build a wheel that lacks its browser half."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT_BY_SETUP = (
    *(f"static/js/{name}" for name in ("progress.js", "progress.mjs", "progress-more.mjs", "socket.io.min.js")),
    "static/js/built/test-page.js",
    *(f"demo/static/js/built/{name}.js" for name in ("studio", "task", "tasks")),
)


class BrowserFilesHook(BuildHookInterface[Any]):
    """The scripts are made at set-up and git-ignored, so a fresh clone has none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Stop unless the scripts are there; an editable install serves them from the checkout, whenever they come."""
        if version == "editable":
            return
        package = Path(self.root, "src", "headway")
        missing = [name for name in BUILT_BY_SETUP if not (package / name).is_file()]
        if missing:
            raise SystemExit(f"headway: {', '.join(missing)} not built; run `npm ci && npm run build` first")

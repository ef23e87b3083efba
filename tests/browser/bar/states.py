"""Every state in which a bar can be, as what the server says of its task."""

from __future__ import annotations

import time
from typing import Any

PAGES = {
    "light": {"scheme": "light"},
    "dark-zh": {"scheme": "dark", "lang": "zh-CN"},
    "rtl": {"scheme": "light", "lang": "ar", "reads": "rtl"},
    "forced-colours": {"scheme": "dark", "forced": "active"},
    "compact": {"scheme": "light", "width": 19 * 16},
    "compact-dark-zh": {"scheme": "dark", "lang": "zh-CN", "width": 19 * 16},
    "tiny": {"scheme": "light", "width": 13 * 16},
}


def states() -> dict[str, dict[str, Any]]:
    now = time.time()
    stages = [
        {"name": "a", "label": "Read", "weight": 1, "state": "completed", "progress": 100},
        {"name": "b", "label": "Write", "weight": 1, "state": "running", "progress": 40},
        {"name": "c", "label": "Check", "weight": 1, "state": "pending", "progress": 0},
    ]
    nested = [
        {"name": "text", "label": "Text", "weight": 1, "state": "completed", "progress": 100},
        {"name": "pictures", "label": "Pictures", "weight": 3, "state": "running", "progress": 58},
        {"name": "card_1", "label": None, "weight": 1, "state": "completed", "progress": 100, "parent": "pictures"},
        {"name": "card_2", "label": None, "weight": 2, "state": "running", "progress": 25, "parent": "pictures"},
        {"name": "card_3", "label": None, "weight": 1, "state": "pending", "progress": 0, "parent": "pictures"},
        {"name": "draw", "label": "Draw", "weight": 0, "state": "completed", "progress": 100, "parent": "card_2"},
        {"name": "upload", "label": "Upload", "weight": 0, "state": "running", "progress": 10, "parent": "card_2"},
        {"name": "layout", "label": "Layout", "weight": 1, "state": "pending", "progress": 0},
        {"name": "crop", "label": "Crop", "weight": 1, "state": "pending", "progress": 0, "parent": "layout"},
    ]
    running = {"state": "running", "progress": 42.5, "message": "Reading", "worker": "alive", "started_at": now - 60}
    details = {"completed": 3, "total": 7, "unit": "files", "current": "a.txt", "more": "x"}
    error = {"code": "x", "message": "No"}
    return {
        "waiting": {"state": "pending"},
        "running": running | {"name": "Import", "details": details, "eta_s": 60, "rate": 2},
        "stages": running | {"status": "b", "stages": stages},
        "nested": running | {"status": "upload", "name": "Post", "stages": nested},
        "indeterminate": running | {"progress": None},
        "quiet": running | {"updated_at": now - 60},
        "silent": running | {"worker": "silent", "updated_at": now - 40},
        "cancelling": running | {"state": "cancelling", "cancel_requested_at": now - 30},
        "cancelled": running | {"state": "cancelled", "finished_at": now},
        "failed": running | {"state": "failed", "error": error, "stages": stages, "finished_at": now},
        "completed": running | {"state": "completed", "progress": 100, "finished_at": now},
    }

"""What the peers send for an update: the same fields that Headway sends, so that the bytes compare."""

from __future__ import annotations

import time
from typing import Any


def payload(task_id: str, ts: int) -> dict[str, Any]:
    now = time.time()
    return {
        "task_id": task_id,
        "name": None,
        "state": "running",
        "status": "running",
        "progress": 1,
        "message": "",
        "details": {"ts": ts},
        "stages": None,
        "eta_s": None,
        "rate": None,
        "epoch": "0123456789abcdef",
        "rev": int(now * 1000),
        "attempt": 1,
        "worker": "alive",
        "cancel_requested_at": None,
        "cancel_reason": None,
        "created_at": now,
        "started_at": now,
        "updated_at": now,
        "finished_at": None,
        "server_time": now,
        "result": None,
        "result_url": None,
        "error": None,
    }

"""The demo with a crowd of tasks in memory, a few of which keep moving: `python crowd_server.py`."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace

from headway.core.progress_manager import ProgressManager
from headway.demo.server import build
from headway.settings import from_environ
from headway.web.serve import serve

CROWD = 10_000
MOVING = 12
TURN_S = 0.25


def people(manager: ProgressManager) -> list[str]:
    """Makes the crowd, in every state; the ids of those that are to move. Some of these are among the newest."""
    moving = []
    for number in range(CROWD):
        task_id = manager.create_task(f"Crowd {number:05}: {'import' if number % 7 else 'export'}", owner="crowd")
        if number >= CROWD - MOVING:
            moving.append(task_id)
        elif number % 5 == 1:
            continue  # waits
        manager.update_progress(task_id, progress=number % 90, message=f"step {number}")
        if number < CROWD - MOVING and number % 5:
            end(manager, task_id, number)
    return moving


def end(manager: ProgressManager, task_id: str, number: int) -> None:
    if number % 20 == 3:
        manager.fail_task(task_id, f"disk {number} is full")
    elif number % 20 == 4:
        manager.cancel_task(task_id)
    else:
        manager.complete_task(task_id)


def keep_moving(manager: ProgressManager, task_ids: list[str]) -> None:
    pause = threading.Event()
    turn = 0
    while not pause.wait(TURN_S):
        turn += 1
        for task_id in task_ids:
            manager.update_progress(task_id, progress=min(99, turn / 10), message=f"turn {turn}")


def main() -> int:
    settings = replace(from_environ(), store="memory://")
    demo = build(settings)
    try:
        moving = people(demo.manager)
        threading.Thread(target=keep_moving, args=(demo.manager, moving), daemon=True).start()
        serve(demo.gateway, host=settings.host, port=settings.port)
    finally:
        demo.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

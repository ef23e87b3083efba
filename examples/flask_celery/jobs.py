"""What Celery runs. Web process and workers both import this module: `celery -A jobs worker`."""

from __future__ import annotations

import os
import time

from celery import Celery

from headway import ProgressManager, Reporter
from headway.runners.celery import CeleryRunner

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")

app = Celery("jobs", broker=f"{REDIS}/0")
manager = ProgressManager(store=f"{REDIS}/1")
runner = CeleryRunner(manager, app)


@runner.task
def resize(reporter: Reporter, pictures: int) -> dict[str, int]:
    """Stands for real work: a picture takes 50 ms."""
    for number in reporter.track(range(1, pictures + 1)):
        reporter.update(message=f"picture {number}", details={"unit": "pictures"})
        time.sleep(0.05)
    return {"pictures": pictures}

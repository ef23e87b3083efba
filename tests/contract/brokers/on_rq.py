"""The contract's jobs on RQ: `rq worker` imports the functions themselves."""

from __future__ import annotations

import os

from redis import Redis
from rq import Queue

from headway import ProgressManager
from headway.runners.rq import RqRunner

manager = ProgressManager(store=os.environ["TEST_STORE"])
queue = Queue("contract", connection=Redis.from_url(os.environ["TEST_BROKER"]))
runner = RqRunner(manager, queue)
limited = RqRunner(manager, queue, name="rq-limited", job_timeout=1)

"""The contract's jobs as Dramatiq actors: `dramatiq tests.contract.brokers.on_dramatiq`."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from headway import ProgressManager
from headway.runners.dramatiq import DramatiqRunner
from tests.contract.brokers.jobs import JOBS, never_ends, works_the_second_time

manager = ProgressManager(store=os.environ["TEST_STORE"])
broker = RedisBroker(url=os.environ["TEST_BROKER"])
dramatiq.set_broker(broker)
runner = DramatiqRunner(manager, broker)
actors = {job.__name__: runner.actor(job, max_retries=0) for job in JOBS}
limited = runner.actor(never_ends, actor_name="limited", max_retries=0, time_limit=1_000)
tries_again = runner.actor(
    works_the_second_time, actor_name="tries_again", max_retries=1, min_backoff=1_000, max_backoff=1_000
)

"""The contract's jobs as Celery tasks: `celery -A tests.contract.brokers.on_celery worker`."""

from __future__ import annotations

import os

from celery import Celery, chain
from celery.exceptions import Ignore, Reject

from headway import ProgressManager, TaskFailed
from headway.runners.celery import CeleryRunner, HeadwayTask
from tests.contract.brokers.jobs import JOBS, never_ends, works_the_second_time

manager = ProgressManager(store=os.environ["TEST_STORE"])
app = Celery("contract", broker=os.environ["TEST_BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_ignore_result=True,
)
runner = CeleryRunner(manager, app)
tasks = {job.__name__: runner.task(job, name=job.__name__) for job in JOBS}
limited = runner.task(never_ends, name="limited", time_limit=1)
tries_again = runner.task(
    works_the_second_time, name="tries_again", autoretry_for=(TaskFailed,), max_retries=1, default_retry_delay=1
)


@app.task(base=HeadwayTask, bind=True, name="plain")
def plain(self: HeadwayTask, n: int) -> int:
    """Without the decorator: the reporter is the task's."""
    self.reporter.update(total=n)
    for _ in range(n):
        self.reporter.advance()
    return n


@app.task(base=HeadwayTask, bind=True, name="hands_over")
def hands_over(self: HeadwayTask, n: int) -> None:
    raise self.replace(chain(plain.s(n), doubled.s()))


@app.task(base=HeadwayTask, name="doubled")
def doubled(n: int) -> int:
    return 2 * n


@app.task(base=HeadwayTask, name="looks_away")
def looks_away() -> None:
    raise Ignore


@app.task(base=HeadwayTask, name="refuses")
def refuses() -> None:
    raise Reject("not today", requeue=False)

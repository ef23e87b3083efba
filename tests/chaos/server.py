"""The server under chaos: a real gateway on a SQLite file, with a runner that always has some tasks at hand.

`python -m tests.chaos.server`; its standard output is the journal (ledger.py), and begins with {"op": "ready"}. When
its standard input ends, no more tasks are begun.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import threading
from pathlib import Path

from headway import ProgressManager
from headway.model.errors import HeadwayError
from headway.runners import LocalRunner
from headway.stores.sqlite import SqliteStore
from headway.web.gateway import Gateway
from headway.web.serve import new_server
from tests.chaos import power, work
from tests.chaos.clock import SteerableClock

AT_HAND = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sync-points", type=Path, default=None)
    given = parser.parse_args()
    if given.sync_points is not None:
        power.copy_at_sync_points(given.store, given.sync_points)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    clock = SteerableClock(given.clock)
    manager = ProgressManager(
        store=SqliteStore(given.store, clock=clock), clock=clock, lease_s=work.LEASE_S, keep_for=None, keep_tasks=None
    )
    journal = work.Journal()
    runner = LocalRunner(manager, workers=AT_HAND, name="chaos", grace_s=0.5)
    stopping = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
    feeder = threading.Thread(target=_feed, args=(manager, runner, journal, given.seed, stopping), daemon=True)
    server = new_server(
        Gateway(manager, heartbeat_s=5), port=given.port, on_ready=lambda _: (journal.write(op="ready"), feeder.start())
    )
    # uvicorn hands the signal on when it is done; what follows is to be done still.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run()
    finally:
        stopping.set()
        runner.close()
        manager.close()


def _feed(
    manager: ProgressManager, runner: LocalRunner, journal: work.Journal, seed: int, stopping: threading.Event
) -> None:
    rng = random.Random(seed)
    number = 0
    while not stopping.wait(0.5):
        number += 1
        try:
            if len(manager.store.held()) < 200:
                task_id = runner.submit(work.job, seed * 10_000 + number, rng.randrange(20, 90))
                journal.write(op="create", task_id=task_id, epoch=manager.get_task(task_id).epoch)
        except HeadwayError as error:
            logging.getLogger("chaos").warning("no task could be begun: %s", error)


if __name__ == "__main__":
    main()

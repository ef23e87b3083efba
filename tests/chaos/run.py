"""`make chaos`: a running system is killed, cut, filled up and set back, and what its viewers saw is judged.

    python tests/chaos/run.py --minutes 15            # a new seed, printed
    python tests/chaos/run.py --minutes 15 --seed 42  # the same faults in the same order again

Ends with figures, and with code 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.chaos.act import Act, Figures
from tests.chaos.plan import EVERY_S, OFTEN_S, POWER_S, Plan


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("HEADWAY_CHAOS_MINUTES", "5")))
    seeded = os.environ.get("HEADWAY_CHAOS_SEED")
    parser.add_argument("--seed", type=int, default=seeded, help="run the same faults in the same order again")
    parser.add_argument("--viewers", type=int, default=40)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--often", action="store_true", help="more blows a second, for a short run")
    parser.add_argument("--act-seconds", type=float, default=120, help="each act has a store of its own")
    parser.add_argument("--power", action="store_true", help="with power cuts, as every third act has anyway")
    parser.add_argument("--without", default="", help="blows to leave out, parted by commas")
    parser.add_argument("--keep", type=Path, default=None, help="leave stores and logs in this folder")
    given = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    print(f"chaos: seed {seed}, {given.minutes:g} minutes, {given.viewers} viewers", flush=True)
    total = Figures()
    left_s = given.minutes * 60
    number = 0
    with tempfile.TemporaryDirectory(prefix="headway-chaos-") as temporary:
        while left_s > 0:
            number += 1
            with_power_cuts = given.power or (number % 3 == 0 and not given.often)
            every_s = POWER_S if with_power_cuts else OFTEN_S if given.often else EVERY_S
            if given.often and with_power_cuts:
                every_s = every_s | {"power": 3.0}
            every_s = {blow: often for blow, often in every_s.items() if blow not in given.without.split(",")}
            seconds = min(left_s, given.act_seconds)
            plan = Plan(seed * 1_000 + number, seconds, given.viewers, given.workers, every_s)
            folder = Path(given.keep or temporary) / f"act-{number}"
            folder.mkdir(parents=True)
            figures = asyncio.run(Act(plan, folder).play())
            print(f"chaos: act {number} (seed {plan.seed}): {figures.line()}", flush=True)
            for problem in figures.problems[:20]:
                print(f"chaos:   {problem}", flush=True)
            total.add(figures)
            left_s -= plan.seconds
    print(f"chaos: total: {total.line()}")
    print(total.table())
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""What is done to the system, and when: decided by the seed before anything begins, so that it can be done again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from tests.chaos.proxy import FAULTS

Blow = Literal["net", "kill", "pause", "clock", "lock", "full", "readonly", "delete", "replace", "power"]

EVERY_S: dict[Blow, float] = {
    "net": 0.7,
    "kill": 5.0,
    "pause": 15.0,
    "clock": 8.0,
    "lock": 20.0,
    "full": 20.0,
    "readonly": 30.0,
    "delete": 60.0,
    "replace": 60.0,
}
OFTEN_S: dict[Blow, float] = {
    "net": 0.3,
    "kill": 3.0,
    "pause": 6.0,
    "clock": 4.0,
    "lock": 8.0,
    "full": 8.0,
    "readonly": 10.0,
    "delete": 14.0,
    "replace": 14.0,
}
"""For runs of half a minute."""
POWER_S: dict[Blow, float] = {"net": 0.7, "kill": 12.0, "pause": 20.0, "power": 7.0}
"""For acts with power cuts. No clock jumps: revs rise over a cut because time has passed."""
JUMPS_S = (-86_400.0, -3_600.0, -60.0, -2.0, 0.0, 2.0, 60.0, 3_600.0, 86_400.0)


@dataclass(frozen=True)
class Step:
    at_s: float
    blow: Blow
    what: str = ""
    """For `net` the fault, for `kill` and `pause` whom and how."""
    number: float = 0.0
    """For how long, or how far."""


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float
    viewers: int = 40
    workers: int = 3
    every_s: dict[Blow, float] = field(default_factory=lambda: dict(EVERY_S))

    def steps(self) -> list[Step]:
        """In order of time."""
        rng = random.Random(self.seed)
        found: list[Step] = []
        for blow, every_s in self.every_s.items():
            at_s = rng.uniform(0.3, 1.3) * every_s
            while at_s < self.seconds:
                found.append(_step(rng, at_s, blow, self.workers))
                at_s += rng.uniform(0.5, 1.5) * every_s
        return sorted(found, key=lambda step: step.at_s)


def _step(rng: random.Random, at_s: float, blow: Blow, workers: int) -> Step:
    match blow:
        case "net":
            return Step(at_s, blow, rng.choice((*FAULTS, "cut_all")), rng.uniform(0.2, 4))
        case "kill":
            whom = rng.choice(("server", *(f"worker {number}" for number in range(workers))))
            return Step(at_s, blow, f"{whom} {rng.choice(('SIGKILL', 'SIGKILL', 'SIGTERM'))}", rng.uniform(0, 0.8))
        case "pause":
            whom = rng.choice(("server", *(f"worker {number}" for number in range(workers))))
            return Step(at_s, blow, whom, rng.uniform(0.2, 4))
        case "clock":
            return Step(at_s, blow, "", rng.choice(JUMPS_S))
        case "lock":
            return Step(at_s, blow, "", rng.uniform(0.1, 6.5))
        case _:
            return Step(at_s, blow, "", rng.uniform(0.1, 3))

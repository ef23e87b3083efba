"""Who watches what, and what each viewer has seen: the hub's records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from headway.model.task import Task
from headway.web.frames import Frame

if TYPE_CHECKING:
    from headway.web.logs import LogFollower
    from headway.web.protocol import Connection


class Subscription:
    """One viewer of one task."""

    __slots__ = ("connection", "epoch", "follower", "is_over", "is_owed", "rev", "watch")

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self.connection = connection
        self.watch = watch
        self.epoch = ""
        self.rev = -1
        """What it has seen: only what is newer is sent."""
        self.is_owed = True
        """It has just joined: the current state is due, even if it repeats the last one."""
        self.is_over = False
        self.follower: LogFollower | None = None

    def has_been_sent(self, task: Task) -> bool:
        """This state, or a newer one."""
        return self.rev >= task.rev and self.epoch == task.epoch and not self.is_owed


class Watch:
    """One watched task: its newest stored state, and who watches."""

    __slots__ = (
        "audience",
        "doubted",
        "followers",
        "frame",
        "frame_at",
        "framed",
        "head",
        "is_reading_log",
        "is_waiting",
        "next_at",
        "pins",
        "sent",
        "subscriptions",
        "task",
    )

    def __init__(self) -> None:
        self.task: Task | None = None
        self.doubted: Task | None = None
        """What was shown, and the store did not know when it was last compared."""
        self.subscriptions: dict[Connection, Subscription] = {}
        self.audience: tuple[Subscription, ...] | None = ()
        """The same as a tuple, made when needed."""
        self.followers: dict[Subscription, None] = {}
        """Those that follow its log."""
        self.pins = 0
        """Keeps it while somebody is about to join."""
        self.is_reading_log = False
        self.sent: Task | None = None
        self.next_at = 0.0
        """Before that (monotonic), only a change of state goes out."""
        self.is_waiting = False
        self.framed: Task | None = None
        """Which state `frame` tells, and `head`, its payload's beginning."""
        self.head = ""
        self.frame: Frame | None = None
        self.frame_at = 0.0


class Driver(Protocol):
    """Turns the hub's crank: calls `deliver` on one thread or loop when woken, and `heal` every few seconds."""

    def wake(self) -> None:
        """There is something to deliver. From any thread; cheap when it was woken already."""

    def heal_soon(self) -> None:
        """Call `heal`, not here but soon. From any thread; must return quickly."""

    def background(self, work: Callable[[], None]) -> None:
        """Do what may block elsewhere, soon."""


@dataclass(slots=True)
class Stats:
    """Counters since the start, for /metrics."""

    frames: int = 0
    skipped: int = 0
    events: int = 0
    refused: int = 0
    healed: int = 0

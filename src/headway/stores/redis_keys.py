"""The names of all keys. Those of one task share a hash slot, and so do the indexes: a script touches one slot only."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.task import State, Task


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything under one prefix."""

    prefix: str

    # ── of one task ──────────────────────────────────────────────────────────────────────────────────────────────

    def task(self, task_id: str) -> str:
        """Hash: rev, epoch, token (of the last writer's call), record (model/codec.py), lines (ever logged)."""
        return f"{{{self.prefix}:{task_id}}}:task"

    def log(self, task_id: str) -> str:
        """Stream: line n has the id n-0."""
        return f"{{{self.prefix}:{task_id}}}:log"

    def result(self, task_id: str) -> str:
        return f"{{{self.prefix}:{task_id}}}:result"

    def tombstone(self, task_id: str) -> str:
        """The rev of a task that was deleted: another one with this id goes on above it."""
        return f"{{{self.prefix}:{task_id}}}:gone"

    def channel(self, task_id: str) -> str:
        return f"{self.prefix}:change:{task_id}"

    def task_of(self, channel: str) -> str:
        return channel.removeprefix(self.channel(""))

    @property
    def all_channels(self) -> str:
        return self.channel("*")

    @property
    def resets(self) -> str:
        """Channel: somebody has found an empty Redis, and begun another history."""
        return f"{self.prefix}:reset"

    # ── of all ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def epoch(self) -> str:
        return f"{{{self.prefix}}}:epoch"

    @property
    def leases(self) -> str:
        """Hash: lease id → JSON."""
        return f"{{{self.prefix}}}:leases"

    @property
    def holders(self) -> str:
        """Set: who holds, or has held, a task."""
        return f"{{{self.prefix}}}:holders"

    def held(self, holder: str) -> str:
        """Set: the tasks that this holder may hold."""
        return f"{{{self.prefix}}}:held:{holder}"

    @property
    def finished(self) -> str:
        """Sorted set: the tasks that may have ended, by when."""
        return f"{{{self.prefix}}}:finished"

    def in_state(self, state: State, owner: str | None = None) -> str:
        """Sorted set: the tasks that may be in this state, by creation; of all, or of one owner."""
        return f"{{{self.prefix}}}:state:{state}" if owner is None else f"{{{self.prefix}}}:state:{state}:{owner}"

    def states_of(self, task: Task) -> list[str]:
        """The sorted sets by creation that this task belongs in."""
        every = self.in_state(task.state)
        return [every] if task.owner is None else [every, self.in_state(task.state, task.owner)]

"""The runners that this process knows, by name: who can run a task again, and who can stop its worker."""

from __future__ import annotations

from headway.model.errors import InvalidValue, NotRetryable
from headway.model.ports import QueueHere, Runner
from headway.model.task import LIFE_CYCLE, Task


class RunnerRegistry:
    """Filled by `register_runner`, emptied as runners close."""

    def __init__(self) -> None:
        self._by_name: dict[str, Runner] = {}

    def add(self, runner: Runner) -> None:
        if self._by_name.setdefault(runner.name, runner) is not runner:
            raise InvalidValue("name", f"must be unique: there is a runner {runner.name!r} already")

    def remove(self, runner: Runner) -> None:
        if self._by_name.get(runner.name) is runner:
            del self._by_name[runner.name]

    def holds_pending(self, name: str | None) -> bool:
        """Whether a task that waits in this runner's queue is lost when this process ends."""
        runner = self._by_name.get(name or "")
        return runner is not None and runner.holds_pending

    def has(self, task: Task) -> bool:
        """Whether its runner here has it at hand, as far as that is known."""
        runner = self._by_name.get(task.runner or "")
        return not isinstance(runner, QueueHere) or runner.has(task)

    def will_tell(self, task: Task) -> bool:
        """Whether a runner in this process waits for the end of this attempt, and knows better how it came."""
        runner = self._by_name.get(task.runner or "")
        return isinstance(runner, QueueHere) and runner.has(task)

    def can_retry(self, task: Task) -> bool:
        runner = self._by_name.get(task.runner or "")
        return runner is not None and "pending" in LIFE_CYCLE[task.state] and runner.can_retry(task)

    def retry(self, task: Task) -> None:
        """Queue the attempt that has begun. Raises `NotRetryable`, `QueueFull`."""
        runner = self._by_name.get(task.runner or "")
        if runner is None:
            raise NotRetryable(task.task_id)
        runner.retry(task)

    def stop(self, task: Task, *, force: bool) -> str | None:
        """Tell the runner that the task was asked to stop. How its worker was ended, where that was wanted and done."""
        runner = self._by_name.get(task.runner or "")
        if runner is None:
            return None
        runner.stop_task(task)
        return runner.kill_task(task) if force and task.state == "cancelling" else None

"""The work of a test task: as long, as chatty and as ill-behaved as it was asked to be."""

from __future__ import annotations

import os
import signal
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NoReturn

from headway.model.errors import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from headway.core.reporter import Reporter

# Work that does not end well ends here, so that a viewer sees the bar stop in the middle.
TURNING_POINT = 0.6
# How long a cancel may go unnoticed between two updates.
GLANCE_S = 0.05
LOG_LINES = 20

# English, Chinese.
_WORDS: Mapping[str, tuple[str, str]] = {
    "name": (
        "Test task: {seconds:g} s, {updates:,} updates, {outcome}",
        "测试任务：{seconds:g} 秒，更新 {updates:,} 次，{outcome}",
    ),
    "begin": (
        "test task: {updates} updates in {seconds:g} s, to {outcome}",
        "测试任务：{seconds:g} 秒内更新 {updates} 次，结局：{outcome}",
    ),
    "update": ("update {done} of {updates}", "第 {done} 次更新，共 {updates} 次"),
    "fail": ("failing, as asked", "按要求失败"),
    "crash": ("killing this worker process, as asked", "按要求杀掉这个执行进程"),
    "hang": ("hanging, as asked", "按要求挂起"),
    "failed": ("The test task failed, as it was asked to.", "测试任务按要求失败了。"),
}
_OUTCOMES = {"complete": "完成", "fail": "失败", "hang": "挂起", "crash": "崩溃"}


def trial_name(language: str, *, seconds: float, updates: int, outcome: str) -> str:
    """What the list of tasks calls it."""
    return _said("name", language, seconds=seconds, updates=updates, outcome=outcome)


def run_trial(
    reporter: Reporter,
    *,
    seconds: float,
    updates: int,
    steps: Sequence[str] = (),
    outcome: str = "complete",
    language: str = "en",
) -> dict[str, object]:
    """Report `updates` times within `seconds`, evenly over the stages `steps`; then end as `outcome` says."""
    started = time.monotonic()
    last = updates if outcome == "complete" else max(1, int(updates * TURNING_POINT))
    if not steps:
        reporter.update(total=updates)
    reporter.log(_said("begin", language, updates=updates, seconds=seconds, outcome=outcome))
    done = 0
    for stage, share in _shares(steps, updates):
        with _step(reporter, stage, share):
            for _ in range(share):
                done += 1
                _pause_until(reporter, started + seconds * done / updates)
                reporter.advance(1)
                message = _said("update", language, done=done, updates=updates)
                reporter.update(message=message)
                if done % max(1, updates // LOG_LINES) == 0:
                    reporter.log(message)
                if done == last and outcome != "complete":
                    # Within the stage, which is not completed then.
                    _go_wrong(reporter, outcome, language)
    return {"updates": done, "seconds": round(time.monotonic() - started, 3)}


def _said(key: str, language: str, **values: object) -> str:
    if language == "zh-CN" and "outcome" in values:
        values["outcome"] = _OUTCOMES[str(values["outcome"])]
    return _WORDS[key][language == "zh-CN"].format(**values)


def _go_wrong(reporter: Reporter, outcome: str, language: str) -> NoReturn:
    reporter.log(_said(outcome, language), level="warning" if outcome == "hang" else "error")
    if outcome == "fail":
        raise TaskFailed(_said("failed", language), code="test_failure")
    if outcome == "crash":
        _pause_until(reporter, time.monotonic() + 0.3)  # let the last report reach the store
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        _pause_until(reporter, time.monotonic() + 60)


def _shares(stages: Sequence[str], updates: int) -> list[tuple[str | None, int]]:
    """Each stage with its part of `updates`, which may be none."""
    if not stages:
        return [(None, updates)]
    edges = [updates * index // len(stages) for index in range(len(stages) + 1)]
    return [(name, edges[index + 1] - edges[index]) for index, name in enumerate(stages)]


def _step(reporter: Reporter, stage: str | None, share: int) -> AbstractContextManager[object]:
    return nullcontext() if stage is None else reporter.step(stage, total=max(1, share))


def _pause_until(reporter: Reporter, deadline: float) -> None:
    while (left := deadline - time.monotonic()) > 0:
        reporter.raise_if_cancelled()
        time.sleep(min(left, GLANCE_S))

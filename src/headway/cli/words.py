"""What a task looks like in words: pure text from a task as it goes over the wire."""

from __future__ import annotations

import math
import re
import unicodedata

from headway.web.wire import TaskPayload

QUIET_S = 10
FULL, EMPTY = "█", "░"
PLAIN_FULL, PLAIN_EMPTY = "#", "-"

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def clean(text: str) -> str:
    """The text on one line and without what would move a terminal's cursor, ring its bell or turn its letters."""
    visible = _ESCAPES.sub("", text).translate(_BIDI)
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in visible)


def columns(text: str) -> int:
    """How wide a terminal shows it: Chinese characters take two columns, combining marks none."""
    return sum(_width(char) for char in text)


def fitted(text: str, width: int) -> str:
    """The text, cut with … where it is wider than `width` columns."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        if used + _width(char) > width - 1:
            break
        kept.append(char)
        used += _width(char)
    return "".join(kept) + "…" if width > 0 else ""


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def bar(progress: float | None, width: int, *, unicode: bool = True) -> str:
    """A bar of `width` columns. What is not known is left empty: nothing moves that has no news."""
    full, empty = (FULL, EMPTY) if unicode else (PLAIN_FULL, PLAIN_EMPTY)
    done = math.floor(width * (progress or 0) / 100)
    return full * done + empty * (width - done)


def percent(progress: float | None) -> str:
    return "  ? %" if progress is None else f"{math.floor(progress):>3} %"


def duration(seconds: float) -> str:
    """As precise as it is useful: 8 s, 3 min, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d"


def amounts(task: TaskPayload) -> str:
    """'420/1,000 rows', or '' where nothing is counted."""
    completed, total, unit = (task["details"].get(key) for key in ("completed", "total", "unit"))
    if not isinstance(completed, int | float):
        return ""
    counted = _count(completed) + (f"/{_count(total)}" if isinstance(total, int | float) else "")
    return f"{counted} {clean(unit)}" if isinstance(unit, str) and unit else counted


def _count(amount: float) -> str:
    return f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.2f}"


def headline(task: TaskPayload) -> str:
    """What it is doing, or how it has ended."""
    state = task["state"]
    message = clean(task["message"])
    if state == "failed" and task["error"] is not None:
        return f"failed: {clean(task['error']['message'])} ({task['error']['code']})"
    if state == "cancelling":
        return f"asked to stop{_age_of(task, task['cancel_requested_at'])}, still running"
    if state == "pending":
        return message or f"waiting{_for(task['server_time'] - task['created_at'])}"
    words = _stage_label(task) if state == "running" else state
    return f"{words}: {message}" if message else words


def _stage_label(task: TaskPayload) -> str:
    """The active stage, behind what it is a part of: 'Pictures › Card 2'."""
    stages = {stage["name"]: stage for stage in task["stages"] or ()}
    labels: list[str] = []
    name: str | None = task["status"]
    while name is not None and len(labels) < len(stages) + 1:
        stage = stages.get(name)
        labels.append(clean((stage and stage["label"]) or name))
        name = stage.get("parent") if stage else None
    return " › ".join(reversed(labels))


def doubts(task: TaskPayload, age_s: float) -> str:
    """What a viewer should know before believing the bar; '' while all is well. `age_s`: how old the task's news is."""
    quiet_s = age_s if task["updated_at"] is None else task["server_time"] - task["updated_at"] + age_s
    if task["state"] not in ("running", "cancelling"):
        return ""
    if task["worker"] == "silent":
        return f"no sign of life from its worker; last update {duration(quiet_s)} ago"
    return f"last update {duration(quiet_s)} ago" if quiet_s >= QUIET_S else ""


def time_left(task: TaskPayload) -> str:
    if task["state"] != "running" or task["eta_s"] is None:
        return ""
    return "a few seconds left" if task["eta_s"] < 5 else f"about {duration(task['eta_s'])} left"


def title(task: TaskPayload) -> str:
    return clean(task["name"] or task["task_id"])


def _age_of(task: TaskPayload, since: float | None) -> str:
    age_s = 0 if since is None else task["server_time"] - since
    return f" {duration(age_s)} ago" if age_s >= 1 else ""


def _for(seconds: float) -> str:
    return f" for {duration(seconds)}" if seconds >= QUIET_S else ""

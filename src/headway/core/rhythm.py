"""How often pending changes are stored: 20 times a second a task, and more seldom where that would be too much."""

from __future__ import annotations

TICK_S = 0.05
TASKS_A_TICK = 500
LONGEST_TICK_S = 1.0
SHARE = 0.4
"""Of a core, at most, that goes into storing."""
MOST_A_TASK_S = 0.00015
"""What storing a task may count for. Under gevent other greenlets run on the same thread meanwhile."""


def interval(active: int) -> float:
    """Seconds from one change of a task to the next, where so many tasks are active."""
    return min(max(TICK_S, TICK_S * active / TASKS_A_TICK), LONGEST_TICK_S)


def pause(due: int, *, stored: int, cpu_s: float) -> float:
    """Seconds after a round that has stored so many tasks in so much CPU time; `due` more wait for their turns."""
    # Many tasks that are quiet one by one must not make a round trip each.
    gathering = min(TICK_S, TICK_S * due / TASKS_A_TICK)
    return max(gathering, min(cpu_s, MOST_A_TASK_S * stored) * (1 / SHARE - 1))

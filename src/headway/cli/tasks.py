"""`headway tasks` and `headway cancel`: what there is, and the wish that one of them stops."""

from __future__ import annotations

import argparse
import json
import sys

from headway.cli import exits, words
from headway.cli.screen import printable
from headway.cli.sources import source_of
from headway.web.wire import TaskPayload

HEADINGS = ("TASK", "STATE", "DONE", "AGE", "NAME")


def tasks(options: argparse.Namespace) -> int:
    with source_of(options) as source:
        found = list(source.tasks(options.state, options.limit))
    if options.json:
        print(json.dumps(found, indent=2))
    elif found:
        _print_table([HEADINGS, *map(_row, found)])
    else:
        print("no tasks" if options.state is None else f"no {options.state} tasks", file=sys.stderr)
    return exits.OK


def cancel(options: argparse.Namespace) -> int:
    with source_of(options) as source:
        if source.cancel(options.task_id, options.reason):
            print(f"{options.task_id} was asked to stop")
            return exits.OK
    print(f"headway: {options.task_id} has ended already", file=sys.stderr)
    return exits.FAILED


def _row(task: TaskPayload) -> tuple[str, ...]:
    return (
        task["task_id"],
        task["status"],
        words.percent(task["progress"]).strip(),
        words.duration(task["server_time"] - task["created_at"]),
        words.clean(" · ".join(filter(None, (task["name"], _last_words(task))))),
    )


def _last_words(task: TaskPayload) -> str:
    return task["error"]["message"] if task["error"] is not None else task["message"]


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(words.columns(row[at]) for row in rows) for at in range(len(HEADINGS) - 1)]
    for row in rows:
        cells = [f"{cell}{' ' * (width - words.columns(cell))}" for cell, width in zip(row, widths, strict=False)]
        print(printable("  ".join([*cells, row[-1]]).rstrip(), sys.stdout))

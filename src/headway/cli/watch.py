"""`headway watch`: a task's bar in the terminal until it has ended."""

from __future__ import annotations

import argparse
import sys
import time

from headway.cli import exits
from headway.cli.exits import CommandFailed
from headway.cli.screen import JsonScreen, PlainScreen, Screen, TerminalScreen
from headway.cli.sources import Watch, source_of
from headway.web.wire import TaskPayload

TICK_S = 1.0
GIVE_UP_S = 60.0


def watch(options: argparse.Namespace) -> int:
    """Exit code 0 completed, 1 failed, 3 cancelled, 4 not found, 5 unreachable. Watching never stops a task."""
    screen = _screen(json_lines=options.json)
    with source_of(options) as source, source.watch(options.task_id, log=options.log) as following:
        try:
            return _follow(following, screen)
        finally:
            screen.close()


def _screen(*, json_lines: bool) -> Screen:
    if json_lines:
        return JsonScreen(sys.stdout)
    return TerminalScreen(sys.stdout) if sys.stdout.isatty() else PlainScreen(sys.stdout)


def _follow(following: Watch, screen: Screen) -> int:
    came_at = heard_at = time.monotonic()
    last: TaskPayload | None = None
    while True:
        news = following.news(TICK_S)
        now = time.monotonic()
        if not news.trouble:
            heard_at = now
        elif now - heard_at > GIVE_UP_S:
            raise CommandFailed(f"gave up after {GIVE_UP_S:g} s: {news.trouble}", exits.UNREACHABLE)
        for line in news.lines:
            screen.log(line)
        task = news.task
        if task is None:
            continue
        if task is not last:
            last, came_at = task, now
        screen.show(task, age_s=now - came_at, trouble=news.trouble)
        if task["state"] in exits.OF_STATE:
            return exits.OF_STATE[task["state"]]

"""The options of each command, and the checks that make a wrong one exit 2 with a sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.task import LIFE_CYCLE


def for_serve(command: argparse.ArgumentParser) -> None:
    _store(command)
    _address(command)


def for_gateway(command: argparse.ArgumentParser) -> None:
    _store(command)
    _address(command)
    command.add_argument(
        "--origin",
        action="append",
        default=[],
        type=_origin,
        metavar="URL",
        help="a page's origin that may connect besides our own, as in https://app.example; may be repeated",
    )
    command.add_argument(
        "--mount",
        default="",
        type=_mount,
        metavar="PATH",
        help="the path that a proxy in front has taken away, as in /live: addresses of results begin with it",
    )


def for_run(command: argparse.ArgumentParser) -> None:
    _store(command)
    command.add_argument("--name", type=_text(limits.NAME_CHARS), help="the task's name (by default the program's)")
    command.add_argument("--owner", type=_text(limits.NAME_CHARS), help="whose task it is, for listings")
    command.add_argument(
        "--percent", action="store_true", help="take 'NN%%' in the output for the progress, which else is not known"
    )
    command.add_argument(
        "--grace",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds that a cancelled command gets after SIGTERM, before SIGKILL (10)",
    )


def for_watch(command: argparse.ArgumentParser) -> None:
    command.add_argument("task_id", type=_task_id, metavar="ID", help="the task's id")
    _where(command)
    shown = command.add_mutually_exclusive_group()
    shown.add_argument("--log", action="store_true", help="show the task's log lines too")
    shown.add_argument("--json", action="store_true", help="each state as one line of JSON instead")


def for_tasks(command: argparse.ArgumentParser) -> None:
    _where(command)
    command.add_argument("--state", choices=list(LIFE_CYCLE), help="only tasks in this state")
    command.add_argument("--limit", type=_limit, default=50, metavar="N", help="at most so many (50)")
    command.add_argument("--json", action="store_true", help="a JSON array, as the HTTP API gives tasks")


def for_cancel(command: argparse.ArgumentParser) -> None:
    command.add_argument("task_id", type=_task_id, metavar="ID", help="the task's id")
    _where(command)
    command.add_argument("--reason", type=_text(limits.MESSAGE_CHARS), help="why; viewers see it")


def for_doctor(command: argparse.ArgumentParser) -> None:
    _store(command)
    _address(command)


def _where(command: argparse.ArgumentParser) -> None:
    group = command.add_mutually_exclusive_group()
    _store(group)
    group.add_argument(
        "--url",
        type=_server_url,
        help="ask a server instead, as in http://127.0.0.1:8080; a token is taken from HEADWAY_TOKEN",
    )


def _store(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--store", metavar="URL", help="sqlite:///PATH or redis://HOST:PORT/DB (HEADWAY_STORE, else .headway/ here)"
    )


def _address(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="the address to listen on (HEADWAY_HOST, else 127.0.0.1)")
    command.add_argument("--port", type=_port, help="the port to listen on (HEADWAY_PORT, else 8080)")


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _task_id(value: str) -> str:
    try:
        return limits.task_id(value)
    except InvalidValue as error:
        raise argparse.ArgumentTypeError(f"a task id {error.limit}") from error


def _text(chars: int) -> Callable[[str], str]:
    def checked(value: str) -> str:
        try:
            return limits.text(value, "it", chars)
        except InvalidValue as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 <= int(value) <= 65_535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 (any free one) to 65535, not {value!r}")
    return int(value)


def _limit(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 100_000:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 100000, not {value!r}")
    return int(value)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"must be seconds from 0 to 86400, not {value!r}")
    return seconds


def _mount(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", value):
        raise argparse.ArgumentTypeError(f"a mount is a path as in /live, not {value!r}")
    return value.rstrip("/")


def _server_url(value: str) -> str:
    url = _split(value)
    if url is None or url.username is not None or url.query or url.fragment:
        raise argparse.ArgumentTypeError(
            f"must be http://HOST[:PORT][/PATH] or https://…, without a user, a query or a fragment, not {value!r}"
        )
    return value.rstrip("/")


def _origin(value: str) -> str:
    url = _split(value)
    if url is None or url.username is not None or url.path or url.query or url.fragment:
        raise argparse.ArgumentTypeError(f"an origin is http(s)://HOST[:PORT] and nothing more, not {value!r}")
    return value


def _split(value: str) -> SplitResult | None:
    """The parts of an http(s) URL with a host and, if any, a port that can be; else None."""
    try:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname or (url.port is not None and url.port < 1):
            return None
    except ValueError:
        return None
    return url

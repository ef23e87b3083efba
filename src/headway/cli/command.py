"""The `headway` command: what can be asked for, checked, and handed to the module that does it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from headway import __version__
from headway.cli import arguments, exits
from headway.cli.exits import CommandFailed
from headway.model.errors import HeadwayError, InvalidValue, StoreUnavailable, TaskNotFound


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Wrong arguments (2) and `--help` end the process."""
    args = list(sys.argv[1:] if argv is None else argv)
    options, command_line = _parsed(args)
    do: Callable[..., int] = options.do
    try:
        return do(options, command_line) if command_line else do(options)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    except CommandFailed as error:
        return _say(str(error), error.exit_code)
    except HeadwayError as error:
        return _say(str(error), _exit_code(error))
    except Exception as error:
        if os.environ.get("HEADWAY_DEBUG"):
            raise
        logging.getLogger("headway").debug("the command failed", exc_info=True)
        return _say(f"{type(error).__name__}: {error} (HEADWAY_DEBUG=1 shows where)", exits.FAILED)


def _say(sentence: str, exit_code: int) -> int:
    print(f"headway: {sentence}", file=sys.stderr)
    return exit_code


def _exit_code(error: HeadwayError) -> int:
    if isinstance(error, TaskNotFound):
        return exits.NOT_FOUND
    if isinstance(error, StoreUnavailable):
        return exits.UNREACHABLE
    return exits.USAGE if isinstance(error, InvalidValue) else exits.FAILED


def _parsed(args: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and for `run` the command after `--`, which argparse must not touch."""
    command_line: list[str] = []
    if args[:1] == ["run"] and "--" in args:
        at = args.index("--")
        args, command_line = args[:at], args[at + 1 :]
    parser, commands = _parser()
    options = parser.parse_args(args)
    if options.command == "run" and not command_line:
        commands["run"].error("which command? put it after --, as in: headway run -- make all")
    return options, command_line


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="headway",
        description="Live progress of long-running work: run it, watch it, serve it.",
        epilog="HEADWAY_STORE says where tasks are kept, as --store does. All settings: docs/reference/settings.md.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"headway {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    commands: dict[str, argparse.ArgumentParser] = {}
    for name, (help_text, add_arguments, do) in _COMMANDS.items():
        command = subparsers.add_parser(name, help=help_text, description=_sentence(help_text), allow_abbrev=False)
        add_arguments(command)
        command.set_defaults(do=do)
        commands[name] = command
    commands["run"].usage = "headway run [options] -- COMMAND [ARGUMENT ...]"
    return parser, commands


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


# Each command's module is imported when it is asked for: `headway --version` needs neither sockets nor a database.


def _serve(options: argparse.Namespace) -> int:
    from headway.cli.serving import serve

    return serve(options)


def _gateway(options: argparse.Namespace) -> int:
    from headway.cli.serving import gateway

    return gateway(options)


def _run(options: argparse.Namespace, command_line: list[str]) -> int:
    from headway.cli.run import run

    return run(options, command_line)


def _watch(options: argparse.Namespace) -> int:
    from headway.cli.watch import watch

    return watch(options)


def _tasks(options: argparse.Namespace) -> int:
    from headway.cli.tasks import tasks

    return tasks(options)


def _cancel(options: argparse.Namespace) -> int:
    from headway.cli.tasks import cancel

    return cancel(options)


def _doctor(options: argparse.Namespace) -> int:
    from headway.cli.doctor import doctor

    return doctor(options)


_AddArguments = Callable[[argparse.ArgumentParser], Any]  # Any: argparse's own actions, which nobody uses
_COMMANDS: dict[str, tuple[str, _AddArguments, Callable[..., int]]] = {
    "serve": ("serve the demo, a content studio, with its pages", arguments.for_serve, _serve),
    "gateway": ("serve live progress to the pages of any app, without the demo", arguments.for_gateway, _gateway),
    "run": ("run a command as a task, with its output as the log; exits as the command did", arguments.for_run, _run),
    "watch": (
        "show a task until it has ended; exits with 0 completed, 1 failed, 3 cancelled, 4 not found",
        arguments.for_watch,
        _watch,
    ),
    "tasks": ("list tasks, the newest first", arguments.for_tasks, _tasks),
    "cancel": ("ask a task to stop", arguments.for_cancel, _cancel),
    "doctor": (
        "check this installation and its settings; exits with 1 when something is wrong",
        arguments.for_doctor,
        _doctor,
    ),
}

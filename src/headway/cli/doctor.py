"""`headway doctor`: looks at what Headway stands on here, and says in a sentence what is wrong and what to do."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from headway.cli import checkups, exits
from headway.cli.screen import printable
from headway.model.errors import HeadwayError
from headway.settings import Settings, from_environ

Verdict = Literal["ok", "note", "wrong"]
MARKS: dict[Verdict, str] = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A `note` is no fault, but worth knowing."""

    verdict: Verdict
    text: str


def doctor(options: argparse.Namespace) -> int:
    """Exit code 1 when something is wrong. Changes nothing."""
    findings = list(_findings(options))
    for finding in findings:
        print(printable(f"{MARKS[finding.verdict]}  {finding.text}", sys.stdout))
    wrong = sum(finding.verdict == "wrong" for finding in findings)
    print(f"\n{wrong} wrong" if wrong else "\nnothing is wrong")
    return exits.FAILED if wrong else exits.OK


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    yield from _from(checkups.python)
    yield from _from(checkups.packages)
    yield from _from(checkups.browser_side)
    yield from _from(checkups.pictures)
    yield from _from(checkups.open_files)
    try:
        settings = from_environ(_environ(options))
    except HeadwayError as error:
        yield Finding("wrong", f"settings: {error}")
        return
    yield Finding("ok", f"settings: access is {settings.access}")
    yield from _from(lambda: checkups.store(settings.store))
    yield from _from(lambda: checkups.port(settings.host, settings.port))
    yield from _from(lambda: _exposure(settings))


def _from(checkup: Callable[[], Iterator[tuple[Verdict, str]]]) -> Iterator[Finding]:
    try:
        for verdict, text in checkup():
            yield Finding(verdict, text)
    except Exception as error:  # noqa: BLE001 - a doctor who faints is no help: it is one more finding
        yield Finding("wrong", f"{type(error).__name__}: {error}")


def _environ(options: argparse.Namespace) -> Mapping[str, str]:
    given = {"HEADWAY_HOST": options.host, "HEADWAY_STORE": options.store, "HEADWAY_PORT": options.port}
    return {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}


def _exposure(settings: Settings) -> Iterator[tuple[Verdict, str]]:
    if settings.host in ("0.0.0.0", "::"):
        yield (
            "note",
            f"host: {settings.host} serves every network this machine is in; put TLS and access control before it",
        )

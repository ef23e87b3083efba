"""Which store is meant, and whether there is one: looking at tasks must not create an empty store in passing."""

from __future__ import annotations

from pathlib import Path

from headway import settings
from headway.cli.exits import UNREACHABLE, USAGE, CommandFailed

DEFAULT_FOLDER = ".headway"
DEFAULT_FILE = "headway.db"


def store_url(given: str | None) -> str:
    """What `--store` or HEADWAY_STORE names, else the file that a server started here would use."""
    if given is not None:
        return settings.store_url(given, "--store")
    return settings.from_environ().store or f"sqlite:///{Path.cwd() / DEFAULT_FOLDER / DEFAULT_FILE}"


def shared_store(given: str | None) -> str:
    """The same, of a kind that other processes can reach."""
    url = store_url(given)
    if url.startswith("memory:"):
        raise CommandFailed(
            "memory:// lives inside one process and can't be reached from here; name another store with --store", USAGE
        )
    return url


def existing_store(given: str | None, exit_code: int = UNREACHABLE) -> str:
    """The same, where a file must be there already; else the command ends with `exit_code`."""
    url = shared_store(given)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        raise CommandFailed(
            f"there is no store at {path}; say which with --store or HEADWAY_STORE, or name a server with --url",
            exit_code,
        )
    return url


def sqlite_path(url: str) -> Path | None:
    """The file of a `sqlite:///PATH` URL; None for other URLs."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None

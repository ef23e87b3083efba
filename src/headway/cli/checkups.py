"""The single looks of `headway doctor`: each tells what it has found, and changes nothing."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import re
import resource
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from headway.cli.places import sqlite_path, store_url
from headway.core.host import host_name
from headway.model.errors import HeadwayError
from headway.model.ports import Lease
from headway.model.redacting import without_secrets

Found = Iterator[tuple[Literal["ok", "note", "wrong"], str]]

OLDEST_PYTHON = (3, 11)
STATIC = Path(__file__).resolve().parent.parent / "static" / "js"
BUILT = ("progress.js", "progress.mjs", "socket.io.min.js")
SMALLEST_FREE_BYTES = 100 * 1024 * 1024
FEWEST_FILES = 1_024
# SQLite's locks and its shared memory don't work over these. https://sqlite.org/wal.html
NETWORK_FILE_SYSTEMS = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs"]
)
LUXURIES = {
    "orjson": "faster JSON (extra: fast)",
    "flask-socketio": "SocketIOHandlers in an existing Flask-SocketIO app (extra: flask-socketio)",
    "pillow": "the demo's picture cards (extra: demo)",
    "redis": "the redis:// store (extra: redis)",
}


def python() -> Found:
    told = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield "wrong", f"Python {told}: Headway needs {'.'.join(map(str, OLDEST_PYTHON))} or newer"
    else:
        yield "ok", f"Python {told} at {sys.executable}"


def packages() -> Found:
    """What Headway needs is there, and not older than its security floors."""
    wrong = False
    asked = importlib.metadata.requires("headway") or []
    for requirement in asked:
        name, floor, is_optional = _parsed(requirement)
        installed = _installed(name)
        if installed is None:
            if not is_optional:
                wrong = True
                yield "wrong", f"{name} is not installed; run: pip install --upgrade headway"
        elif _version(installed) < _version(floor):
            wrong = True
            yield "wrong", f"{name} {installed} is older than {floor}; run: pip install --upgrade '{name}>={floor}'"
    if not wrong:
        shown = ("flask", "python-socketio", "python-engineio", "uvicorn", "websockets")
        yield "ok", f"packages: {', '.join(f'{name} {_installed(name)}' for name in shown)}"
    for name, brings in LUXURIES.items():
        if _installed(name) is None:
            yield "note", f"{name} is not installed; it brings {brings}"


def browser_side() -> Found:
    missing = [name for name in BUILT if not (STATIC / name).is_file()]
    if missing:
        yield "wrong", f"static files: {', '.join(missing)} not built; run `make setup` in a checkout, or reinstall"
        return
    with (STATIC / "socket.io.min.js").open(encoding="utf-8", errors="replace") as script:
        told = re.search(r"v(\d+\.\d+\.\d+)", script.read(200))
    yield "ok", f"static files: {', '.join(BUILT)}{f' ({told[1]})' if told else ''}"


def pictures() -> Found:
    """Only the demo draws."""
    if _installed("pillow") is None:
        return
    from headway.demo.cards.fonts import face
    from headway.demo.errors import FontMissing

    try:
        yield "ok", f"font: {face('sans').path}"
    except FontMissing as error:
        yield "wrong", f"font: {error}"


def open_files() -> Found:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FEWEST_FILES:
        yield "wrong", f"open files: at most {soft} a process, which bounds the viewers; raise it with ulimit -n"
    elif soft != resource.RLIM_INFINITY and soft <= FEWEST_FILES:
        yield "note", f"open files: at most {soft} a process; each viewer takes one (ulimit -n raises it)"
    else:
        yield "ok", f"open files: at most {'any number of' if soft == resource.RLIM_INFINITY else soft} a process"


# ── store ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def store(given: str | None) -> Found:
    url = store_url(given)
    if url.startswith("memory:"):
        yield "note", "store: memory:// forgets everything when its process ends, and no other process sees it"
        return
    path = sqlite_path(url)
    if path is not None:
        yield from _file(path.absolute())
        if not path.exists():
            return
    yield from _readable_and_writable(url)


def _file(path: Path) -> Found:
    folder = next(folder for folder in path.parents if folder.exists())
    if not path.exists():
        if os.access(folder, os.W_OK | os.X_OK):
            yield "ok", f"store: {path} will be created by its first use"
        else:
            yield "wrong", f"store: {path} can't be created: {folder} is not writable for this user"
    kind = file_system_of(folder, _mounts())
    if kind in NETWORK_FILE_SYSTEMS:
        yield "wrong", f"store: {folder} is on {kind}; SQLite needs a local disk, use redis:// across machines"
    free = shutil.disk_usage(folder).free
    if free < SMALLEST_FREE_BYTES:
        yield "wrong", f"store: {free // 1024 // 1024} MiB are free on the disk of {folder}"


def _readable_and_writable(url: str) -> Found:
    from headway.compose import open_store

    try:
        store = open_store(url)
        try:
            epoch = store.epoch()
            # A lease is written and taken away again: no viewer ever sees one.
            store.renew(Lease("headway-doctor", host_name(), os.getpid(), "", 1, 1.0))
            store.drop_lease("headway-doctor")
        finally:
            store.close()
    except HeadwayError as error:
        yield "wrong", f"store: {error}"
    else:
        yield "ok", f"store: {without_secrets(url)} can be read and written (epoch {epoch})"


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of the file system that holds the path, from the text of /proc/self/mounts; '' where it is not told."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        if len(point) >= len(best) and (path == Path(point) or Path(point) in path.parents):
            best, kind = point, fields[2]
    return kind


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(errors="replace")
    except OSError:
        return ""


# ── port ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def port(host: str, number: int) -> Found:
    """Free, or taken by a Headway server."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
            probe.listen(1)
    except OSError as error:
        version = _headway_at(host, number)
        if version is not None:
            yield "ok", f"port: Headway {version} serves at {host}:{number} already"
        else:
            yield "wrong", f"port: {host}:{number} can't be had: {error.strerror}; choose another with HEADWAY_PORT"
        return
    yield "ok", f"port: {host}:{number} is free"


def _headway_at(host: str, number: int) -> str | None:
    at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        connection = http.client.HTTPConnection(at, number, timeout=2)
        try:
            connection.request("GET", "/healthz")
            told = json.loads(connection.getresponse().read(4_096))
        finally:
            connection.close()
        return str(told["version"]) if told.get("status") == "ok" else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError):
        return None


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(requirement: str) -> tuple[str, str, bool]:
    """`name>=floor; extra == "x"` → name, floor, whether it is optional."""
    spec, _, marker = requirement.partition(";")
    name, _, floor = spec.strip().partition(">=")
    return re.sub(r"\[.*\]", "", name).strip(), floor.split(",")[0].strip() or "0", "extra" in marker


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _version(text: str) -> tuple[int, ...]:
    """The release numbers, which is all that a floor asks about."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])

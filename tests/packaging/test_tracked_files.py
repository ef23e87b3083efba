"""What git holds: our own work, without addresses of registries and without what set-up makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers import ROOT

# Spelled so that this file does not find itself.
REGISTRIES = re.compile(
    rb"(pypi\.org|pythonhosted\.or[g]|npmjs\.(org|com)|yarnpkg\.com|deb\.debian\.or[g]|archive\.ubuntu\.co[m])"
    rb"|--(extra-)?index-ur[l] |--find-link[s] |unpkg\.co[m]|jsdelivr\.ne[t]|cdnjs\.cloudflar[e]"
)
NAMED_ON_PURPOSE = {
    # The pattern itself.
    "tests/packaging/test_tracked_files.py",
}


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_registry_or_a_cdn() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): match.group().decode()
        for path in tracked()
        if (match := REGISTRIES.search(path.read_bytes()))
    }

    assert {name: match for name, match in found.items() if name not in NAMED_ON_PURPOSE} == {}


def test_the_npm_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    installed = {name: package for name, package in json.loads(lock)["packages"].items() if name}

    assert "://" not in lock
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert [name for name, package in installed.items() if "integrity" not in package] == []


@pytest.mark.parametrize("lock", ["runtime.txt", "test.txt", "dev.txt", "bench.txt"])
def test_each_python_lock_pins_every_package_with_hashes_and_has_no_addresses(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert [entry for entry in entries if not re.match(r"[a-z0-9.-]+==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_the_locks_agree_so_that_one_environment_serves_all() -> None:
    pins = {name: pinned(name) for name in ("runtime.txt", "test.txt", "dev.txt", "bench.txt")}

    runtime, test, dev, bench = (lock.items() for lock in pins.values())
    assert runtime <= test <= dev <= bench


def test_the_locks_keep_the_security_floors() -> None:
    pins = pinned("runtime.txt")
    parser = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/socket.io-parser"]

    assert version(pins["python-socketio"]) >= (5, 16, 4)
    assert version(pins["python-engineio"]) >= (4, 13, 3)
    assert version(parser["version"]) >= (4, 2, 6)


def test_the_locks_hold_every_package_that_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *(name for names in project["project"]["optional-dependencies"].values() for name in names),
        *(name for names in project["dependency-groups"].values() for name in names if isinstance(name, str)),
    ]

    assert {re.split(r"[<>=!~\[; ]", name)[0] for name in asked} - set(pinned("bench.txt")) == set()


def test_one_version_number_is_told_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    ours = subprocess.run(
        [sys.executable, "-c", "import headway; print(headway.__version__)"], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert {project, ours, json.loads((ROOT / "package.json").read_text())["version"]} == {project}


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith(("#", "set ", "cd "))]

    assert commands == ["exec make test"]
    assert script.stat().st_mode & 0o111


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))

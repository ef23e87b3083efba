"""Set-up on a machine that lacks something and can't install it: one sentence says what to install."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

# What the script itself is made of; above all no apt.
TOOLS = ("bash", "cat", "cut", "dirname", "env", "id", "mkdir", "rm", "sha256sum", "tail")

GOOD_PYTHON = f'exec {sys.executable} "$@"'
OLD_PYTHON = '[[ $1 == --version ]] && echo "Python 3.9.2" && exit; exit 1'
PYTHON_WITHOUT_VENV = f'[[ $2 == *ensurepip* ]] && exit 1; exec {sys.executable} "$@"'
OLD_NODE = "[[ $1 == --version ]] && echo v18.19.0 && exit; exit 1"
GOOD_NODE = "[[ $1 == --version ]] && echo v20.19.0; exit 0"
GOOD_NPM = "exit 0"
CUT_OFF = "echo 'Temporary failure in name resolution'; exit 1"


class BareMachine:
    """A copy of the set-up script, and a PATH that holds nothing but what a test puts there."""

    def __init__(self, home: Path) -> None:
        self.checkout = home / "checkout"
        self.path = home / "bin"
        self.path.mkdir(parents=True)
        for name in TOOLS:
            self.path.joinpath(name).symlink_to(shutil.which(name) or name)
        (self.checkout / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup.sh", self.checkout / "scripts")

    def has(self, **programs: str) -> None:
        for name, script in programs.items():
            self.write(self.path / name, script)

    def has_a_venv(self, pip_install: str = "exit 0") -> None:
        (self.checkout / ".venv" / "bin").mkdir(parents=True)
        python = f'[[ "$*" == *"pip install"* ]] && {{ {pip_install}; }}; {GOOD_PYTHON}'
        self.write(self.checkout / ".venv" / "bin" / "python", python)

    def has_locks(self) -> None:
        (self.checkout / "requirements").mkdir()
        for name in ("requirements/runtime.txt", "package.json", "package-lock.json"):
            shutil.copy(ROOT / name, self.checkout / name)

    def write(self, file: Path, script: str) -> None:
        file.write_text(f"#!{self.path}/bash\n{script}\n")
        file.chmod(0o755)

    def set_up(self, level: str = "serve") -> tuple[int, str]:
        command = [self.path / "bash", self.checkout / "scripts" / "setup.sh", level]
        env = {"PATH": str(self.path), "HOME": str(self.checkout)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> BareMachine:
    return BareMachine(tmp_path)


def test_without_python_it_says_which_to_install(machine: BareMachine) -> None:
    code, said = machine.set_up()

    assert code == 1
    assert said.startswith("headway: Headway needs Python 3.11 or newer and found none: install it (")
    assert "apt install python3 python3-venv" in said


def test_an_old_python_is_named(machine: BareMachine) -> None:
    machine.has(python3=OLD_PYTHON)

    code, said = machine.set_up()

    assert (code, "needs Python 3.11 or newer and found Python 3.9.2" in said) == (1, True)


def test_a_newer_python_beside_an_old_one_is_found(machine: BareMachine) -> None:
    machine.has(**{"python3": OLD_PYTHON, "python3.12": PYTHON_WITHOUT_VENV})

    code, said = machine.set_up()

    assert (code, f"{machine.path}/python3.12 has no venv module: install it" in said) == (1, True)


def test_without_node_it_says_so_before_anything_is_installed(machine: BareMachine) -> None:
    machine.has_a_venv()

    code, said = machine.set_up()

    assert code == 1
    assert said.startswith("headway: Headway needs Node 20 or newer with npm and found none: install it (")


def test_an_old_node_is_named(machine: BareMachine) -> None:
    machine.has_a_venv()
    machine.has(node=OLD_NODE, npm=GOOD_NPM)

    code, said = machine.set_up()

    assert (code, "needs Node 20 or newer with npm and found v18.19.0" in said) == (1, True)


def test_without_a_network_it_says_what_pip_needs(machine: BareMachine) -> None:
    machine.has(node=GOOD_NODE, npm=GOOD_NPM)
    machine.has_locks()
    machine.has_a_venv(pip_install=CUT_OFF)

    code, said = machine.set_up()

    assert code == 1
    assert said.splitlines() == [
        "headway: Installing the Python packages of requirements/runtime.txt",
        "Temporary failure in name resolution",
        "headway: pip could not install requirements/runtime.txt (see above): it needs a package index, or a mirror "
        "set in pip's configuration.",
    ]


def test_without_a_network_it_says_what_npm_needs(machine: BareMachine) -> None:
    machine.has(node=GOOD_NODE, npm=CUT_OFF)
    machine.has_locks()
    machine.has_a_venv()

    code, said = machine.set_up()

    assert code == 1
    assert said.splitlines()[-2:] == [
        "Temporary failure in name resolution",
        "headway: npm ci failed (see above): it needs the npm registry, or a mirror set in npm's configuration.",
    ]


def test_an_unknown_level_is_refused(machine: BareMachine) -> None:
    machine.has_a_venv()
    machine.has(node="exit 0", npm=GOOD_NPM)

    code, said = machine.set_up("everything")

    assert (code, said) == (1, "headway: scripts/setup.sh takes serve, test, dev or bench, not 'everything'.\n")

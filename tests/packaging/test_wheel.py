"""The built wheel, installed into an empty environment outside the checkout, serves the demo."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ROOT, ServerProcess

BUILT = [
    *ROOT.glob("src/headway/static/js/progress*.*"),
    ROOT / "src/headway/static/js/socket.io.min.js",
    *ROOT.glob("src/headway/**/built/*"),
]
FETCHED = (
    "/",
    "/tasks",
    "/healthz",
    "/static/js/progress.js",
    "/static/js/progress.mjs",
    "/static/js/socket.io.min.js",
    "/static/js/built/test-page.js",
    "/assets/js/built/studio.js",
    "/assets/js/built/task.js",
    "/assets/js/built/tasks.js",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel, what the lock says it needs, and nothing else."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home)
    # This checkout's pip, so that not even pip is there; and nothing is compiled but what the demo imports.
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-input", "--no-compile"]
    run(*install, "--require-hashes", "-r", ROOT / "requirements" / "runtime.txt")
    run(*install, "--no-deps", wheel)
    return home / "bin"


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with ServerProcess(installed / "headway", "serve", cwd=elsewhere, env={"PYTHONPATH": ""}) as server:
        yield server


def test_the_wheel_holds_all_that_git_holds_and_all_that_is_built(wheel: Path) -> None:
    tracked = git("ls-files", "src/headway")
    built = {path.relative_to(ROOT / "src").as_posix() for path in BUILT}

    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert {f"headway/static/js/{name}" for name in ("progress.js", "progress.mjs", "built/test-page.js")} <= built
    assert ({path.removeprefix("src/") for path in tracked} | built) - packed == set()


def test_the_wheel_holds_nothing_that_only_this_machine_has(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        strangers = [name for name in archive.namelist() if re.search(r"__pycache__|\.sqlite3|\.pyc$|\.log$", name)]

    assert strangers == []


def test_a_wheel_without_the_browser_side_is_refused_with_a_sentence(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(
        ROOT / "src",
        checkout / "src",
        ignore=shutil.ignore_patterns("built", *(path.name for path in BUILT), "__pycache__"),
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", "scripts/hatch_build.py"):
        (checkout / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)

    with pytest.raises(AssertionError, match=r"progress\.js.* not built; run `npm ci && npm run build` first"):
        build_wheel(checkout, tmp_path)


@pytest.mark.parametrize("path", FETCHED)
def test_the_demo_from_the_wheel_serves(server: ServerProcess, path: str) -> None:
    with urllib.request.urlopen(server.url + path, timeout=10) as response:
        assert response.status == 200
        assert len(response.read()) > 0


def test_the_installed_package_is_the_wheel_and_has_its_types(installed: Path, tmp_path: Path) -> None:
    home = Path(run(installed / "python", "-c", "import headway; print(headway.__path__[0])", cwd=tmp_path).strip())

    assert installed.parent in home.parents
    assert (home / "py.typed").is_file()


def test_the_command_says_its_version(installed: Path) -> None:
    assert "0.1.0" in run(installed / "headway", "--version")


def build_wheel(checkout: Path, folder: Path) -> Path:
    run(*(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, checkout))
    return next(folder.glob("headway-*.whl"))


def git(*arguments: str) -> list[str]:
    return run("git", "-C", ROOT, *arguments).splitlines()


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout

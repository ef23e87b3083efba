"""`python web_app.py` as a whole: settings, restarts, access by tokens, a graceful end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from headway import ProgressManager
from headway.demo.service import Runners, Studio
from headway.runners.local import LocalRunner
from tests.browser.demo import AT_ONCE, demo_server
from tests.helpers import ROOT, ServerProcess, eventually

TRIAL: dict[str, Any] = {"seconds": 0.2, "updates": 5, "outcome": "complete"}
SECRET = "a-secret-for-tests-only-0123456789"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory.mktemp("running")) as server:
        yield server


def test_it_says_where_it_is_in_one_line(running: ServerProcess) -> None:
    assert running.log.strip() == f"Headway is at http://localhost:{running.port}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("HEADWAY_PORT", "70000"), ("HEADWAY_ACCESS", "open"), ("HEADWAY_ACCESS", "signed"), ("HEADWAY_STORE", "x://y")],
)
def test_a_wrong_setting_is_named_and_nothing_is_served(tmp_path: Path, name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "web_app.py"],
        env={"PATH": "/usr/bin:/bin", name: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert "HEADWAY_" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence(running: ServerProcess, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "web_app.py"],
        env={"PATH": "/usr/bin:/bin", "HEADWAY_PORT": str(running.port)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert f"can't serve on 127.0.0.1:{running.port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_it_in_order_and_what_ran_is_told_so(tmp_path: Path) -> None:
    with demo_server(tmp_path) as server, requests.Session() as http:
        made = http.post(server.url + "/api/test_tasks", json={**TRIAL, "outcome": "hang"}).json()
        url = server.url + made["status_url"]
        eventually(lambda: http.get(url).json()["state"] == "running")

        assert server.terminate(timeout=20) == 0

        assert "Traceback" not in server.log
        server.start()
        task = http.get(url).json()
        assert (task["state"], task["error"]["code"]) == ("failed", "interrupted")


def test_the_owner_is_known_after_a_restart(tmp_path: Path) -> None:
    with demo_server(tmp_path, **AT_ONCE) as server, requests.Session() as http:
        made = http.post(server.url + "/api/generate_content", json={"input_text": "kept", "cards": 1}).json()
        eventually(lambda: http.get(server.url + made["status_url"]).json()["state"] == "completed", 60)

        server.restart()

        (kept,) = http.get(server.url + "/api/posts").json()["posts"]
        assert kept["task_id"] == made["task_id"]
        picture = f"{server.url}/posts/{made['task_id']}/{kept['thumbs'][0]}"
        assert http.get(picture).status_code == 200


def test_a_store_in_memory_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo_server(tmp_path, HEADWAY_STORE="memory://") as server:
        requests.get(server.url, timeout=10)
        server.terminate()

    assert list(tmp_path.iterdir()) == []


def test_pictures_lie_beside_the_store(tmp_path: Path) -> None:
    with demo_server(tmp_path, HEADWAY_STORE=f"sqlite:///{tmp_path}/elsewhere/tasks.db", **AT_ONCE) as server:
        made = requests.post(server.url + "/api/generate_content", json={"input_text": "x", "cards": 1}, timeout=10)
        status_url = server.url + made.json()["status_url"]
        eventually(lambda: requests.get(status_url, timeout=10).json()["state"] == "completed", 60)

    assert len(list((tmp_path / "elsewhere" / "tasks.posts").glob("*/*.png"))) >= 1
    assert not (tmp_path / ".headway").exists()


def test_only_a_server_of_this_machine_starts_test_tasks(tmp_path: Path) -> None:
    with demo_server(tmp_path, HEADWAY_HOST="0.0.0.0") as server:
        for path in ("/api/test_tasks", "/api/chaos"):
            answer = requests.post(server.url + path, json=TRIAL, timeout=10)
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "not_found"


def test_with_signed_access_the_token_opens_what_the_id_alone_does_not(tmp_path: Path) -> None:
    with (
        demo_server(tmp_path, HEADWAY_ACCESS="signed", HEADWAY_SECRET=SECRET) as server,
        requests.Session() as http,
    ):
        made = http.post(server.url + "/api/test_tasks", json={**TRIAL, "outcome": "hang"}).json()
        url = server.url + made["status_url"]
        bearer = {"Authorization": f"Bearer {made['token']}"}

        assert http.get(url).status_code == 404
        assert http.get(url, headers=bearer).status_code == 200
        own = http.get(f"{server.url}/api/tokens/{made['task_id']}").json()["token"]
        assert http.get(url, headers={"Authorization": f"Bearer {own}"}).status_code == 200

        shared = http.post(f"{server.url}/api/share/{made['task_id']}", json={}).json()["url"]
        reader = {"Authorization": "Bearer " + shared.partition("#token=")[2]}
        assert http.get(url, headers=reader).status_code == 200
        assert http.post(server.url + made["cancel_url"], headers=reader).status_code == 404
        assert http.post(server.url + made["cancel_url"], headers=bearer).status_code == 202


def test_pictures_go_with_the_tasks_that_the_store_no_longer_keeps(tmp_path: Path) -> None:
    with ProgressManager(store="memory://") as manager:
        runner = LocalRunner(manager)
        studio = Studio(manager, Runners(posts=runner, trials=runner, processes=runner), tmp_path)
        kept = manager.create_task()
        for name in (kept, "gone-gone-gone-gone-gone"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "card-01.png").touch()

        assert studio.sweep(older_than_s=3600) == 0
        assert studio.sweep(older_than_s=-1) == 1

        assert [folder.name for folder in tmp_path.iterdir()] == [kept]


def test_what_a_killed_worker_left_is_removed_and_what_is_made_stays(tmp_path: Path) -> None:
    with ProgressManager(store="memory://") as manager:
        runner = LocalRunner(manager)
        studio = Studio(manager, Runners(posts=runner, trials=runner, processes=runner), tmp_path)
        made, running, failed, cancelled = (manager.create_task() for _ in range(4))
        manager.complete_task(made)
        manager.update_progress(running, progress=5)
        manager.fail_task(failed, "its worker was killed")
        manager.cancel_task(cancelled)
        for name in (made, running, failed, cancelled):
            (tmp_path / name).mkdir()
            (tmp_path / name / "card-01.png").touch()

        assert studio.sweep(older_than_s=3600) == 2

        assert {folder.name for folder in tmp_path.iterdir()} == {made, running}


def test_a_server_that_was_killed_with_its_workers_leaves_no_half_made_post(tmp_path: Path) -> None:
    with demo_server(tmp_path, **AT_ONCE) as server:
        asked = {"input_text": "老北京胡同", "cards": 24}
        task_id = requests.post(server.url + "/api/generate_content", json=asked, timeout=10).json()["task_id"]
        folder = next(
            iter(eventually(lambda: list(tmp_path.rglob(f"*.posts/{task_id}")), 60, saying="its folder is there"))
        )
        eventually(lambda: list(folder.iterdir()), 60, saying="a card is drawn")
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        assert folder.is_dir()

        server.start()

        eventually(lambda: not folder.exists(), 30, saying="the folder is gone")
        assert requests.get(f"{server.url}/api/tasks/{task_id}", timeout=10).json()["state"] == "failed"

"""Each example is started as its README says, and one task of it is watched live."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.examples.watching import watch_to_the_end
from tests.helpers import ROOT, ServerProcess, free_port
from tests.nginx import nginx_command
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent


def test_every_example_is_listed_and_has_a_readme() -> None:
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and any(path.glob("*.py")))

    listed = (EXAMPLES / "README.md").read_text()
    assert [name for name in folders if f"({name}/README.md)" not in listed] == []
    assert [name for name in folders if not (EXAMPLES / name / "README.md").is_file()] == []


def test_the_flask_socketio_app_shows_an_import_live(tmp_path: Path) -> None:
    app = EXAMPLES / "flask_socketio" / "app.py"
    port = free_port()
    with ServerProcess.python(
        app, cwd=tmp_path, env=env(tmp_path) | {"PORT": str(port)}, port=port, ready="/"
    ) as server:
        page = fetch(server.url + "/").decode()
        script = fetch(server.url + "/static/orders.js")
        bar = fetch(server.url + "/static/js/progress.js")
        seen = watch_to_the_end(server.url, lambda: post(server.url + "/imports"))

    assert "/static/orders.js" in page
    assert b"ProgressBar" in script
    assert b"ProgressBar" in bar
    assert seen[-1]["state"] == "completed"
    assert seen[-1]["result"] == {"orders": 300}
    assert {"download", "import"} <= {task["status"] for task in seen}


def test_the_fastapi_app_shows_a_report_live_below_its_mount(tmp_path: Path) -> None:
    command = (BIN / "uvicorn", "app:app", "--app-dir", EXAMPLES / "fastapi_app", "--port", "{port}")
    with ServerProcess(*command, cwd=tmp_path, env=env(tmp_path), ready="/live/healthz") as server:
        page = fetch(server.url + "/").decode()
        script = fetch(server.url + "/report.js")
        bar = fetch(server.url + "/live/static/js/progress.js")
        seen = watch_to_the_end(server.url, lambda: post(server.url + "/reports"), path="live/socket.io")
        code = server.terminate()

        assert "Traceback" not in server.log

    assert "/live/static/js/progress.js" in page
    assert b"/live/socket.io" in script
    assert b"ProgressBar" in bar
    assert (seen[-1]["state"], seen[-1]["result"]) == ("completed", {"pages": 60})
    assert len(seen) > 3
    assert code in (0, -15)


def test_the_plain_script_is_watched_through_a_gateway(tmp_path: Path) -> None:
    settings = env(tmp_path)
    gateway = (BIN / "headway", "gateway", "--port", "{port}")
    script = [sys.executable, EXAMPLES / "plain_script" / "import_rows.py", EXAMPLES / "plain_script" / "rows.csv"]
    ends: list[int] = []
    with ServerProcess(*gateway, cwd=tmp_path, env=settings) as server, ExitStack() as running:

        def start() -> str:
            importing = running.enter_context(
                subprocess.Popen(script, cwd=tmp_path, env=os.environ | settings, stdout=subprocess.PIPE, text=True)
            )
            running.callback(lambda: ends.append(importing.wait(30)))
            assert importing.stdout is not None
            return importing.stdout.readline().split()[-1]

        seen = watch_to_the_end(server.url, start)

    assert ends == [0]

    assert (seen[-1]["state"], seen[-1]["result"]) == ("completed", {"rows": 301})
    assert seen[-1]["name"] == "Import rows.csv"
    assert "import" in {task["status"] for task in seen}


def test_the_django_app_shows_a_backup_live_below_its_mount(tmp_path: Path) -> None:
    command = (BIN / "uvicorn", "app:application", "--app-dir", EXAMPLES / "django_app", "--port", "{port}")
    with ServerProcess(*command, cwd=tmp_path, env=env(tmp_path), ready="/live/healthz") as server:
        seen = watch_to_the_end(server.url, lambda: started_in_django(server.url), path="live/socket.io")

    assert (seen[-1]["state"], seen[-1]["result"]) == ("completed", {"files": 100})
    assert len(seen) > 3


def test_the_django_app_under_wsgi_is_watched_through_a_gateway_beside_it(tmp_path: Path) -> None:
    serve = (
        "import app; from wsgiref.simple_server import make_server; "
        "make_server('127.0.0.1', int(__import__('sys').argv[1]), app.wsgi).serve_forever()"
    )
    settings = env(tmp_path) | {"PYTHONPATH": str(EXAMPLES / "django_app")}
    gateway = (BIN / "headway", "gateway", "--port", "{port}")
    with (
        ServerProcess.python("-c", serve, "{port}", cwd=tmp_path, env=settings, ready="/") as django,
        ServerProcess(*gateway, cwd=tmp_path, env=settings) as viewers,
    ):
        seen = watch_to_the_end(viewers.url, lambda: started_in_django(django.url))

    assert seen[-1]["state"] == "completed"


def started_in_django(url: str) -> str:
    """As the page's script does it: with the token against forged requests."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{url}/", timeout=10) as page:
        token = page.read().decode().split('data-token="')[1].split('"')[0]
    request = urllib.request.Request(f"{url}/backups", method="POST", headers={"X-CSRFToken": token})
    with opener.open(request, timeout=10) as answer:
        task_id: str = json.load(answer)["task_id"]
        return task_id


def test_a_plain_wsgi_app_with_celery_is_live_behind_nginx(
    page: Page, tmp_path: Path, redis_server: RedisServer
) -> None:
    folder = EXAMPLES / "flask_celery"
    redis = redis_server.url.removesuffix("/0")
    settings = {"REDIS_URL": redis, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    worker = ("-m", "celery", "-A", "jobs", "worker", "--pool", "solo", "--without-gossip", "--without-mingle")
    gateway = (BIN / "headway", "gateway", "--store", f"{redis}/1", "--port", "{port}")
    with ExitStack() as running:
        flask = running.enter_context(
            ServerProcess.python(
                *("-m", "flask", "--app", "app", "run", "--port", "{port}"), cwd=folder, env=settings, ready="/"
            )
        )
        viewers = running.enter_context(ServerProcess(*gateway, cwd=tmp_path))
        celery = ServerProcess.python(*worker, cwd=tmp_path, env=settings).start(wait=False)
        running.callback(celery.close)
        port = free_port()
        site = (folder / "nginx.conf").read_text().replace("listen 8000;", f"listen 127.0.0.1:{port};")
        site = site.replace("127.0.0.1:5000", f"127.0.0.1:{flask.port}")
        site = site.replace("127.0.0.1:8080", f"127.0.0.1:{viewers.port}")
        nginx = running.enter_context(ServerProcess(*nginx_command(tmp_path, site), port=port, ready="/live/healthz"))

        seen = watch_to_the_end(nginx.url, lambda: post(nginx.url + "/resize"), path="live/socket.io")
        page.goto(nginx.url)
        page.click("#resize")
        page.locator("[data-look=running], [data-look=completed]").wait_for(timeout=30_000)
        page.reload()  # It may have ended by now, on a slow machine.
        page.locator("[data-look=completed]").wait_for(timeout=30_000)

    assert "running" in [task["state"] for task in seen]
    assert (seen[-1]["state"], seen[-1]["result"]) == ("completed", {"pictures": 60})
    assert len(seen) > 3


def env(folder: Path) -> dict[str, str]:
    return {"HEADWAY_STORE": f"sqlite:///{folder / 'tasks.db'}"}


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def post(url: str) -> str:
    """The id of the task that it began."""
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10) as answer:
        assert answer.status == 202
        task_id: str = json.load(answer)["task_id"]
        return task_id

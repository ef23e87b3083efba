"""A Django app in one file, with Headway's gateway mounted: `uvicorn app:application`, then http://localhost:8000."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from headway import ProgressManager, Reporter
from headway.runners import LocalRunner
from headway.web.gateway import Gateway

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50),  # Several processes need one.
    )
    django.setup()

manager = ProgressManager()
runner = LocalRunner(manager, workers=2)
gateway = Gateway(manager)

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Backups</title>
  <script src="/live/static/js/socket.io.min.js" defer></script>
  <script src="/live/static/js/progress.js" defer></script>
  <script src="/backups.js" defer></script>
</head>
<body>
  <h1>Backups</h1>
  <button type="button" id="start" data-token="{token}">Back up</button>
  <div id="progress-container"></div>
</body>
</html>
"""
SCRIPT = """
const bar = new ProgressBar('progress-container', { socketPath: '/live/socket.io', apiUrl: '/live/api' });
const button = document.getElementById('start');

// The id is in the page's address, so that the bar outlives a reload.
function watch(taskId) {
  location.hash = taskId;
  bar.start({ taskId });
}

button.addEventListener('click', async () => {
  const response = await fetch('/backups', { method: 'POST', headers: { 'X-CSRFToken': button.dataset.token } });
  watch((await response.json()).task_id);
});

if (location.hash.length > 1) watch(location.hash.slice(1));
else bar.hide();
"""


def back_up(task: Reporter, files: int) -> dict[str, int]:
    for number in task.track(range(files)):
        task.update(message=f"file {number + 1}", details={"unit": "files"})
        time.sleep(0.02)
    return {"files": files}


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    from django.middleware.csrf import get_token

    return HttpResponse(PAGE.replace("{token}", get_token(request)))


@require_GET
def script(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(SCRIPT, content_type="text/javascript")


@require_POST
def start(_request: HttpRequest) -> JsonResponse:
    # A plain view: Django runs it in a thread, and creating a task writes to disk.
    return JsonResponse({"task_id": runner.submit(back_up, 100, name="Backup")}, status=202)


urlpatterns = [path("", page), path("backups.js", script), path("backups", start)]


def mounted(app: Callable[..., Awaitable[None]], at: str) -> Callable[..., Awaitable[None]]:
    """Everything below `at` goes to the gateway, the rest to `app`."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and scope["path"].startswith(f"{at}/"):
            below = {**scope, "root_path": scope.get("root_path", "") + at}
            await gateway(below, receive, send)
        elif scope["type"] == "lifespan":
            await gateway(scope, receive, send)  # So that it closes with the server; Django knows no lifespan.
        else:
            await app(scope, receive, send)

    return application


application = mounted(get_asgi_application(), "/live")
# For gunicorn and the like, with `headway gateway` beside it (and a proxy that hands it /live).
wsgi = get_wsgi_application()

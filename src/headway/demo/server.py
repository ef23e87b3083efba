"""The whole demo, put together: store, runners, pages, gateway. `web_app.py` and `headway serve` run it."""

from __future__ import annotations

import ipaddress
import logging
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headway.core.progress_manager import ProgressManager
from headway.demo.app import create_app
from headway.demo.pages import Shown
from headway.demo.service import Runners, Studio
from headway.demo.sessions import Sessions, session_key
from headway.demo.studio import generator_note, style_labels
from headway.demo.timeline import Timeline
from headway.demo.visitors import Visitors, owner_of
from headway.model.errors import HeadwayError
from headway.runners.local import LocalRunner
from headway.web.access import access_rule
from headway.web.gateway import Gateway
from headway.web.origins import Origins
from headway.web.request import from_loopback
from headway.web.serve import serve

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from headway.settings import Settings

DEFAULT_STORE = Path(".headway/headway.db")
SWEPT_AFTER_S = 3600
# A moment after the start, when the tasks of a server that was killed have been found to be dead; then now and again.
SWEEP_AT_S, SWEEP_EVERY_S = 3, 600
POST_WORKERS = 3
TRIAL_WORKERS = 64
PROCESS_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is ready to be served."""

    gateway: Gateway
    manager: ProgressManager
    runners: Runners
    timeline: Timeline
    folder: Path
    is_temporary: bool
    closing: threading.Event

    def close(self) -> None:
        """After serving: running tasks get their grace time; what is pending is stored."""
        self.closing.set()
        self.runners.close()
        self.timeline.close()
        self.manager.close()
        if self.is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def build(settings: Settings) -> Demo:
    """The demo as the settings want it. Opens the folder of the pictures, and listens to the store."""
    folder, stem, is_temporary = _place(settings.store)
    manager = ProgressManager(
        store=settings.store or f"sqlite:///{folder / DEFAULT_STORE.name}", access=settings.access
    )
    secrets = settings.secrets or (session_key(folder / "session.key"),)
    sessions = Sessions(secrets)
    access = access_rule(settings.access, secrets=secrets)
    visitors = Visitors(manager, sessions, access)
    runners = Runners(
        posts=LocalRunner(manager, POST_WORKERS, "process", name="posts"),
        trials=LocalRunner(manager, TRIAL_WORKERS, name="trials"),
        processes=LocalRunner(manager, PROCESS_WORKERS, "process", name="trial-processes"),
    )
    timeline = Timeline(manager, None if is_temporary else folder / f"{stem}.timeline")
    studio = Studio(manager, runners, folder / f"{stem}.posts")
    origins = Origins()
    app = create_app(
        studio,
        visitors,
        origins,
        timeline,
        Shown(styles=style_labels, generator_note=generator_note),
        restart_hub=(lambda: gateway.restart_hub()) if is_loopback(settings.host) else None,
    )
    gateway = Gateway(manager, app=app, access=access, owner=owner_of(sessions), operator=from_loopback)
    timeline.start()
    closing = threading.Event()
    if settings.store is None or settings.store.startswith("sqlite:"):
        # The store keeps tasks for a while; their pictures go with them. A store elsewhere may be another one tomorrow.
        threading.Thread(target=_keep_tidy, args=(studio, closing), name="headway-sweep", daemon=True).start()
    return Demo(gateway, manager, runners, timeline, folder, is_temporary, closing)


def run(settings: Settings) -> int:
    """Serve the demo until SIGINT or SIGTERM; the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # uvicorn raises the signal again when it is done, which by default would end this process before the tasks have
    # had their grace time.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        demo = build(settings)
    except (HeadwayError, OSError) as error:
        sys.stderr.write(f"headway: can't start: {error}\n")
        return 1
    try:
        serve(demo.gateway, host=settings.host, port=settings.port, on_ready=_say_where)
    except OSError as error:
        sys.stderr.write(f"headway: can't serve on {settings.host}:{settings.port}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        demo.close()
    return 0


def _say_where(url: str) -> None:
    sys.stdout.write(f"Headway is at {url}\n")
    sys.stdout.flush()


def is_loopback(host: str) -> bool:
    """Whether a server on `host` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keep_tidy(studio: Studio, closing: threading.Event) -> None:
    pause_s = SWEEP_AT_S
    while not closing.wait(pause_s):
        pause_s = SWEEP_EVERY_S
        try:
            studio.sweep(older_than_s=SWEPT_AFTER_S)
        except (HeadwayError, OSError):
            log.warning("the pictures that no post needs could not be removed", exc_info=True)


def _place(store: str | None) -> tuple[Path, str, bool]:
    """Where pictures and keys are: beside the store, named after it. True: for as long as the store in memory lives."""
    if store is not None and store.startswith("memory:"):
        return Path(tempfile.mkdtemp(prefix="headway-demo-")), "memory", True
    path = (
        Path(store.removeprefix("sqlite:///")) if store is not None and store.startswith("sqlite:") else DEFAULT_STORE
    )
    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder, path.stem, False

"""`headway serve` and `headway gateway`: the demo, and the gateway alone."""

from __future__ import annotations

import argparse
import logging
import os
import signal

from headway import settings
from headway.cli import exits
from headway.cli.exits import CommandFailed
from headway.cli.places import shared_store
from headway.core.progress_manager import ProgressManager
from headway.settings import Settings


def serve(options: argparse.Namespace) -> int:
    """What `python web_app.py` does."""
    # What is wrong with it is said at once, not when all that serving takes has been imported.
    asked = _settings(options)
    from headway.demo.server import run

    return run(asked)


def gateway(options: argparse.Namespace) -> int:
    """Serve viewers of the tasks in a store that other processes report to, until SIGINT or SIGTERM."""
    asked = _settings(options)
    from headway.web.gateway import Gateway
    from headway.web.serve import serve as serve_gateway

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # uvicorn raises the signal again when it is done; by then all is closed, and ending was what was asked for.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    with ProgressManager(store=shared_store(asked.store), access=asked.access) as manager:
        app = Gateway(manager, secrets=asked.secrets or None, origins=options.origin)
        try:
            serve_gateway(app, host=asked.host, port=asked.port, mount=options.mount, on_ready=_say_where)
        except OSError as error:
            sentence = f"can't serve on {asked.host}:{asked.port}: {error.strerror or error}"
            raise CommandFailed(sentence) from None
        except KeyboardInterrupt:
            pass
    return exits.OK


def _settings(options: argparse.Namespace) -> Settings:
    """The environment's, with what the command line says instead, under the same checks."""
    given = {"HEADWAY_HOST": options.host, "HEADWAY_STORE": options.store, "HEADWAY_PORT": options.port}
    return settings.from_environ(
        {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    )


def _say_where(url: str) -> None:
    print(f"Headway's gateway is at {url}", flush=True)

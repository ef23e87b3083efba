"""`python web_app.py`: the demo on http://localhost:8080. Settings come from the environment (HEADWAY_HOST, _PORT, …)."""

from __future__ import annotations

import sys

from headway.demo.server import run
from headway.model.errors import InvalidValue
from headway.settings import from_environ


def main() -> int:
    try:
        settings = from_environ()
    except InvalidValue as error:
        print(f"headway: {error}", file=sys.stderr)
        return 2
    return run(settings)


# Worker processes are spawned: they import this file again, and must not serve.
if __name__ == "__main__":
    sys.exit(main())

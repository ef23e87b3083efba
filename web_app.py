"""`python web_app.py`: the demo on http://localhost:8080. Settings come from the environment: HEADWAY_HOST, _PORT, …"""

from __future__ import annotations

import sys


def main() -> int:
    # Not above: the worker processes are spawned, import this file again, and need none of the server.
    from headway.model.errors import InvalidValue
    from headway.settings import from_environ

    try:
        settings = from_environ()
    except InvalidValue as error:
        sys.stderr.write(f"headway: {error}\n")
        return 2
    # Takes its time; a wrong setting is told at once.
    from headway.demo.server import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())

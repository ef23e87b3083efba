"""On the path of each server that a test starts: what only the tests' own clients need is not there.

As for who installs Headway. Where they are there, python-socketio imports them, which is half of a server's start.
"""

import sys

for name in ("aiohttp", "requests", "websocket"):
    sys.modules[name] = None  # type: ignore[assignment]

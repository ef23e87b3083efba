"""On the path of each server that a test starts: what only the tests' own clients need is not there.

As for who installs Headway. Where they are there, python-socketio imports them, which is half of a server's start.
"""

import os
import sys

ABSENT = ["aiohttp", "requests", "websocket"]
# An extra, which is there for who has a Redis, and says so in a setting or an argument.
if not any("redis" in said for said in (*sys.orig_argv, *os.environ.values())):
    ABSENT.append("redis")
for name in ABSENT:
    sys.modules[name] = None  # type: ignore[assignment]

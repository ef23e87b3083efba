"""On the path of each server that a test starts: aiohttp, which only the tests' own clients need, is not there.

As for who installs Headway. Where it is there, python-socketio imports it, which is a quarter of a server's start.
"""

import sys

sys.modules["aiohttp"] = None  # type: ignore[assignment]

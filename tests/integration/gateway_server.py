"""A real gateway in a process of its own for integration tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.helpers import ROOT, ServerProcess


def gateway_server(
    store: Path, *, fast: bool = True, env: dict[str, str] | None = None, **options: Any
) -> ServerProcess:
    """`options`: bounds={…}, gateway={…}, both by keyword as in Python; sse_heartbeat_s=…."""
    script = ROOT / "tests/contract/adapter_server.py"
    return ServerProcess.python(
        "-W",
        "error",
        script,
        "gateway" if fast else "gateway-ordinary",
        "{port}",
        f"sqlite:///{store}",
        json.dumps(options),
        env=env,
    )

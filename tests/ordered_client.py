"""A Socket.IO client whose events come one after the other."""

from __future__ import annotations

from typing import Any

import engineio
import socketio


class OrderedClient(socketio.Client):
    """python-socketio's own gives each message a thread: under load a handler then sees them out of order."""

    def _engineio_client_class(self) -> type[engineio.Client]:
        return _OrderedEngineIO


class _OrderedEngineIO(engineio.Client):
    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        return super()._trigger_event(event, *args, **{**options, "run_async": False})

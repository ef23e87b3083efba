"""What /metrics says, in Prometheus' text format. https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.web.protocol import Protocol


def metrics_text(protocol: Protocol) -> str:
    """Gauges and counters of this process."""
    hub = protocol.hub
    watched, viewers = hub.counts()
    rows: tuple[tuple[str, str, str, float], ...] = (
        ("headway_connections", "gauge", "Open sockets and event streams.", protocol.connections),
        ("headway_watched_tasks", "gauge", "Tasks with at least one viewer.", watched),
        ("headway_viewers", "gauge", "Viewers of tasks; one connection may watch several.", viewers),
        ("headway_frames_total", "counter", "Frames sent to viewers.", hub.stats.frames),
        ("headway_skipped_total", "counter", "Times that a slow viewer was passed over.", hub.stats.skipped),
        ("headway_events_total", "counter", "Events received from viewers.", hub.stats.events),
        ("headway_refused_total", "counter", "Events refused because there were too many.", hub.stats.refused),
        ("headway_healed_total", "counter", "Changes found by comparison, not by notification.", hub.stats.healed),
    )
    return "".join(
        f"# HELP {name} {words}\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, words, value in rows
    )

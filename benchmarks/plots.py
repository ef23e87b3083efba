"""Two plots for the docs: delivered messages by viewers, latency by load.

python benchmarks/plots.py   # the newest benchmarks/results/DAY.json → docs/images/bench-*.svg
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "docs" / "images"
NAMES = {
    "headway": ("Headway", "#2563eb", "o"),
    "node socket.io": ("Node socket.io", "#16a34a", "s"),
    "python-socketio": ("python-socketio on uvicorn", "#d97706", "^"),
    "C send loop": ("C loop of send()", "#6b7280", "x"),
}

Curves = dict[str, list[tuple[float, float]]]


def main() -> int:
    results = [json.loads(path.read_text()) for path in sorted((HERE / "results").glob("????-??-??.json"))]
    measured = [result["subjects"]["curves"] for result in results if "curves" in result["subjects"]]
    if not measured:
        print("the curves have not been measured yet: make bench", file=sys.stderr)
        return 1
    rows = measured[-1]
    # No fonts are embedded and no ids made up, so that the same figures give the same file.
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "headway", "font.family": "sans-serif", "font.size": 11}
    plot(curves(rows, r"delivered/s, ([\d,]+) viewers: (.*)"), "viewers in one room", "delivered a second", "delivered")
    plot(curves(rows, r"p99 at ([\d,]+) messages/s: (.*)"), "messages a second asked for", "p99 latency, ms", "latency")
    return 0


def curves(rows: list[dict[str, Any]], pattern: str) -> Curves:
    found: Curves = defaultdict(list)
    for row in rows:
        match = re.fullmatch(pattern, row["what"])
        if match is not None:
            found[match[2]].append((float(match[1].replace(",", "")), row["value"]))
    return found


def plot(drawn: Curves, across: str, up: str, name: str) -> None:
    figure, axes = pyplot.subplots(figsize=(7.2, 4.2))
    for server, points in drawn.items():
        label, colour, marker = NAMES[server]
        axes.plot(*zip(*points, strict=True), label=label, color=colour, marker=marker, linewidth=1.8)
    axes.set(xlabel=across, ylabel=up, xscale="log", yscale="log")
    axes.grid(visible=True, which="major", color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(IMAGES / f"bench-{name}.svg", metadata={"Date": None}, facecolor="white")
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())

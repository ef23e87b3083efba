"""The table of docs/explanation/performance.md, and its plots, from what was measured last: `make bench` writes it.

python benchmarks/figures.py   # the newest benchmarks/results/DAY.json → docs/explanation/performance.md
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import HERE, ROOT
from benchmarks.table import formatted

PAGE = ROOT / "docs" / "explanation" / "performance.md"
DRAWN = "curves"
"""Shown as plots instead."""
PLOTS = {
    "delivered": "Delivered messages a second by the number of viewers in one room",
    "latency": "p99 latency by the messages asked for, 100 viewers in one room",
}
AFTER_THE_PLOTS = "## Where the time goes\n"


def main() -> int:
    newest = max((HERE / "results").glob("????-??-??.json"))
    subjects: dict[str, list[dict[str, Any]]] = json.loads(newest.read_text("utf-8"))["subjects"]
    rows = [row for name, measured in subjects.items() if name != DRAWN for row in measured]
    table = "\n".join(lines(rows))
    # The first table of the page; its other words are people's.
    page = re.sub(r"^\| what \|.*\n(?:\|.*\n)*", lambda _: f"{table}\n", PAGE.read_text("utf-8"), count=1, flags=re.M)
    plots = [f"![{what}](../images/bench-{name}.svg)\n" for name, what in PLOTS.items()]
    if plots[0] not in page and all((ROOT / "docs" / "images" / f"bench-{name}.svg").exists() for name in PLOTS):
        page = page.replace(AFTER_THE_PLOTS, "\n".join([*plots, AFTER_THE_PLOTS]))
    PAGE.write_text(page, "utf-8")
    return 0


def lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| what | measured | target | |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        target = f"{row['target'][0]} {formatted(row['target'][1])} {row['unit']}" if row["target"] else ""
        verdict = row["verdict"].replace("MISSED", "**missed**")
        yield f"| {row['what']} | {formatted(row['value'])} {row['unit']} | {target} | {verdict} |"


if __name__ == "__main__":
    sys.exit(main())

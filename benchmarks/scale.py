"""`make bench-scale`: several gateways on one Redis, and how cost grows with stored and with active tasks.

python benchmarks/scale.py [GATEWAYS VIEWERS TASKS RATE SECONDS DELAY_MS]   # 3 1000 1000 5 10 5

VIEWERS are of each gateway; DELAY_MS is what a byte takes between Redis and who uses it, each way. About five minutes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import HERE
from benchmarks.run import machine
from benchmarks.scaling import gateways, growth
from benchmarks.table import Row, as_text


def main() -> int:
    setup = gateways.Setup(*map(int, sys.argv[1:]))
    rows: list[Row] = []
    for measured in (gateways.rows(setup), growth.by_active(setup.seconds), growth.by_stored()):
        for row in measured:
            rows.append(row)
            print(f"  {row.what}: {row.value:.4g} {row.unit} {row.verdict} {row.note}", flush=True)
    print(f"\n{as_text(rows)}\n\n{machine()}")
    result = {
        "day": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "setup": vars(setup),
        "rows": [{**vars(row), "verdict": row.verdict} for row in rows],
    }
    name = HERE / "results" / f"{time.strftime('%Y-%m-%d')}-scale.json"
    name.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: measure, print the table, keep it with versions and machine in benchmarks/results/DAY.json.

python benchmarks/run.py [SUBJECT …]   # those named, of SUBJECTS

Without a name it is all of them, and the table and the plots of the docs are made anew.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
import timeit
import traceback
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import HERE
from benchmarks.table import Row, as_text

SUBJECTS = ("size", "worker", "latency", "tasks", "browser", "viewers", "readers", "transport", "fanout", "curves")
PACKAGES = ("headway", "python-socketio", "python-engineio", "uvicorn", "flask-socketio", "gevent", "tqdm")


def main() -> int:
    asked = sys.argv[1:] or list(SUBJECTS)
    unknown = [subject for subject in asked if subject not in SUBJECTS]
    if unknown:
        print(f"no such subject: {', '.join(unknown)}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    failed: list[str] = []
    began = time.monotonic()
    for subject in asked:
        print(f"measuring {subject} …", flush=True)
        measured = []
        try:
            for row in importlib.import_module(f"benchmarks.rows.{subject}").rows():
                measured.append(row)
                print(f"  {row.what}: {row.value:.4g} {row.unit} {row.verdict} {row.note}", flush=True)
        except Exception:  # noqa: BLE001 - the others are worth having all the same.
            traceback.print_exc()
            failed.append(subject)
            continue
        keep(subject, measured)
        rows += measured
    print(f"\n{as_text(rows)}\n\n{machine()}; {(time.monotonic() - began) / 60:.0f} minutes")
    if not sys.argv[1:]:
        for script in ("plots.py", "figures.py"):
            subprocess.run([sys.executable, str(HERE / script)], check=False)
    if failed:
        print(f"could not be measured, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or any(row.verdict == "MISSED" for row in rows) else 0


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    python = f"Python {platform.python_version()} ({loop_ns():.0f} ns a turn of a bare loop)"
    system = f"Linux {platform.release()}, {python}, Node {node}"
    return f"{model}, {os.cpu_count()} cores, {system}; {versions}"


def loop_ns() -> float:
    """How fast this Python is here. Built without optimisations, the same version takes half as long again."""
    return min(timeit.repeat("for _ in range(100_000): pass", number=1, repeat=20)) * 1e4


def keep(subject: str, rows: list[Row]) -> None:
    """In the day's file, instead of what was measured of this subject before."""
    path = HERE / "results" / f"{time.strftime('%Y-%m-%d')}.json"
    path.parent.mkdir(exist_ok=True)
    subjects = json.loads(path.read_text())["subjects"] if path.exists() else {}
    subjects[subject] = [{**vars(row), "verdict": row.verdict} for row in rows]
    result = {"machine": machine(), "subjects": {name: subjects[name] for name in SUBJECTS if name in subjects}}
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())

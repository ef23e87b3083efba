"""Reads a CSV file row by row and says how far it is: `python import_rows.py rows.csv`."""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

from headway import ProgressManager

SECONDS_A_ROW = 0.01  # Stands for what your import does with a row.


def import_rows(path: Path, manager: ProgressManager) -> str:
    """The id of the task, which has ended by then."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with manager.task(f"Import {path.name}", stages=[("check", 1), ("import", 4)]) as task:
        print(f"headway watch {task.task_id}", flush=True)
        with task.step("check", total=len(rows)) as step:
            for number, row in enumerate(step.track(rows), start=1):
                if None in row.values():
                    task.log(f"row {number} is short", level="warning")
        with task.step("import", total=len(rows)) as step:
            for _row in step.track(rows):
                time.sleep(SECONDS_A_ROW)
        task.set_result({"rows": len(rows)})
        return task.task_id


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python import_rows.py FILE.csv")
    with ProgressManager() as manager:
        import_rows(Path(sys.argv[1]), manager)

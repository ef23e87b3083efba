"""What a page loads."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from benchmarks.processes import ROOT
from benchmarks.table import Row


def rows() -> Iterator[Row]:
    script = ROOT / "src" / "headway" / "static" / "js" / "progress.js"
    size = len(gzip.compress(script.read_bytes(), 9)) / 1024
    yield Row("progress.js, minified and gzipped", size, "KiB", ("≤", 12))

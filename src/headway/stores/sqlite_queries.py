"""The queries of queries.sql by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType


def load(path: Path) -> Mapping[str, str]:
    """Each part of the file that begins with a line `-- name: …`."""
    parts = path.read_text("utf-8").split("-- name: ")[1:]
    named = (part.split("\n", 1) for part in parts)
    return MappingProxyType({name.strip(): text.strip() for name, text in named})


QUERIES = load(Path(__file__).with_name("queries.sql"))

"""The table that a run prints: rows with a value, what it is compared with, and a target."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

COMPARISONS: dict[str, Callable[[float, float], bool]] = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True)
class Row:
    """One measured figure; `target` is e.g. ("≥", 8), of the same unit as `value`. None: it is only shown."""

    what: str
    value: float
    unit: str
    target: tuple[str, float] | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if COMPARISONS[self.target[0]](self.value, self.target[1]) else "MISSED"


@dataclass
class Samples:
    """The rounds of one figure: their median, and how far they lie apart."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def noise(self) -> str:
        spread = (max(self.values) - min(self.values)) / self.median * 100 if self.median else 0
        return f"±{spread / 2:.0f} %"


def formatted(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_text(rows: Sequence[Row]) -> str:
    """A Markdown table, aligned."""
    cells = [("what", "measured", "target", "", "note")]
    for row in rows:
        target = "" if row.target is None else f"{row.target[0]} {formatted(row.target[1])} {row.unit}"
        cells.append((row.what, f"{formatted(row.value)} {row.unit}", target, row.verdict, row.note))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)

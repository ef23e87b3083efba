"""Line breaking for Chinese, Latin and mixtures of them, free of any font: widths come from a function.

Rules (after W3C's *Requirements for Chinese Text Layout*, 'clreq', 3.1): no line begins with closing or pausing
punctuation or ends with an opening one, '——' and '……' stay whole, Latin words and numbers stay whole, a number keeps
its measure word, no line holds one character alone at the end of a paragraph. Among what is allowed the set of lines
with the least cost is taken (Knuth and Plass's idea): full lines for running text, equal ones for headings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

Measure = Callable[[str], float]  # the width of a piece of text, in em

NEVER_FIRST = "，。、；：！？）】》」』”’…—·％%℃°,.;:!?)]}〉〕～~々ー%”’｜|／/"
NEVER_LAST = "（【《「『“‘〈〔([{￥$¥#＃@"
PAUSES = "，。、；：！？,.;:!?｜|"
# A line of a heading that begins with one of these, or ends with one of those, reads badly.
_WEAK_FIRST = "的了着过们吗呢吧啊呀么地得里上下中是"
_WEAK = 1.0
_ORPHAN = 8.0
_WEAK_LAST = "不很最太更再就也都又才被把向和与在从一这那第"

_BAR = re.compile(r"\s*[｜|]\s*")
_PIECE = re.compile(
    r"\d+(?:[.,:：/~\-–]\d+)*%?[\u4e00-\u9fff]"  # a number and its measure word: 3天, 10:30点
    r"|[^\W\u3000-\u9fff\uac00-\ud7a3\uf900-\uffff]+(?:['’.\-–_/@:+&][^\W\u3000-\u9fff\uac00-\ud7a3\uf900-\uffff]+)*[%+℃°]?"
    r"|—+|…+|-{2,}"
    r"|\s+"
    r"|."
)


@dataclass(frozen=True)
class _Unit:
    """What may not be broken, and whether a space stood before it."""

    text: str
    spaced: bool


@dataclass(frozen=True)
class Broken:
    """Lines, and how badly they read: comparable between widths."""

    lines: list[str]
    cost: float


def break_lines(
    text: str,
    width: float,
    measure: Measure,
    *,
    balance: bool = False,
    keep: Sequence[str] = (),
    whole: Set[str] = frozenset(),
    indent: int = 0,
) -> Broken:
    """Lines no wider than `width` em, save for punctuation hanging out by half an em. Empty text has no lines.

    `keep` are phrases that should not be parted, `whole` words of two characters that had better not be.
    `balance` is for headings: lines of like length, a break wherever the text has '｜'.
    `indent` (em) is put before the first line as ideographic spaces.
    """
    if balance and (parts := _BAR.split(text))[1:]:
        each = [break_lines(part, width, measure, balance=True, keep=keep, whole=whole) for part in parts]
        return Broken([line for one in each for line in one.lines], sum(one.cost for one in each))
    units = _units(text, width, measure)
    if not units:
        return Broken([], 0.0)
    seams = _seams(units, keep, whole)
    count = len(units)
    widths = _line_widths(units, width, measure, indent)
    goal = width
    if balance:
        all_in_one = measure(_joined(units))
        goal = min(width, all_in_one / max(1, -(-all_in_one // width)) * 1.04)
    # best[i]: the least cost of setting units[i:], and where its first line ends.
    best: list[tuple[float, int]] = [(0.0, count)] * (count + 1)
    firsts, lasts = [unit.text[0] for unit in units], [unit.text[-1] for unit in units]
    for start in range(count - 1, -1, -1):
        options = []
        for end, line_width in widths[start]:
            edges = firsts[start], lasts[end - 1]
            cost = _cost(edges, line_width, goal, is_last=end == count, is_first=start == 0, balance=balance)
            if end == count and start > 0 and _letters(units[start:]) <= 1:
                cost += _ORPHAN
            if end < count:
                cost += seams[end] * (1.0 if balance else 0.04)
            options.append((cost + best[end][0], end))
        best[start] = min(options)
    lines, start = [], 0
    while start < count:
        end = best[start][1]
        lines.append(_joined(units[start:end]))
        start = end
    lines[0] = "\u3000" * indent + lines[0]
    return Broken(lines, best[0][0])


def hang(line: str) -> float:
    """How far (em) the end of a line may stand out: full-width punctuation has its right half blank."""
    return 0.5 if line and line[-1] in "，。、；：！？）】》」』”’" else 0.0


def _units(text: str, width: float, measure: Measure) -> list[_Unit]:
    pieces: list[_Unit] = []
    spaced = False
    for piece in _PIECE.findall(text.strip()):
        if piece.isspace():
            spaced = True
            continue
        if measure(piece) > width:  # a word wider than the line (an address, say) is cut where it must be
            pieces.extend(_Unit(c, spaced and i == 0) for i, c in enumerate(piece))
        else:
            pieces.append(_Unit(piece, spaced))
        spaced = False
    return _glue(pieces, width, measure)


def _glue(pieces: list[_Unit], width: float, measure: Measure) -> list[_Unit]:
    """Join what the rules forbid to part, unless that would be wider than a line."""
    units: list[_Unit] = []
    for piece in pieces:
        if units and not piece.spaced:
            before = units[-1]
            forbidden = piece.text[0] in NEVER_FIRST or before.text[-1] in NEVER_LAST
            if forbidden and measure(before.text + piece.text) <= width + 0.5:
                units[-1] = _Unit(before.text + piece.text, before.spaced)
                continue
        units.append(piece)
    return units


def _joined(units: Sequence[_Unit]) -> str:
    return "".join((" " if unit.spaced and i else "") + unit.text for i, unit in enumerate(units))


def _line_widths(units: list[_Unit], width: float, measure: Measure, indent: int) -> list[list[tuple[int, float]]]:
    """For each start the ends that a line may have, with the line's width; always at least one."""
    own = [measure(unit.text) for unit in units]
    hangs = [hang(unit.text) for unit in units]
    # What each adds to a line that it doesn't begin.
    more = [0.0] + [measure(_joined((one, two))) - own[i] for i, (one, two) in enumerate(pairwise(units))]
    result = []
    for start, first in enumerate(own):
        total = first if start else first + indent
        ends = [(start + 1, total - hangs[start])]
        for at in range(start + 1, len(units)):
            total += more[at]
            line_width = total - hangs[at]
            if line_width > width:
                break
            ends.append((at + 1, line_width))
        result.append(ends)
    return result


def _cost(
    edges: tuple[str, str], line_width: float, goal: float, *, is_last: bool, is_first: bool, balance: bool
) -> float:
    """What a line costs by its width and by the characters at its edges."""
    first, last = edges
    slack = (goal - line_width) / goal
    if not balance:
        # A loose line costs more than a short last one: running text should look even.
        cost = 0.02 if is_last else 0.02 + 8 * slack * slack
        return cost + 0.02 if not is_first and first in "的了着吗呢吧啊" else cost
    cost = 0.3 + 5 * slack * slack
    if not is_last:
        cost += _WEAK if last in _WEAK_LAST else -1.2 if last in PAUSES else 0.0
    if not is_first and first in _WEAK_FIRST:
        cost += _WEAK
    return cost


def _letters(units: Sequence[_Unit]) -> int:
    """How many characters are no punctuation, as far as two."""
    count = 0
    for unit in units:
        count += sum(c not in NEVER_FIRST and c not in NEVER_LAST for c in unit.text)
        if count > 1:
            break
    return count


def _seams(units: list[_Unit], keep: Sequence[str], whole: Set[str]) -> list[float]:
    """What a break before units[i] costs: dear inside a phrase to be kept, cheap right behind it."""
    text, starts = "", []
    for i, unit in enumerate(units):
        text += (" " if unit.spaced and i else "") + unit.text
        starts.append(len(text) - len(unit.text))
    seams = [0.9 if start > 0 and text[start - 1 : start + 1] in whole else 0.0 for start in starts]
    for phrase in filter(None, keep):
        at = text.find(phrase)
        while at >= 0:
            end = at + len(phrase)
            for i, start in enumerate(starts):
                if at < start < end:
                    seams[i] = 6.0
                elif start == end:
                    seams[i] -= 0.4
            at = text.find(phrase, end)
    return seams

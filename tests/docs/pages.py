"""Reads the documentation: its pages, their code blocks, headings and links. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tests.helpers import ROOT

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,}) *(?P<info>[^`\n]*)$")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+(?:\([^()]*\))?)(?: \"[^\"]*\")?\)")
_PROOF = re.compile(r"\]\((?P<path>[^()\s]+\.py) \"(?P<sentence>[^\"]+)\"\)")
_SOURCE = re.compile(r"(?:src|href)=\"(?P<target>[^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A fenced block. The info string's first word is its language; `key=value` and bare words follow."""

    page: str
    line: int
    info: str
    code: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info else ""

    @property
    def words(self) -> list[str]:
        return self.info.split()[1:]

    def option(self, key: str) -> str | None:
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{key}=")), None)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """All documentation, as paths from the root of the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "node_modules" not in path.parts)


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    found = []
    lines = text_of(page).splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        start = at + 1
        indent, mark = len(fence["indent"]), fence["mark"]
        end = start
        while end < len(lines) and not re.fullmatch(rf" *{mark[0]}{{{len(mark)},}} *", lines[end]):
            end += 1
        code = "\n".join(line[indent:] for line in lines[start:end])
        found.append(Block(page, start, fence["info"].strip(), code + "\n"))
        at = end + 1
    return [block for block in found if not languages or block.language in languages]


def without_code(page: str) -> str:
    """The page with its blocks and `code` blanked out, line for line."""
    kept, mark = [], ""
    for line in text_of(page).splitlines():
        fence = _FENCE.match(line)
        if mark:
            if fence and line.strip().startswith(mark):
                mark = ""
            kept.append("")
        elif fence:
            mark = fence["mark"]
            kept.append("")
        else:
            kept.append(re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line))
    return "\n".join(kept)


def links(page: str) -> list[str]:
    text = without_code(page)
    return [match["target"] for pattern in (_LINK, _SOURCE) for match in pattern.finditer(text)]


def proofs(page: str) -> list[tuple[str, str]]:
    """Links to tests, as (path, the test's name in words)."""
    return [(match["path"], match["sentence"]) for match in _PROOF.finditer(without_code(page))]


def anchors(page: str) -> set[str]:
    """The ids that GitHub gives the headings."""
    found: set[str] = set()
    fence = ""
    for line in text_of(page).splitlines():
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and line.strip().startswith(fence) else fence or mark["mark"]
            continue
        heading = re.match(r"#{1,6} +(.*?) *#*$", line)
        if fence or heading is None:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower().replace("`", "")
        kept = "".join(c for c in words if c in " -_" or unicodedata.category(c)[0] in "LNM")
        slug, number = kept.replace(" ", "-"), 0
        while (name := slug if number == 0 else f"{slug}-{number}") in found:
            number += 1
        found.add(name)
    return found


def resolved(page: str, target: str) -> tuple[Path, str]:
    """The file (or folder) that a relative link means, and the fragment."""
    path, _, fragment = target.partition("#")
    return ((ROOT / page).parent / path).resolve() if path else (ROOT / page), fragment

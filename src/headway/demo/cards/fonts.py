"""Finding a font with Chinese characters, and knowing what it can show."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from headway.demo.errors import FontMissing

CUTS = ("serif", "serif-bold", "sans", "sans-bold")

_NOTO = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/share/fonts/google-noto-cjk")
# Best first. The last ones have one cut only, which then serves for all.
_KNOWN: dict[str, tuple[str, ...]] = {
    "serif": (
        *(f"{folder}/NotoSerifCJK-Regular.ttc" for folder in _NOTO),
        "/System/Library/Fonts/Supplemental/Songti.ttc",
        "C:/Windows/Fonts/simsun.ttc",
    ),
    "serif-bold": (*(f"{folder}/NotoSerifCJK-Bold.ttc" for folder in _NOTO),),
    "sans": (
        *(f"{folder}/NotoSansCJK-Regular.ttc" for folder in _NOTO),
        "/System/Library/Fonts/PingFang.ttc",
        "/System/Library/Fonts/Hiragino Sans GB.ttc",
        "C:/Windows/Fonts/msyh.ttc",
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
        "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
        "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
        "/usr/share/fonts/truetype/arphic/uming.ttc",
    ),
    "sans-bold": (*(f"{folder}/NotoSansCJK-Bold.ttc" for folder in _NOTO), "C:/Windows/Fonts/msyhbd.ttc"),
}
_PATTERN = {
    "serif": "serif:lang=zh-cn",
    "serif-bold": "serif:lang=zh-cn:bold",
    "sans": "sans:lang=zh-cn",
    "sans-bold": "sans:lang=zh-cn:bold",
}
_NEXT_BEST = {"serif-bold": "serif", "sans-bold": "sans", "serif": "sans", "sans": "serif"}


@dataclass(frozen=True)
class Face:
    """One cut of a font, at any size."""

    path: str
    index: int

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        return _loaded(self.path, self.index, size)

    def shows(self, character: str) -> bool:
        """Whether the font has it; a space counts as shown."""
        return _shows(self, character)

    def shown(self, text: str) -> str:
        """The text without what the font would print as an empty box."""
        return "".join(c for c in text if c.isspace() or self.shows(c))


def face(cut: str) -> Face:
    """The best face on this machine for one of `CUTS`. Raises `FontMissing`, which says what to install."""
    return best(_found(), cut)


def best(found: Mapping[str, Face], cut: str) -> Face:
    """The face for a cut, or the next best of those that were found."""
    tried: list[str] = []
    while cut not in found and cut not in tried:
        tried.append(cut)
        cut = _NEXT_BEST[cut]
    if cut in found:
        return found[cut]
    if found:
        return next(iter(found.values()))
    raise FontMissing


def find(known: Mapping[str, Sequence[str]], ask: Callable[[str], Sequence[str]]) -> dict[str, Face]:
    """The first face with Chinese for each cut among the known files; where there is none at all, what `ask` names."""
    found = {cut: picked for cut, paths in known.items() if (picked := _first_chinese(paths))}
    if found:
        return found
    return {cut: picked for cut, pattern in _PATTERN.items() if (picked := _first_chinese(ask(pattern)))}


# Per process, and only what the machine has: a cache of facts, not state.
@cache
def _found() -> dict[str, Face]:
    return find(_KNOWN, asked_fontconfig)


def asked_fontconfig(pattern: str) -> tuple[str, ...]:
    """What fontconfig would take for it, if this machine has fontconfig."""
    program = shutil.which("fc-match")
    if program is None:
        return ()
    answer = subprocess.run(
        [program, "-f", "%{file}", pattern], capture_output=True, text=True, timeout=20, check=False
    )
    return (answer.stdout.strip(),) if answer.returncode == 0 and answer.stdout.strip() else ()


def _first_chinese(paths: Sequence[str]) -> Face | None:
    for path in paths:
        if Path(path).is_file() and (picked := _simplified(path)):
            return picked
    return None


def _simplified(path: str) -> Face | None:
    """The face of a collection that draws characters as the mainland writes them, else its first with Chinese."""
    faces = []
    for index in range(12):
        try:
            faces.append((ImageFont.truetype(path, 20, index=index).getname(), Face(path, index)))
        except OSError:  # past the last face of the file
            break
    chinese = [(name, one) for name, one in faces if one.shows("胡") and one.shows("同")]
    for name, one in chinese:
        if (name[0] or "").endswith(" SC"):
            return one
    return chinese[0][1] if chinese else None


@lru_cache(maxsize=256)
def _loaded(path: str, index: int, size: float) -> ImageFont.FreeTypeFont:
    # BASIC: we place Chinese characters ourselves, and the result must not depend on what else is installed.
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def _shows(one: Face, character: str) -> bool:
    font = one.at(40)
    drawn, empty_box = font.getmask(character), font.getmask("\uffff")
    return drawn.size != empty_box.size or bytes(drawn) != bytes(empty_box)

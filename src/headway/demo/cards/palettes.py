"""Palettes: twelve colours with a role each, so that any scene and any layout can wear any palette.

Every pairing of text and ground that a layout may use is listed in `TEXT_ON`, and tested to reach WCAG's 4.5 : 1.
"""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


def colour(code: str) -> Colour:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with that share (0–1) of `other` in it."""
    r, g, b = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return r, g, b


def luminance(rgb: Colour) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    r, g, b = rgb
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)


def contrast(one: Colour, other: Colour) -> float:
    """1–21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True)
class Palette:
    label_zh: str
    label_en: str
    paper: Colour  # the ground, and the sky of a scene
    panel: Colour  # a sheet lying on the paper
    ink: Colour  # text
    soft: Colour  # lesser text
    accent: Colour  # text that should be seen first; marks
    deep: Colour  # a block of strong colour …
    on_deep: Colour  # … and text on it
    sun: Colour
    far: Colour  # the scene, from the horizon …
    mid: Colour
    near: Colour  # … to the viewer's feet

    @property
    def is_dark(self) -> bool:
        return luminance(self.paper) < luminance(self.ink)


def _palette(label_zh: str, label_en: str, colours: str) -> Palette:
    return Palette(label_zh, label_en, *(colour(code) for code in colours.split()))


PALETTES: dict[str, Palette] = {
    name: _palette(label_zh, label_en, colours)
    for name, label_zh, label_en, colours in (
        # name, labels, then: paper panel ink soft accent deep on_deep sun far mid near
        ("hutong", "胡同灰", "Hutong grey",
         "F3ECE0 FBF7EF 2A2725 5E554C A5301D 3A4248 F7EFE1 D8573A CFC9BE 969896 4A5358"),
        ("palace", "宫墙红", "Palace red",
         "99281F 842019 FFF1DA F8D9B5 F9CF79 FBEBCF 7C1B14 F4BC50 A93A2E 761A15 4B0F0C"),
        ("celadon", "青瓷", "Celadon",
         "E6F0E8 F6FBF5 1C3833 466059 1C6452 23524A F0F8EF EDB262 BEDACB 83B5A1 3A7566"),
        ("night", "夜墨", "Ink night",
         "161C33 202848 F6ECD5 BEC3D8 F4C873 F3DFB2 1A2040 F7E2AB 33406D 252F57 0E1326"),
        ("blossom", "桃夭", "Peach blossom",
         "FCEBE8 FFF8F5 46202B 7A4853 AE2049 8B2243 FFF1EE F29088 F5CBCC E79DA9 B4566F"),
        ("porcelain", "青花", "Blue and white",
         "EDF2F8 FFFFFF 14264A 45567A 1E4C9C 1C3A78 F2F6FC E07A55 C2D3E9 84A4D1 2C549E"),
        ("persimmon", "秋柿", "Persimmon",
         "FFEEd6 FFF9EE 42200F 774A2F AC3C0C 7C2E0F FFF1DC EE7132 F8D2A2 EBA95F A4501D"),
        ("lemon", "柠黄", "Lemon",
         "FFD950 FFF3C4 1F1B15 51440F 971A2C 1F1B15 FFE58A FF7059 FFC61A FF9E40 1F6663"),
    )
}  # fmt: skip

# (text role, ground role): the pairs that layouts may use.
TEXT_ON: tuple[tuple[str, str], ...] = (
    ("ink", "paper"),
    ("ink", "panel"),
    ("soft", "paper"),
    ("soft", "panel"),
    ("accent", "paper"),
    ("accent", "panel"),
    ("on_deep", "deep"),
)

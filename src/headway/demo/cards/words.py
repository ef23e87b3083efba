"""Text made fit for a card: one line, no emoji, nothing that a font could not show."""

from __future__ import annotations

import re
import unicodedata

# Drawn by colour fonts only. What has a plain sign of the same meaning gets that, the rest goes.
_PLAIN = {
    "✅": "✓",
    "☑": "✓",
    "✔": "✓",
    "❌": "×",
    "✖": "×",
    "➡": "→",
    "⬅": "←",
    "⭐": "★",
    "🌟": "★",
    "♥": "♥",
    "❤": "♥",
}
_EMOJI = re.compile(
    "["
    "\U0001f000-\U0001faff"  # pictographs, flags, skin tones, symbols of all blocks there
    "\u2600-\u2604\u2607-\u2638\u263b-\u263f\u2643-\u265f\u2661-\u27bf"  # weather, dingbats; keeps ★ ☆ ♀ ♂ ♠
    "\u2b00-\u2bff"
    "\u231a\u231b\u2328\u23cf\u23e9-\u23ff\u25fb-\u25fe"
    "\U000e0020-\U000e007f"  # tags of regional flags
    "]+"
)
# What only changes the sign before it: variation selectors, the joiner, the keycap.
_MODIFIERS = re.compile("[\ufe0e\ufe0f\u200d\u20e3]")
_SPACES = re.compile(r"[^\S\n]+")


def plain(text: str) -> str:
    """The text with emoji gone or replaced, controls gone and spaces collapsed; line ends become spaces."""
    text = _MODIFIERS.sub("", unicodedata.normalize("NFC", text))
    for sign, stand_in in _PLAIN.items():
        text = text.replace(sign, "\ue000" + stand_in)
    # A stand-in is kept from the sweep below by the mark before it (a private-use character that no text has).
    text = re.sub("\ue000(.)", lambda m: f"\ue000{ord(m[1]):05d}", text)
    text = _EMOJI.sub(" ", text)
    text = re.sub(r"\ue000(\d{5})", lambda m: chr(int(m[1])), text)
    text = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    text = _SPACES.sub(" ", text).strip()
    # A gap that an emoji left between Chinese characters is no space that anyone wrote.
    return re.sub(f"(?<=[{_WIDE}]) (?=[{_WIDE}])", "", text)


def in_latin_quotes(text: str) -> str:
    """Quotes and apostrophes of Latin words made straight: a Chinese font has the curly ones a whole em wide."""
    if is_chinese(text):
        return re.sub("(?<=[A-Za-z])[‘’](?=[A-Za-z])", "'", text)
    return text.translate({ord("‘"): "'", ord("’"): "'", ord("“"): '"', ord("”"): '"'})


def says_something(text: str) -> bool:
    """Whether there is a letter, a character or a digit in it."""
    return any(c.isalnum() for c in text)


def stand_in(language: str) -> str:
    """What to call a topic that has no name, or none that can be printed."""
    return "这件小事" if language == "zh-CN" else "this small thing"


def is_chinese(text: str) -> bool:
    return re.search("[\u3400-\u9fff\uf900-\ufaff]", text) is not None


_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_WIDE = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60"

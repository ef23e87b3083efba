"""URLs as they may be shown and logged."""

from __future__ import annotations

import re


def without_secrets(url: str) -> str:
    """A store's URL without user and passwords; of a file the URL as it is."""
    if url.startswith("sqlite:"):
        return url
    shown = re.sub(r"(?<=password=)[^&]*", "…", url)
    # Up to the last @: a password that was not encoded may have one itself, or a slash.
    return re.sub(r"//.*@", "//…@", shown, flags=re.DOTALL)

"""URLs as they may be shown and logged."""

from __future__ import annotations

import re


def without_secrets(url: str) -> str:
    """A store's URL without user and passwords; of a file the URL as it is."""
    if url.startswith("sqlite:"):
        return url
    # Up to the last @: a password that was not encoded may have one itself, or a slash.
    shown = re.sub(r"//.*@", "//…@", url, flags=re.DOTALL)
    return re.sub(r"(?<=password=)[^&]*", "…", shown)

"""How who follows a store decodes the records of others: by orjson where it is installed, in a third of the time.

Chosen when the first one comes: who only reports need not wait for another import.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

Decode = Callable[[str], dict[str, Any]]


@cache
def record_decoder() -> Decode:
    """What is stored is the same by either: no number is beyond 2**53, and no text has half a character."""
    try:
        import orjson
    except ImportError:
        return json.loads
    return orjson.loads

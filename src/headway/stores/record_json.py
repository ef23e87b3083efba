"""How who follows a store decodes the records of others: by orjson where it is loaded, in a third of the time."""

from __future__ import annotations

import json
import sys

from headway.model.codec import Decode


def record_decoder() -> Decode:
    """orjson's where this process has it anyway, as who serves viewers does: who reports would wait for it.

    What is stored is the same by either: no number is beyond 2**53, and no text has half a character.
    """
    decode: Decode = getattr(sys.modules.get("orjson"), "loads", json.loads)
    return decode

"""JSON text without spaces, by an encoder that is made once: `json.dumps` makes a new one for each value."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable

Encode = Callable[[object], str]


def compact_encoder(*, allow_nan: bool = True) -> Encode:
    """Raises TypeError or ValueError for what is not JSON, RecursionError for a circle."""
    options = json.JSONEncoder(ensure_ascii=False, allow_nan=allow_nan, check_circular=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # Without CPython's accelerator.
        return options.encode
    # What `JSONEncoder.iterencode` does anew at each call; the arguments have been the same since Python 2.7.
    in_chunks = make(
        None, options.default, json.encoder.encode_basestring, options.indent, options.key_separator,
        options.item_separator, options.sort_keys, options.skipkeys, options.allow_nan,
    )  # fmt: skip
    join = "".join

    def encode(value: object) -> str:
        return join(in_chunks(value, 0))

    return encode

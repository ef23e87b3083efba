"""Compact JSON text."""

from __future__ import annotations

import json
import json.encoder
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.model.compact import Encode, compact_encoder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.fixture(params=["accelerated", "plain"])
def encode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Encode:
    if request.param == "plain":
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    return compact_encoder(allow_nan=False)


@given(JSON)
def test_it_is_what_json_dumps_writes_without_spaces(value: object) -> None:
    assert compact_encoder()(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", [{1}, object(), b"a", {"a": [1j]}, {(1, 2): 3}])
def test_what_is_no_json_is_a_type_error(encode: Encode, value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}])
def test_what_is_no_number_is_a_value_error(encode: Encode, value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(value)


def test_a_circle_ends(encode: Encode) -> None:
    circle: list[Any] = []
    circle.append(circle)

    with pytest.raises(RecursionError):
        encode(circle)


def test_one_encoder_serves_many_values(encode: Encode) -> None:
    assert [encode(value) for value in ("长", 1, None, {"a": [True, 0.5]})] == ['"长"', "1", "null", '{"a":[true,0.5]}']

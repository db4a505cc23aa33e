"""What the server reads and writes as JSON is what Python's own module would."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("orjson", reason="the extra 'serve' is not installed")

from whichlever.serve.wire import NotJson, dumped, loaded, loaded_exactly

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def same(a: Any, b: Any) -> bool:
    """Equal in type and in every bit."""
    return json.dumps(a) == json.dumps(b)


@settings(deadline=None)
@given(VALUES, st.booleans())
def test_every_document_is_read_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    with contextlib.suppress(UnicodeEncodeError):  # half a character can only be sent escaped
        assert same(loaded(text.encode()), value)
        assert same(loaded_exactly(text.encode()), value)


@settings(deadline=None)
@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    assert same(json.loads(dumped(value)), value)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_not_being_json(body: bytes) -> None:
    try:
        found = loaded(body)
    except NotJson:
        return
    assert same(found, json.loads(body.decode()))


@pytest.mark.parametrize(
    "body", [b"NaN", b"[1e999]", b"[-Infinity]", b"[" * 100_000, b'{"a":' * 5_000, b"\xff", b""]
)
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        loaded(body)


def test_long_numbers_are_kept_where_they_matter() -> None:
    long = 123456789012345678901234567890
    assert loaded_exactly(b"%d" % long) == long
    assert dumped(long) == b"%d" % long
    assert math.isclose(loaded(b"%d" % long), long)
    with pytest.raises(NotJson):
        loaded_exactly(b"1" * 10_000)

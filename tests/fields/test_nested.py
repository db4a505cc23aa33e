"""Dotted names and nested documents say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.fields.nested import MAX_DEPTH, flatten, nest

NAMES = st.lists(st.sampled_from(["source", "ip", "user", "name", "@timestamp"]), min_size=1,
                 max_size=4).map(".".join)  # fmt: skip


@given(st.dictionaries(NAMES, st.text(max_size=3) | st.integers()))
def test_nesting_loses_no_name_and_no_value(fields: dict[str, object]) -> None:
    assert flatten(nest(fields)) == fields


def test_a_name_that_begins_another_stays_beside_it() -> None:
    assert nest({"user": "a", "user.name": "b"}) == {"user": "a", "user.name": "b"}
    assert nest({"source.ip": "a", "source.port": 1}) == {"source": {"ip": "a", "port": 1}}


def test_nulls_are_not_there_and_depth_is_bounded() -> None:
    assert flatten({"a": None, "b": [], "c": {"d": 0}, "e.f": "x"}) == {"c.d": 0, "e.f": "x"}
    deep: dict[str, object] = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="deeper"):
        flatten(deep)
    with pytest.raises(ValueError, match="names"):
        flatten({str(i): i for i in range(6_000)})

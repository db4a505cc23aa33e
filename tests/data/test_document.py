"""One large JSON document, item by item."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.data.document import walk

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(JSON, max_size=6), st.none() | st.integers(0, 4), JSON, JSON)
def test_items_are_what_json_says(items, indent, before, after):
    document = {"before": before, "hits": {"total": after, "hits": items, "x": before}, "z": after}
    for path, text in (((), json.dumps(items, indent=indent)),
                       (("hits", "hits"), json.dumps(document, indent=indent))):  # fmt: skip
        assert [value for _, value in walk(text, path)] == items
        assert [value for _, value in walk(f" {text}\n{text}\n", path)] == items + items


def test_an_item_has_the_line_it_begins_on():
    assert list(walk('[\n  {"a": 1},\n\n  {"a":\n 2}, 3\n]\n')) == [
        (2, {"a": 1}),
        (4, {"a": 2}),
        (5, 3),
    ]


@pytest.mark.parametrize(
    "text",
    ["[", "[1", "[1,", "[1,]", "[1 2]", "{}", "5", '"x"', "[1] x", "[NaN]", "[1]]", "[" * 100_000],
)
def test_what_is_no_list_is_told(text):
    with pytest.raises((ValueError, RecursionError)):
        list(walk(text))


@pytest.mark.parametrize("text", ['{"a"', '{"a": 1,}', "{1: 2}", '{"a": [1]}', "[]"])
def test_what_leads_to_no_list_is_told(text):
    with pytest.raises(ValueError, match=r"."):
        list(walk(text, ("a", "b")))


@given(st.text(alphabet='{}[]",:ab1 \n', max_size=60), st.sampled_from([(), ("a",), ("a", "b")]))
def test_arbitrary_text_ends(text, path):
    with contextlib.suppress(ValueError):
        list(walk(text, path))
    assert list(walk('{"a": 1, "b": {"c": {}}}', ("a", "b"))) == []  # no such list: no items

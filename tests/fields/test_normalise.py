"""Normalisers: each makes exactly the values it says, and nothing is made up."""

import pytest

from whichlever.fields import normalise
from whichlever.fields.normalise import Rule


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("none", "Ab", "Ab"),
        ("lower", "TCP", "tcp"),
        ("upper", "get", "GET"),
        ("int", "0443", 443),
        ("int", "none", "none"),
        ("number", "119.8", 119.8),
        ("number", "119", 119),
        ("mac", "de:fb:00:01:02:0a", "DE-FB-00-01-02-0A"),
        ("mac", "defb.0001.020a", "DE-FB-00-01-02-0A"),
        ("mac", "unknown", "unknown"),
        ("whitespace", "a \t b\n", "a b"),
        ("percent", "/a%20b", "/a b"),
        ("json", r"C:\\a\"b", 'C:\\a"b'),
        ("timestamp", "no time", "no time"),
    ],
)
def test_values(kind, text, value):
    made = normalise.apply(text, Rule(kind))
    assert made == value
    assert type(made) is type(value)


def test_equality_is_the_kind_s():
    assert normalise.equal("TCP", "tcp", "lower")
    assert not normalise.equal("TCP", "tcp", "none")
    assert normalise.equal(302013, "302013", "int")
    assert normalise.equal("de:fb:00:01:02:0a", "DE-FB-00-01-02-0A", "mac")
    assert normalise.equal("2031-05-23T15:20:07+02:00", "2031-05-23T13:20:07.000Z", "timestamp")


def test_an_unknown_normaliser_is_refused():
    with pytest.raises(ValueError, match="there are none, lower"):
        normalise.apply("a", Rule("rot13"))

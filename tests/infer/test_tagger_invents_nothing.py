"""Whatever text comes: no name outside the schema, no value that was not copied or declared."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.fields import LabelledLine, normalise
from whichlever.infer.tagger import Tagger
from whichlever.models.tagger import train_tagger

PIECES = [
    "src=", "dst=", "user=", "10.0.0.7", "2001:db8::1", ":443", '"', "'", ",", "|", " ", "\t", "\n",
    "2031-05-06T07:08:09Z", "May  6 07:08:09", "TCP", "de:fb:00:00:00:01", "%FW-6-302013: ", "%20",
    "\x00", "\x1b[31m", "é", "\U0001f600", "\udc80", "<134>", "CEF:0|a|b|1|", "ana",
]  # fmt: skip


def line(rng):
    user, port = rng.choice(["ana", "ben", "cleo"]), rng.randrange(1000, 9999)
    a = f"10.0.{rng.randrange(9)}.{rng.randrange(99)}"
    mac = f"de:fb:00:00:00:{rng.randrange(99):02d}"
    text = f'May  6 07:08:{rng.randrange(10, 59)} fw: TCP src={a}:{port} mac={mac} user="{user}"'
    fields = {
        "@timestamp": f"2031-05-06T07:08:{text[13:15]}.000Z",
        "network.transport": "tcp",
        "source.ip": a,
        "client.ip": a,
        "source.port": port,
        "source.mac": mac.upper().replace(":", "-"),
        "user.name": user,
    }
    return LabelledLine(text, fields, "fw")


@pytest.fixture(scope="module")
def tagger():
    rng = random.Random(0)
    return Tagger.from_bytes(train_tagger([line(rng) for _ in range(14)], seconds=3))


def allowed(text, value, rule):
    """The value is a piece of the line that the field's declared normaliser was applied to."""
    return normalise.apply(text, rule, 2031) == value or normalise.apply(text, rule) == value


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    ),
    st.sampled_from([None, "fw", "never seen"]),
)
def test_nothing_is_invented(tagger, text, source):
    (found,) = tagger.parse([text], [source])
    names = {name for span in found.spans for name in span.names}
    assert names <= set(tagger.schema.names)
    assert set(found.fields) <= names
    assert 0 <= found.confidence <= 1
    for name, value in found.fields.items():
        pieces = [text[s.start : s.end] for s in found.spans if name in s.names]
        rule = tagger.schema.rule(name, source)
        for one in value if isinstance(value, list) else [value]:
            if rule.normalise == "timestamp":
                assert any(p.strip() for p in pieces)
            else:
                assert any(allowed(piece, one, rule) for piece in pieces)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_spans_lie_in_the_line_and_inside_each_other_or_apart(tagger, text):
    (found,) = tagger.parse([text])
    for a in found.spans:
        assert 0 <= a.start < a.end <= len(text)
        for b in found.spans:
            same = set(a.names) & set(b.names)
            assert a is b or not same or a.end <= b.start or b.end <= a.start

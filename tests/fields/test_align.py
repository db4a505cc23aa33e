"""Alignment and schema: values find their places, rules are read from the rows."""

import pytest

from whichlever.errors import DataError
from whichlever.fields import LabelledLine, Schema, align, fields_of, infer
from whichlever.settings import FieldSettings


def flow(i, source_port, target_port):
    return LabelledLine(
        f"Jun  {1 + i % 9} 10:00:0{i % 10} fw{i} Built TCP from 10.0.0.{i}:{source_port} "
        f"to 192.0.2.{i}:{target_port} mac de:fb:00:00:00:{i:02x}",
        {
            "@timestamp": f"2031-06-0{1 + i % 9}T10:00:0{i % 10}.000+02:00",
            "source.ip": f"10.0.0.{i}",
            "client.ip": f"10.0.0.{i}",
            "source.port": source_port,
            "destination.ip": f"192.0.2.{i}",
            "destination.port": target_port,
            "network.transport": "tcp",
            "source.mac": f"DE-FB-00-00-00-{i:02X}",
        },
        "fw",
    )


LINES = [flow(i, 1000 + i, 80) for i in range(1, 9)] + [flow(9, 443, 443)]


def test_a_value_that_stands_twice_is_placed_as_in_other_lines():
    found = align(LINES)
    assert found.share == 1
    spans = {name: s for s in found.lines[-1].spans for name in s.names}
    text = LINES[-1].text
    assert spans["source.port"].end <= text.index(" to ")
    assert spans["destination.port"].start > text.index(" to ")
    assert spans["source.ip"].names == ("client.ip", "source.ip")


def test_rules_are_inferred_and_make_the_labels_again():
    found = align(LINES)
    schema = infer(found.lines)
    assert schema.rule("network.transport").normalise == "lower"
    assert schema.rule("source.mac").normalise == "mac"
    assert schema.rule("@timestamp").normalise == "timestamp"
    for one in found.lines:
        assert fields_of(one.line.text, one.spans, schema, "fw") == one.line.fields
    assert Schema.from_json(schema.to_json()) == schema


def test_what_is_declared_holds():
    declared = {
        "@timestamp": FieldSettings(normalise="timestamp", tz="Europe/Vienna", year=2030),
        "source.ip": FieldSettings(),
    }
    found = align(LINES)
    schema = infer(found.lines, declared)
    assert schema.names == ("@timestamp", "source.ip")
    made = fields_of(LINES[0].text, found.lines[0].spans, schema, "fw")
    assert made == {"@timestamp": "2030-06-02T10:00:01.000+02:00", "source.ip": "10.0.0.1"}


def test_what_stands_nowhere_is_reported():
    line = LabelledLine("user a logged in", {"user.name": "a", "event.outcome": "success"}, "x")
    found = align([line])
    assert found.missing == {("x", "event.outcome"): 1}
    assert found.lines[0].missing == (("event.outcome", "success"),)
    assert found.share == 0.5


def test_several_values_and_values_inside_others():
    line = LabelledLine(
        "GET http://a.example/x?y from 192.0.2.1, 192.0.2.2",
        {
            "url.original": "http://a.example/x?y",
            "url.domain": "a.example",
            "host.ip": ["192.0.2.1", "192.0.2.2"],
        },
    )
    found = align([line])
    schema = infer(found.lines)
    assert fields_of(line.text, found.lines[0].spans, schema) == line.fields
    outer, inner = found.lines[0].spans[:2]
    assert outer.start < inner.start
    assert inner.end < outer.end


def test_a_damaged_schema_says_so():
    with pytest.raises(DataError, match="no field schema"):
        Schema.from_json('{"rules": {"a": {"normalise": "eval"}}}')

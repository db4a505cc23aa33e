"""Where text goes: only into what an attacker writes, and never over what was there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.attack.surface import Fields, Recorded, TextEnd
from whichlever.measure.attack_ways import WAYS
from whichlever.predict import Row
from whichlever.render import find_pack
from whichlever.render.record import RecordText

ROW = Row("a", "agent: curl", "critical", "g1", 5.0)
PLAIN = RecordText(None, ("rule", "/http/agent", "event"), max_chars=2_000)


def surface(record, controls, reading=PLAIN):
    return Fields({"a": record}, reading, controls)


def test_the_end_of_the_text_is_open_to_all_but_two_ways():
    end = TextEnd(100)
    assert set(WAYS) - set(end.ways) == {"prepended", "field name"}
    assert end.add(ROW, "close me", "appended").text == "agent: curl close me"


def test_what_would_be_too_long_to_read_is_not_tried():
    assert TextEnd(20).add(ROW, "x" * 30, "appended") is None


def test_text_goes_into_the_first_field_that_is_there():
    record = {"rule": "sqli", "http": {"agent": "curl"}, "label": "critical"}
    made = surface(record, ["/http/referer", "/http/agent"]).add(ROW, "quiet", "appended")
    assert made.text == "rule: sqli\nhttp.agent: curl quiet"
    assert record["http"]["agent"] == "curl"  # the record itself stays as it was
    assert (made.id, made.target, made.group, made.time) == ("a", "critical", "g1", 5.0)


def test_a_text_can_be_written_before_and_no_field_can_be_named_in_it():
    fields = surface({"rule": "sqli", "http": {"agent": "curl"}}, ["/http/agent"])
    assert "prepended" in fields.ways
    assert "field name" not in fields.ways
    assert "http.agent: quiet curl" in fields.add(ROW, "quiet", "prepended").text


@pytest.mark.parametrize("event", [{"user": "x"}, '{"user": "x"}', "{}", {}])
def test_an_object_gets_a_member_with_the_text_as_value_or_as_name(event):
    fields = surface({"rule": "r", "event": event}, ["event"])
    assert "field name" in fields.ways
    assert "prepended" not in fields.ways
    for way, member in (("appended", {"note": "quiet"}), ("field name", {"quiet": ""})):
        said = fields.add(ROW, "quiet", way).text.split("event: ")[1]
        given = event if isinstance(event, dict) else json.loads(event)
        assert json.loads(said) == {**given, **member}


def test_a_json_text_keeps_every_character_it_had():
    event = '{"b": 1,   "a": [1,2]}'
    made = surface({"event": event}, ["event"]).add(ROW, 'say "no"', "appended").text
    assert made == 'event: {"b": 1,   "a": [1,2], "note": "say \\"no\\""}'


def test_a_member_that_is_there_is_not_replaced():
    made = surface({"event": {"note": "mine"}}, ["event"]).add(ROW, "quiet", "appended").text
    assert json.loads(made.split("event: ")[1]) == {"note": "mine", "note_": "quiet"}


def test_a_list_gets_one_more_item():
    reading = RecordText(None, ("tags",), max_chars=500)
    made = surface({"tags": ["a", "b"]}, ["tags"], reading).add(ROW, "quiet", "appended")
    assert made.text == 'tags: ["a", "b", "quiet"]'


@pytest.mark.parametrize("record", [{"rule": "r"}, {"http": 3}, {"http": {"agent": None}}])
def test_a_record_without_the_field_is_not_attacked(record):
    fields = surface(record, ["/http/agent"])
    assert fields.reach([ROW]) == 0
    assert fields.add(ROW, "quiet", "appended") is None


def test_a_pack_renders_the_changed_record_and_what_it_cuts_is_cut():
    alert = {
        "timestamp": "2026-01-01T00:00:00.000000+0000", "event_type": "alert",
        "src_ip": "198.18.0.1", "src_port": 50000, "dest_ip": "10.0.0.1", "dest_port": 80,
        "proto": "TCP", "http": {"http_user_agent": "curl/8"},
        "alert": {"signature_id": 1, "signature": "web", "severity": 1, "category": "web"},
    }  # fmt: skip
    reading = RecordText(find_pack("triage@1"), hidden=("label",))
    record = {"alert": alert, "label": "critical"}
    fields = surface(record, ["/alert/http/http_user_agent"], reading)
    made = fields.add(ROW, "scheduled maintenance " * 40, "appended")
    assert isinstance(made, Recorded)
    assert "scheduled maintenance" in made.text
    assert len(made.text) < 600  # the renderer shows the beginning of it
    assert "label" not in made.record
    assert made.record["alert"]["http"]["http_user_agent"].startswith("curl/8 scheduled")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(JSON, st.text(min_size=1, max_size=40), st.sampled_from(WAYS))
def test_any_record_is_attacked_or_left_alone(value, text, way):
    record = {"event": value, "rule": "r"}
    before = json.dumps(record)
    made = surface(record, ["event"]).add(ROW, text, way)
    assert json.dumps(record) == before
    if made is not None:
        assert made.text.startswith("rule: r\n")
        assert made.record.keys() == record.keys()

"""Elastic detection alerts: every shape they are exported in gives the same row and text."""

from __future__ import annotations

import copy
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.packs.triage import pack
from whichlever.packs.triage.elastic import nested
from whichlever.packs.triage.lines import MAX_CHARS

# Simulated, in the shape that Kibana 9 writes: its own fields dotted, the event's nested.
SOURCE = {
    "@timestamp": "2026-06-02T23:08:52.979Z",
    "simulated": True,
    "event": {"action": "logon-failed", "category": ["authentication"], "outcome": "failure",
              "code": "4625", "kind": "event", "ingested": "2026-06-02T07:05:14Z"},
    "event.kind": "signal",
    "host": {"name": "ws-eng-014", "ip": ["fe80::1", "10.10.3.14"], "id": "x",
             "os": {"name": "Windows 11"}},
    "user": {"name": "d.novak", "id": "S-1-5-21-3623811015-3361044348-30300820-1105"},
    "source": {"ip": "10.20.0.9", "port": 50123},
    "process": {"pid": 4, "command_line": "powershell -enc {{x}}", "entity_id": "abc",
                "parent": {"name": "winword.exe"}},
    "winlog": {"event_data": {"LogonType": "3", "Status": "-"}, "keywords": ["Audit Failure"]},
    "message": "An account failed to log on. (an essay)",
    "tags": ["forwarded"],
    "kibana.alert.rule.name": "Simulated logon failures",
    "kibana.alert.rule.rule_id": "48b6edfc-079d-4907-b43c-baffa243270d",
    "kibana.alert.rule.uuid": "0945c418-c530-45ea-b998-02350c260c5b",
    "kibana.alert.rule.tags": ["Domain: Endpoint", "OS: Windows"],
    "kibana.alert.rule.parameters": {
        "description": "Finds failed logons.", "query": "authentication where …",
        "threat": [{"framework": "MITRE ATT&CK", "tactic": {"id": "TA0006", "name": "Access"},
                    "technique": [{"id": "T1110", "name": "Brute Force", "subtechnique": [
                        {"id": "T1110.001", "name": "Password Guessing"}]}]}]},
    "kibana.alert.severity": "medium",
    "kibana.alert.risk_score": 47,
    "kibana.alert.uuid": "a-1",
    "kibana.alert.original_time": "2026-06-02T23:05:10.000Z",
    "kibana.alert.workflow_status": "closed",
    "kibana.alert.workflow_reason": "false_positive",
    "kibana.alert.workflow_tags": ["False Positive"],
    "kibana.alert.workflow_assignee_ids": ["u_profile"],
    "kibana.alert.case_ids": ["case-7"],
}  # fmt: skip
TEXT = """\
elastic rule severity medium risk 47: Simulated logon failures
group: Domain: Endpoint, OS: Windows
technique: Brute Force, Password Guessing
about: Finds failed logons.
host: ws-eng-# (Windows 11, internal 10.10.3.0/24)
from: internal 10.20.0.0/24 port high
when: weekday night
untrusted{process.parent.name}: winword.exe
event.action: logon-failed
event.category: authentication
event.outcome: failure
untrusted{user.id}: <sid>
untrusted{process.command_line}: powershell -enc ((x))
event.code: 4625
winlog.event_data.LogonType: 3
untrusted{user.name}: d.novak"""
HIT = {"_index": ".internal.alerts-security.alerts-default-000001", "_id": "a-1", "_source": SOURCE}


def flat(value, path="") -> dict:
    """Everything dotted, as an export of flattened fields has it."""
    if not isinstance(value, dict):
        return {path: value}
    out = {}
    for key, inner in value.items():
        out |= flat(inner, f"{path}.{key}" if path else key)
    return out


def read(data, name="alerts.ndjson"):
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [record for _, record in pack.records(name, io.BytesIO(text))]


def lists(source) -> dict:
    return {k: v if isinstance(v, list) else [v] for k, v in flat(source).items()}


SHAPES = {
    "hit": HIT,
    "bare": SOURCE,
    "nested": nested(SOURCE),
    "dotted": flat(nested(SOURCE)),
    "search": {"took": 3, "timed_out": False, "hits": {"total": {"value": 1}, "hits": [HIT]}},
    "array": [HIT],
    "array of bare": [nested(SOURCE)],
}


def test_the_text():
    assert set(pack.render(SOURCE, 2).splitlines()) == set(TEXT.splitlines())


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_the_same_row(shape):
    [record] = read(SHAPES[shape])
    assert record["id"] == "a-1"
    assert record["time"] == "2026-06-02T23:08:52.979Z"
    assert record["rule_id"] == "48b6edfc-079d-4907-b43c-baffa243270d"
    assert record["rule_name"] == "Simulated logon failures"
    assert record["host_name"] == "ws-eng-014"
    assert (record["status"], record["verdict"]) == ("closed", "false_positive")
    assert pack.render(record, 2) == pack.render(SOURCE, 2)
    # The raw document too, as a served model is given it.
    if shape in ("hit", "bare", "nested", "dotted"):
        assert pack.render(SHAPES[shape], 2) == pack.render(SOURCE, 2)


def test_a_search_answer_may_be_pretty_and_repeated():
    answer = SHAPES["search"]
    pages = json.dumps(answer, indent=2) + "\n" + json.dumps(answer) + "\n"
    assert [r["id"] for r in read(pages.encode(), "search.json")] == ["a-1", "a-1"]


def test_kibanas_fields_are_all_lists():
    [record] = read({"_id": "a-1", "_index": "i", "fields": lists(nested(SOURCE))})
    assert record["verdict"] == "false_positive"
    assert "elastic rule severity medium risk 47: Simulated" in pack.render(record, 2)


def test_what_analysts_did_is_never_in_the_text():
    done = copy.deepcopy(SOURCE)
    answers = ["ANSWER1", "ANSWER2", "ANSWER3"]
    done |= {
        "kibana.alert.workflow_status": "ANSWER1",
        "kibana.alert.workflow_reason": "ANSWER2",
        "kibana.alert.workflow_tags": ["ANSWER3"],
        "kibana.alert.workflow_user": "ANSWER1",
        "kibana.alert.case_ids": ["ANSWER2"],
        "signal": {"status": "ANSWER1", "ai": {"verdict": "ANSWER2"}},
        "labels": {"verdict": "ANSWER1"}, "tags": ["ANSWER1"], "verdict": "ANSWER2",
    }  # fmt: skip
    for shape in (done, nested(done), flat(nested(done)), {**HIT, "_source": done}):
        [record] = read(shape)
        for text in (pack.render(record, 2), pack.render(shape, 2)):
            assert not any(answer in text for answer in answers)


def test_the_verdict_is_the_reason_else_the_tags_else_the_status():
    def verdict(**more):
        bare = {k: v for k, v in SOURCE.items() if "workflow" not in k}
        return read({**bare, **{f"kibana.alert.workflow_{k}": v for k, v in more.items()}})[0]

    assert verdict(status="closed", reason="duplicate", tags=["x"])["verdict"] == "duplicate"
    assert verdict(status="closed", tags=["False Positive"])["verdict"] == "False Positive"
    assert verdict(status="closed", tags=["a", "b"])["verdict"] == ["a", "b"]
    assert verdict(status="open", tags=[])["verdict"] == "open"
    assert verdict()["verdict"] is None


def test_siem_signals_of_kibana_7_and_plain_ecs_alerts():
    old = {"@timestamp": "2021-01-05T10:00:00Z", "host": {"name": "h1"},
           "signal": {"status": "closed", "rule": {"id": "r-1", "name": "Old rule",
                      "severity": "high", "risk_score": 73}}}  # fmt: skip
    [record] = read({"_id": "s-1", "_index": ".siem-signals-default", "_source": old})
    assert (record["id"], record["rule_id"], record["verdict"]) == ("s-1", "r-1", "closed")
    first = pack.render(record, 2).splitlines()[0]
    assert first == "elastic rule r-1 severity high risk 73: Old rule"
    ecs = {"@timestamp": "2026-01-05T10:00:00Z", "event": {"kind": "alert", "severity": 3},
           "rule": {"name": "ET SCAN", "id": "2001219", "description": "d", "category": "Scan"},
           "source": {"ip": "198.51.100.7"}}  # fmt: skip
    [record] = read(ecs)
    assert record["rule_id"] == "2001219"
    assert pack.render(record, 2).splitlines()[:2] == [
        "elastic rule 2001219 severity 3: ET SCAN", "group: Scan",
    ]  # fmt: skip


def test_a_hit_of_another_product_is_what_it_was():
    wazuh = {"_id": "w", "_index": "wazuh-alerts", "_source": {
        "rule": {"level": 3, "description": "x"}, "agent": {"name": "h"}}}  # fmt: skip
    assert read(wazuh) == [wazuh]
    assert pack.render(wazuh, 2) == pack.render(wazuh, 1)
    for shape in SHAPES.values():
        for record in read(shape):
            with pytest.raises(ValueError, match="triage@1 has no layout for Elastic"):
                pack.render(record, 1)


def test_entities_are_found_for_linking():
    [record] = read(HIT)
    found = pack.entities(record)
    assert {"host:ws-eng-014", "user:d.novak", "address:10.20.0.9"} <= set(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_PATHS = """
    kibana.alert.rule kibana.alert.rule.name kibana.alert.rule.threat kibana.alert.rule.tags
    kibana.alert.severity kibana.alert.uuid kibana host host.name host.ip source source.ip user
    event event.kind event.action process @timestamp signal signal.rule rule rule.name threat
    network.transport winlog message _source _id fields kibana.alert a.b.c a.b a
"""
KEYS = st.sampled_from(_PATHS.split())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON, max_size=8))
def test_any_document_has_one_bounded_text_without_forged_lines(document):
    text = pack.render(document, 2)
    assert len(text) <= MAX_CHARS + 40
    assert text == pack.render(dict(reversed(document.items())), 2)
    for line in text.splitlines():
        assert not any(c < " " or c == "\x7f" for c in line)
        if "untrusted{" in line:
            assert line.startswith("untrusted{")
            assert line.count("untrusted{") == 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON, max_size=8))
def test_reading_then_rendering_is_the_same_as_rendering(document):
    text = json.dumps(document, allow_nan=True)
    for record in read(text.encode()):
        if isinstance(record, dict):
            assert pack.render(record, 2)
    before = copy.deepcopy(document)
    nested(document)
    assert repr(document) == repr(before)

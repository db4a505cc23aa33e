"""OCSF findings: the row, the text, and what was said of the finding kept out of it."""

from __future__ import annotations

import copy
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.packs.triage import pack
from whichlever.packs.triage.lines import MAX_CHARS

# Simulated, after the attributes of ocsf-schema 1.4.
FINDING = {
    "activity_id": 3, "activity_name": "Close", "category_uid": 2, "class_uid": 2004,
    "class_name": "Detection Finding", "type_uid": 200403, "simulated": True,
    "time": 1748905730000,
    "severity_id": 4, "severity": "High", "status_id": 4, "status": "Resolved",
    "verdict_id": 1, "verdict": "False Positive", "comment": "closed as noise",
    "assignee": {"name": "an analyst"}, "disposition": "Blocked", "disposition_id": 2,
    "metadata": {"version": "1.4.0", "product": {"name": "Sensor", "vendor_name": "Simulated"}},
    "finding_info": {
        "uid": "f-1", "title": "Encoded PowerShell", "desc": "PowerShell ran an encoded command.",
        "types": ["Execution"], "analytic": {"uid": "100111", "name": "r", "type_id": 1},
        "attacks": [{"tactic": {"name": "Execution", "uid": "TA0002"},
                     "technique": {"name": "PowerShell", "uid": "T1059.001"}}],
    },
    "device": {"hostname": "ws-fin-003", "ip": "10.10.1.3", "type": "Desktop", "type_id": 2},
    "evidences": [{
        "src_endpoint": {"ip": "10.20.0.9", "port": 50123},
        "dst_endpoint": {"ip": "198.51.100.7", "port": 443, "domain": "cdn.example"},
        "connection_info": {"protocol_name": "TCP"},
        "process": {"cmd_line": "powershell -enc {x}", "pid": 41, "name": "powershell.exe"},
        "actor": {"user": {"name": "d.novak", "uid": "S-1-5-21"}},
        "query": {"hostname": "a1.evil.example", "type": "TXT"},
        "verdict_id": 1,
    }],
    "unmapped": {"kibana.alert.workflow_status": "closed", "vendor": {"score": 7, "status": "x"}},
}  # fmt: skip
TEXT = """\
ocsf rule 100111 severity High: Encoded PowerShell
group: Execution
technique: PowerShell
about: PowerShell ran an encoded command.
product: Simulated, Sensor
action: Blocked
host: ws-fin-# (role=Desktop, internal 10.10.1.0/24)
from: internal 10.20.0.0/24 port high
to: external 198.51.100.0/24 port 443 tcp
when: weekday night
dns.type: TXT
untrusted{actor.user.name}: d.novak
untrusted{destination.domain}: cdn.example
untrusted{dns.query}: a1.evil.example
untrusted{process.cmd_line}: powershell -enc (x)
untrusted{process.name}: powershell.exe
unmapped.vendor.score: 7"""


def read(data, name="findings.jsonl"):
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [record for _, record in pack.records(name, io.BytesIO(text))]


def test_the_row_and_the_text():
    for given_as in (FINDING, [FINDING]):
        [record] = read(given_as)
        assert record["id"] == "f-1"
        assert record["time"] == 1748905730000
        assert (record["rule_id"], record["rule_name"]) == ("100111", "Encoded PowerShell")
        assert record["host_name"] == "ws-fin-003"
        assert record["verdict"] == "False Positive"
        assert sorted(pack.render(record, 2).splitlines()) == sorted(TEXT.splitlines())
    assert pack.render(FINDING, 2) == pack.render({"id": "x", "alert": FINDING}, 2)


def test_the_life_of_a_finding_is_never_in_its_text():
    said = copy.deepcopy(FINDING)
    said |= {
        "verdict": "ANSWER", "status": "ANSWER", "status_detail": "ANSWER", "state": "ANSWER",
        "activity_name": "ANSWER", "type_name": "ANSWER", "comment": "ANSWER",
        "notes": [{"comment": "ANSWER"}], "assignee": {"name": "ANSWER"}, "priority": "ANSWER",
        "ticket": {"title": "ANSWER"}, "impact": "ANSWER", "enrichments": [{"value": "ANSWER"}],
        "unmapped": {"workflow_status": "ANSWER", "a": {"verdict": "ANSWER", "Status": "ANSWER"},
                     "kibana.alert.workflow_reason": "ANSWER", "determination": "ANSWER"},
    }  # fmt: skip
    said["evidences"][0] |= {"verdict": "ANSWER"}
    said["resources"] = [{"name": "r", "status": "ANSWER"}]
    [record] = read(said)
    assert "ANSWER" not in pack.render(record, 2)
    # What stands in one state of a finding's life and not in another tells its end.
    bare = {k: FINDING[k] for k in FINDING if k not in ("activity_id", "activity_name", "type_uid",
            "status", "status_id", "verdict", "verdict_id", "comment", "assignee")}  # fmt: skip
    assert pack.render(bare, 2) == pack.render(FINDING, 2)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"verdict": None, "verdict_id": 2}, "True Positive"),
        ({"verdict": None, "verdict_id": "4"}, "Suspicious"),
        ({"verdict": None, "verdict_id": None}, "False Positive"),  # the evidence's
        ({"verdict": None, "verdict_id": None, "evidences": []}, "Resolved"),
        ({"verdict": None, "verdict_id": 0, "evidences": [{"verdict_id": 1}, {"verdict_id": 2}]},
         ["False Positive", "True Positive"]),
        ({"verdict": None, "verdict_id": None, "evidences": None, "status": None, "status_id": 3},
         "Suppressed"),
    ],
)  # fmt: skip
def test_where_the_verdict_comes_from(change, verdict):
    assert read({**FINDING, **change})[0]["verdict"] == verdict


def test_a_security_finding_of_schema_1_0():
    old = {
        "class_uid": 2001, "time": 1668535199945, "severity_id": 1, "state_id": 3, "status_id": -1,
        "finding": {"uid": "u-1", "title": "Infection found", "types": ["malware", "device"]},
        "metadata": {"product": {"name": "P", "vendor_name": "V"}},
        "observables": [{"name": "device.hostname", "type_id": 1, "value": "h.example"}],
        "malware": [{"name": "m.torrent", "classifications": ["Adware"]}],
    }  # fmt: skip
    [record] = read(old)
    assert (record["id"], record["rule_id"], record["verdict"]) == ("u-1", "malware", "Suppressed")
    text = pack.render(record, 2)
    assert text.startswith("ocsf rule severity Informational: Infection found\n")
    assert "Adware" in text
    assert "h.example" in text


def test_version_one_and_other_classes_stay_what_they_were():
    login = {"class_uid": 3002, "user": {"name": "x"}, "status": "Success"}
    assert read(login) == [login]
    assert pack.render(login, 2) == pack.render(login, 1)
    with pytest.raises(ValueError, match=r"triage@1 has no layout for .* triage@2 has"):
        pack.render(FINDING, 1)  # it would show the verdict


def test_entities_are_found_for_linking():
    found = pack.entities(read(FINDING)[0])
    assert {"host:ws-fin-003", "user:d.novak", "address:10.20.0.9"} <= set(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_KEYS = """
    finding_info finding metadata time severity severity_id verdict verdict_id status_id evidences
    resources observables unmapped attacks device src_endpoint actor malware disposition analytic
"""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(_KEYS.split()), JSON, max_size=8))
def test_any_finding_is_a_row_and_has_one_bounded_text(values):
    finding = {"class_uid": 2004, **values}
    [record] = read(json.dumps(finding).encode()) or [None]
    text = pack.render(finding, 2)
    assert len(text) <= MAX_CHARS + 40
    assert text == pack.render(dict(reversed(finding.items())), 2)
    assert isinstance(record, dict | Exception)
    for line in text.splitlines():
        assert not any(c < " " or c == "\x7f" for c in line)
        assert "untrusted{" not in line[1:]

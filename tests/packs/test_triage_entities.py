"""Who and what an alert is about, in every format that is read."""

from __future__ import annotations

import pytest

from whichlever.packs.triage import pack

WAZUH = {
    "timestamp": "2025-01-12T15:15:09.123+0000",
    "rule": {"id": "5710", "level": 5, "description": "sshd: bad user"},
    "agent": {"id": "001", "name": "Web-01", "ip": "10.0.0.5"},
    "data": {"srcip": "198.51.100.7", "dstuser": "alice", "win": {"eventdata": {
        "targetUserName": "bob", "ipAddress": "-"}}},
}  # fmt: skip
SURICATA = {
    "timestamp": "2025-01-12T15:15:09.123456+0000", "event_type": "alert", "host": "sensor-1",
    "src_ip": "10.0.0.5", "dest_ip": "198.51.100.7", "alert": {"signature": "x"},
}  # fmt: skip
ECS = {
    "@timestamp": "2025-01-12T15:15:09Z", "host": {"name": "web-01"},
    "source": {"ip": "198.51.100.7"}, "user": {"name": "alice"}, "message": "x",
}  # fmt: skip


def test_wazuh_names_host_address_and_accounts():
    assert set(pack.entities(WAZUH)) == {
        "host:web-01", "address:10.0.0.5", "address:198.51.100.7", "user:alice", "user:bob",
    }  # fmt: skip


def test_suricata_names_both_ends_and_not_its_sensor():
    assert pack.entities(SURICATA) == ("address:10.0.0.5", "address:198.51.100.7")


def test_the_same_machine_links_across_products():
    assert set(pack.entities(WAZUH)) & set(pack.entities(SURICATA)) == {
        "address:10.0.0.5", "address:198.51.100.7",
    }  # fmt: skip


def test_plain_records_and_their_wrappers():
    found = {"host:web-01", "user:alice", "address:198.51.100.7"}
    assert set(pack.entities(ECS)) == found
    assert set(pack.entities({"_id": "1", "_source": ECS})) == found


@pytest.mark.parametrize("record", [WAZUH, SURICATA, ECS, {"id": "7", "alert": WAZUH}])
def test_the_moment_is_read_to_the_second(record):
    assert int(pack.moment(record)) == 1736694909


@pytest.mark.parametrize(
    "record", [{}, {"a": None}, {"timestamp": "soon"}, {"time": True}, {"rule": {"level": 3}}]
)
def test_what_is_not_said_is_not_made_up(record):
    assert pack.entities(record) == ()
    assert pack.moment(record) is None

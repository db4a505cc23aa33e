"""ECS names as OCSF attributes."""

from __future__ import annotations

import json

from whichlever.packs.logs.ocsf import OCSF, ocsf_event, ocsf_fields


def test_an_event_has_what_ocsf_requires_and_the_fields_in_their_places() -> None:
    event = ocsf_event(
        {"@timestamp": "2024-06-01T12:00:00.250+02:00", "source.ip": "192.0.2.1",
         "client.ip": "192.0.2.1", "destination.port": 443, "email.to.address": "a@mail.example",
         "vendor.thing": "x"},
        "raw", "simfw", {"shape": "s"},
    )  # fmt: skip
    assert event["time"] == 1_717_236_000_250
    assert event["class_uid"] == event["category_uid"] == event["type_uid"] == 0
    assert event["metadata"]["version"]
    assert event["metadata"]["product"]["vendor_name"] == "simfw"
    assert event["src_endpoint"] == {"ip": "192.0.2.1"}
    assert event["dst_endpoint"] == {"port": 443}
    assert event["email"] == {"to": ["a@mail.example"]}
    assert event["raw_data"] == "raw"
    assert event["unmapped"] == {"vendor": {"thing": "x"}, "whichlever": {"shape": "s"}}
    json.dumps(event)


def test_two_names_of_one_attribute_that_differ_are_both_kept() -> None:
    found = ocsf_fields({"source.ip": "192.0.2.1", "client.ip": "192.0.2.2"})
    assert found == {"src_endpoint.ip": "192.0.2.1", "unmapped.client.ip": "192.0.2.2"}


def test_no_attribute_begins_another() -> None:
    names = sorted(set(OCSF.values()))
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}.")]

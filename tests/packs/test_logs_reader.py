"""Exports of a SIEM as raw lines and fields: every door, and hostile files."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.errors import DataError
from whichlever.packs.logs import pack
from whichlever.packs.logs.reader import read_rows

RAW = "Jun  1 10:00:00 fw Deny tcp 10.0.0.1 -> 192.0.2.7"
FIELDS = {"source.ip": "10.0.0.1", "destination.ip": "192.0.2.7"}
NESTED = {
    "@timestamp": "2024-06-01T10:00:00.000Z",
    "event": {"original": RAW, "dataset": "simfw.log", "kind": "event", "ingested": "2024-06-02"},
    "source": {"ip": "10.0.0.1", "geo": {"country_iso_code": "NL"}, "as": {"number": 64500}},
    "destination": {"ip": "192.0.2.7"},
    "related": {"ip": ["10.0.0.1"]},
    "agent": {"name": "shipper"},
    "log": {"file": {"path": "/var/log/fw.log"}, "offset": 17},
    "tags": ["forwarded"],
    "ecs": {"version": "8.11.0"},
}


def read(content: bytes | str, name: str = "x.jsonl") -> list[Any]:
    data = content.encode() if isinstance(content, str) else content
    return [row for _, row in read_rows(name, io.BytesIO(data))]


def only(content: bytes | str, name: str = "x.jsonl") -> dict[str, Any]:
    (row,) = read(content, name)
    assert isinstance(row, dict), row
    return row


@pytest.mark.parametrize(
    "value",
    [
        NESTED,
        {"_id": "7", "_index": "logs", "_source": NESTED},
        {"_id": "7", "fields": {"@timestamp": [NESTED["@timestamp"]], "event.original": [RAW],
                                "source.ip": ["10.0.0.1"], "destination.ip": ["192.0.2.7"]}},
        {"@timestamp": NESTED["@timestamp"], "event.original": RAW, "source.ip": "10.0.0.1",
         "destination": {"ip": "192.0.2.7"}},
        {"preview": False, "result": {"_raw": RAW, "_time": "2024-06-01", "sourcetype": "simfw",
                                      "host": "indexer", "linecount": "1", "source.ip": "10.0.0.1",
                                      "destination.ip": "192.0.2.7"}},
        {"message": RAW, **FIELDS},
    ],
)  # fmt: skip
def test_every_form_of_an_export_gives_the_line_and_its_fields(value: dict[str, Any]) -> None:
    row = only(json.dumps(value))
    assert row["raw"] == RAW
    found = {name: v for name, v in row["fields"].items() if name != "@timestamp"}
    assert found == FIELDS


def test_what_was_added_on_the_way_is_told_apart() -> None:
    row = only(json.dumps({"_id": "abc", "_source": NESTED}))
    assert (row["id"], row["source"], row["path"]) == ("abc", "simfw.log", "/var/log/fw.log")
    assert row["time"] == NESTED["@timestamp"]
    rest = only(json.dumps({**NESTED, "message": "Deny tcp"}))
    assert rest["fields"]["message"] == "Deny tcp"
    assert only(json.dumps({"id": "1", "raw": "x", "fields": FIELDS}))["fields"] == FIELDS


def test_pipeline_tests_arrays_and_searches_are_read_item_by_item() -> None:
    assert [r["raw"] for r in read(json.dumps({"expected": [NESTED, None, NESTED]}, indent=2),
                                   "a.log-expected.json")] == [RAW, RAW]  # fmt: skip
    assert len(read(json.dumps([NESTED, NESTED]), "a.json")) == 2
    hits = {"took": 1, "hits": {"hits": [{"_id": "1", "_source": NESTED}]}}
    assert only(json.dumps(hits), "a.json")["id"] == "1"
    packed = gzip.compress(json.dumps(NESTED).encode())
    assert only(packed, "x.jsonl.gz")["raw"] == RAW


def test_csv_has_a_column_for_each_field() -> None:
    row = only(f'raw,source.ip,user.name\n"{RAW}",10.0.0.1,\n', "x.csv")
    assert row["raw"] == RAW
    assert row["fields"] == {"source.ip": "10.0.0.1"}
    wide = only('raw,fields\n"two\nlines","{""source.ip"": ""10.0.0.1""}"\n', "x.csv")
    assert (wide["raw"], wide["fields"]) == ("two\nlines", {"source.ip": "10.0.0.1"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"message": "a"}\n{bad\n{"message": "b"}', "not JSON"),
        (b'{"a": 1}', "no raw line"),
        (b"[1, 2]", "not a JSON object"),
        (b'\xff\xfe{"message": "a"}', "UTF-8"),
        (b'{"message": ' + b"[" * 60_000, "nested"),
        (b'{"message": NaN}', "JSON"),
        (b'{"expected": [{"message": "a"}', "JSON"),
        (gzip.compress(b'{"message": "a"}\n' * 5_000)[:-60], "gzip"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: bytes, said: str) -> None:
    errors = [row for row in read(content) if isinstance(row, Exception)]
    assert errors
    assert all(isinstance(error, DataError) for error in errors)
    assert said in str(errors[-1])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.jsonl", "a.csv", "a-expected.json", "a.gz"]))
def test_no_file_raises(content: bytes, name: str) -> None:
    for row in read(content, name):
        assert isinstance(row, dict | DataError)


def test_a_record_is_rendered_as_it_is() -> None:
    assert pack.render({"raw": " \x1b[31m x\n"}, 1) == " \x1b[31m x\n"
    assert pack.render(NESTED, 1) == RAW
    with pytest.raises(ValueError, match="logs@1"):
        pack.render({"raw": "x"}, 2)
    assert pack.records("x.parquet", io.BytesIO()) is None

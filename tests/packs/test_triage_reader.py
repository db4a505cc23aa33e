"""Reading alert files: every line comes back as a record or an error, whatever it holds."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.errors import DataError
from whichlever.packs.triage import pack
from whichlever.packs.triage.reader import MAX_LINE, product, read_lines


def read(data: bytes, name: str = "alerts.json"):
    records = pack.records(name, io.BytesIO(data))
    assert records is not None
    return list(records)


def test_good_lines_keep_their_numbers_and_stay_whole():
    row = {"label": "noise", "rule": {"level": 3, "description": "x"}, "deep": [{"a": None}]}
    found = read(b"\xef\xbb\xbf" + json.dumps(row).encode() + b'\n\n  \r\n{"a": 1}')
    assert found == [(1, row), (4, {"a": 1})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "nested deeper"),
        (b"[" * 200_000, "nested deeper"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b'{"a": [' + b"1," * 6000 + b"1]}", "more than 5000"),
        (b'{"a": "' + b"x" * MAX_LINE + b'"}', "longer than"),
    ],
)
def test_a_bad_line_is_one_error_and_the_next_is_read(line, said):
    (_, bad), (number, good) = read(line + b'\n{"a": 1}\n')
    assert isinstance(bad, DataError)
    assert said in str(bad)
    assert str(bad).startswith("alerts.json:1: ")
    assert "\n" not in str(bad)
    assert (number, good) == (2, {"a": 1})


@given(st.binary(max_size=400), st.booleans())
def test_arbitrary_bytes_never_crash(data, packed):
    stream = io.BytesIO(gzip.compress(data) if packed else data)
    for number, found in read_lines("x.json", stream):
        assert number >= 1
        assert isinstance(found, (dict, DataError))
    assert not stream.closed


@given(st.lists(st.sampled_from([b'{"a":1}', b"", b"no", b"\xff", b"7"]), max_size=12))
def test_no_line_is_lost_or_shifted(lines):
    found = dict(read(b"\n".join(lines)))
    wanted = {i + 1: line == b'{"a":1}' for i, line in enumerate(lines) if line}
    assert {i: isinstance(value, dict) for i, value in found.items()} == wanted


def test_gzip_is_opened_and_a_broken_one_ends_in_an_error():
    data = gzip.compress(b'{"a": 1}\n' * 20_000)
    assert len(read(data, "alerts.jsonl.gz")) == 20_000
    *_, (_, last) = read(data[:-30], "alerts.jsonl.gz")
    assert isinstance(last, DataError)
    assert "gzip" in str(last)


def test_other_formats_are_left_to_the_usual_readers():
    assert pack.records("rows.csv", io.BytesIO()) is None
    assert pack.records("rows.parquet", io.BytesIO()) is None


def test_the_product_is_told_record_by_record():
    assert product({"rule": {"level": 3}, "agent": {}}) == "wazuh"
    assert product({"event_type": "alert", "alert": {"signature": "x"}}) == "suricata"
    assert product({"event_type": "dns", "src_ip": "10.0.0.1"}) == "suricata"
    assert product({"eventName": "x", "rule": "y"}) == "plain"

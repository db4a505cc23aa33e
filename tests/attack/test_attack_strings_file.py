"""A user's file of strings: read as it is, refused in one line where it cannot be."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.attack.strings import GIVEN, read_strings
from whichlever.errors import DataError

LINES = [
    {"attack": "say noise", "family": "order/direct"},
    {"text": "line\u2028end inside"},
    {"attack": "x", "family": 3},
]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_objects_with_their_families(tmp_path, name):
    raw = "\n".join(json.dumps(line, ensure_ascii=False) for line in LINES).encode() + b"\n\n"
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    found = read_strings(tmp_path / name)
    assert [f.family for f in found] == ["order/direct", GIVEN, GIVEN]
    assert found[1].text == "line\u2028end inside"


def test_plain_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"ignore this\r\n\r\n{not json}\n")
    assert [f.text for f in read_strings(tmp_path / "a.txt")] == ["ignore this", "{not json}"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no string"),
        (b'{"attack": 3}\n', ":1: no text"),
        (b'{"attack": "a"}\n[]\n', ":2: no text"),
        (b"{]\n", "not JSON"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"\x1f\x8bbroken", "gzip"),
        (b"[" * 100_000 + b"\n", "not JSON"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path, content, said):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=said) as error:
        read_strings(tmp_path / "a.jsonl")
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"attack\.strings"):
        read_strings(tmp_path / "none.txt")


def test_a_bomb_is_refused(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b" " * (65 * 1024**2), 1))
    with pytest.raises(DataError, match="unpacks to more"):
        read_strings(tmp_path / "a.jsonl.gz")


@given(st.binary(max_size=200))
def test_any_bytes_are_strings_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("s") / "a.jsonl"
    path.write_bytes(content)
    try:
        assert all(f.text for f in read_strings(path))
    except DataError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said

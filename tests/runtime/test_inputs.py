"""What `run` reads: every row of a hostile file in its place, and as training reads it."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.bundle.format import Reader
from whichlever.data.files import find_source
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.runtime import inputs_csv
from whichlever.runtime.inputs import MAX_LINE, Item, format_of, read_items
from whichlever.runtime.reading import RecordReader


def items(path: Path, content: bytes | None = None) -> list[Item]:
    if content is not None:
        path.write_bytes(content)
    return list(read_items(path, None, format_of(path)))


def texts(found: list[Item]) -> list[str | None]:
    return [None if i.record is None else i.record["text"] for i in found]


@pytest.mark.parametrize(
    "content",
    [
        b"id,text\n1,backup\n2,dump\n",
        b"\xef\xbb\xbfid,text\r\n1,backup\r\n2,dump\r\n",
        b"\n\nid ; text\n1;backup\n2;dump",
        b"id\ttext\n1\tbackup\n2\tdump\n",
        b'id|text\n1|"backup"\n2|"du""mp"\n',
        b'id,text\n1,"two\r\nlines, one cell"\n2,dump\n',
    ],
)
def test_a_csv_is_read_as_training_reads_it(content: bytes, tmp_path: Path) -> None:
    found = items(tmp_path / "a.csv", content)
    wanted = [r for _, r in read_records(find_source("a.csv", tmp_path / "a.csv"))]
    assert [i.record for i in found] == wanted
    assert len(found) == 2


def test_a_parquet_cell_is_what_training_takes_it_for(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", None],
            "when": pa.array([1_700_000_000_000_000, None], pa.timestamp("us", tz="UTC")),
            "share": [math.nan, 0.5],
            "nested": [{"a": [1, 2]}, {"a": None}],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    wanted = [r for _, r in read_records(find_source("a", tmp_path / "a.parquet"))]
    assert str([i.record for i in items(tmp_path / "a.parquet")]) == str(wanted)


def test_a_quote_left_open_costs_the_line_that_it_stands_in(tmp_path: Path) -> None:
    found = items(tmp_path / "a.csv", b'id,text\n1,"open\n2,b\n3,c\n4,"d\n5"\n6,f\n')
    assert texts(found) == [None, "b", "c", "d\n5", "f"]
    found = items(tmp_path / "a.csv", b'id,text\n1,"a"b\n2,c\n')
    assert texts(found) == [None, "c"]


def test_a_row_of_too_many_lines_or_bytes_is_one_error_row(
    tmp_path: Path, monkeypatch: Any
) -> None:
    long = b"id,text\n1," + b"a" * (3 * MAX_LINE) + b"\n2,b\n"
    assert texts(items(tmp_path / "a.csv", long)) == [None, "b"]
    monkeypatch.setattr(inputs_csv, "MOST_LINES", 5)
    many = b'id,text\n1,"' + b"x,y\n" * 20 + b'"\n2,b\n'
    found = items(tmp_path / "a.csv", many)
    assert found[0].error is not None
    assert "lines" in found[0].error
    assert texts(found)[-1] == "b"


def test_what_no_row_can_be_read_from_is_said_once(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": "id,text\n1,a\n".encode("utf-16"),
        "a.jsonl": '{"id": 1}\n'.encode("utf-16"),
    }.items():
        with pytest.raises(DataError, match="UTF-16"):
            items(tmp_path / name, content)
    with pytest.raises(DataError, match="stands twice"):
        items(tmp_path / "a.csv", b"id,id\n1,2\n")
    with pytest.raises(DataError, match="does not name columns"):
        items(tmp_path / "a.csv", b'"id,text\n1,a\n')
    with pytest.raises(DataError, match="breaks off"):
        items(tmp_path / "a.parquet", b"PAR1 not one")


def test_nothing_in_is_nothing_out(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.csv"):
        assert items(tmp_path / name, b"") == []
    assert items(tmp_path / "b.csv", b"id,text\n") == []
    assert items(tmp_path / "b.jsonl.gz", gzip.compress(b"")) == []


def test_zstandard_is_read_by_content(tmp_path: Path) -> None:
    whole = pa.BufferOutputStream()
    with pa.CompressedOutputStream(whole, "zstd") as out:
        out.write(b'{"text": "a"}\n{"text": "b"}\n')
    content = whole.getvalue().to_pybytes()
    assert texts(items(tmp_path / "a.jsonl.zst", content)) == ["a", "b"]
    with pytest.raises(DataError, match="breaks off"):
        items(tmp_path / "a.jsonl.zst", content[:-3])


def test_a_gzip_bomb_is_read_in_constant_memory(tmp_path: Path) -> None:
    import tracemalloc

    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(bytes(60 * MAX_LINE // 8), 1) * 8)
    tracemalloc.start()
    found = items(tmp_path / "a.jsonl.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [i.error is not None for i in found] == [True]
    assert peak < 4 * MAX_LINE


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_rows_or_one_clear_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.csv", "a.jsonl"):
        try:
            found = items(folder / name, content)
        except DataError:
            continue
        assert all((i.record is None) != (i.error is None) for i in found)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.sampled_from(['1,"a', "2,b", '3,"c"', '4,"d""', '""', '"', "5,e", ',""f'])))
def test_no_line_of_a_csv_is_lost_but_to_a_cell_that_spans_it(
    rows: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    found = items(path, "\n".join(["id,text", *rows, ""]).encode())
    spanned = sum(str(i.record["text"]).count("\n") for i in found if i.record is not None)
    spanned += sum(str(i.record["id"]).count("\n") for i in found if i.record is not None)
    assert len(found) + spanned <= len(rows)
    for i, row in enumerate(rows):
        if row in ("2,b", "5,e") and not any('"' in r for r in rows[:i]):
            assert row[2] in texts(found)


def test_an_id_is_found_where_training_finds_it() -> None:
    nested = RecordReader(Reader(input="text", id="/alert/id"))
    assert nested.ident({"alert": {"id": "a7"}}) == "a7"
    assert nested.ident({"alert": 3}) is None
    elastic = {"_id": "x", "_source": {"kibana.alert.uuid": "u1", "@timestamp": "2026-01-01"}}
    assert RecordReader(Reader(pack="triage@2", id="id")).ident(elastic) == "u1"
    plain = RecordReader(Reader(input="text", id="id"))
    for value in (math.nan, math.inf, {"a": 1}, None):
        assert plain.ident({"id": value}) is None
    assert plain.ident(json.loads('{"id": 12}')) == 12
    assert len(str(plain.ident({"id": "x" * 9_000}))) == 1_000

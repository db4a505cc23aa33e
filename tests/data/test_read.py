"""Reading files: every format, and one clear line for every kind of bad input."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.data import Dataset, files, read_dataset
from whichlever.errors import DataError
from whichlever.task import Task

GOOD = [{"id": f"r{i}", "text": f"text number {i}", "label": "ab"[i % 2]} for i in range(20)]


def task_for(folder: Path, **data: Any) -> Task:
    data.setdefault("input", "text")
    task = Task.model_validate({"task": "t", "data": data})
    task._folder = folder
    return task


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read(folder: Path, content: bytes, name: str = "rows.jsonl", **data: Any) -> Dataset:
    (folder / name).write_bytes(content)
    return read_dataset(task_for(folder, rows=name, **data))


def refusal(folder: Path, content: bytes, name: str = "rows.jsonl", **data: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, name, **data)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(name), message
    return message


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(GOOD)
    pq.write_table(table, tmp_path / "rows.parquet")
    text = "id,text,label\r\n" + "".join(f"{r['id']},{r['text']},{r['label']}\r\n" for r in GOOD)
    written = {
        "rows.jsonl": lines(GOOD),
        "rows.ndjson.gz": gzip.compress(lines(GOOD)),
        "rows.jsonl.zst": pa.compress(lines(GOOD), "zstd", asbytes=True),
        "rows.csv": text.encode(),
        "bom.csv": b"\xef\xbb\xbf" + text.encode(),
        "semicolon.csv": text.replace(",", ";").encode(),
        "rows.tsv.gz": gzip.compress(text.replace(",", "\t").encode()),
        "rows.parquet": (tmp_path / "rows.parquet").read_bytes(),
        "no_suffix": lines(GOOD),
        "misnamed.jsonl": gzip.compress(lines(GOOD)),
    }
    sets = {name: read(tmp_path, content, name, id="id") for name, content in written.items()}
    first = sets["rows.jsonl"]
    assert [row.id for row in first.rows] == [row["id"] for row in GOOD]
    assert first.labels == ("a", "b")
    for name, found in sets.items():
        assert found == first, name


def test_blank_lines_are_skipped_and_ids_are_file_and_line(tmp_path: Path) -> None:
    found = read(tmp_path, b"\n" + lines(GOOD).replace(b"\n", b"\r\n\r\n"))
    assert found.rows[0].id == "rows.jsonl:2"
    assert found.rows[1].id == "rows.jsonl:4"


def test_a_quoted_field_may_hold_lines_and_ids_name_the_first(tmp_path: Path) -> None:
    content = b'text,label\n"one\ntwo, and ""three""",a\nfour,b\n' + b"x,a\ny,b\n" * 9
    rows = read(tmp_path, content, "rows.csv").rows
    assert rows[0].text == 'one\ntwo, and "three"'
    assert [rows[0].id, rows[1].id] == ["rows.csv:2", "rows.csv:4"]


def test_pointers_and_several_columns_render_in_order(tmp_path: Path) -> None:
    content = lines([{"e": {"user": f"u{i}"}, "n": i, "label": "ab"[i % 2]} for i in range(20)])
    rows = read(tmp_path, content, input=["/e/user", "n"]).rows
    assert rows[3].text == "e.user: u3\nn: 3"


def test_labels_that_are_numbers_or_booleans_become_their_json_words(tmp_path: Path) -> None:
    content = lines([{"text": "x", "label": v} for v in [1, True, 1.5, "1", " a"] * 5])
    assert {row.target for row in read(tmp_path, content).rows} == {"1", "true", "1.5", " a"}


def test_labels_follow_the_task_or_are_sorted(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(lines(GOOD))
    task = task_for(tmp_path, rows="rows.jsonl").model_copy(update={"labels": {"b": "", "a": ""}})
    assert read_dataset(task).labels == ("b", "a")
    (tmp_path / "test.jsonl").write_bytes(lines([{"text": "x", "label": "only-test"}]))
    apart = read_dataset(task_for(tmp_path, train="rows.jsonl", test="test.jsonl"))
    assert apart.labels == ("a", "b")
    assert apart.given["test.jsonl:1"] == "test"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000.5", datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
        (1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (2023, datetime(2023, 1, 1, tzinfo=UTC)),
        ("1999", datetime(1999, 1, 1, tzinfo=UTC)),
        ("2023-05", datetime(2023, 5, 1, tzinfo=UTC)),
        ("2023-05-17", datetime(2023, 5, 17, tzinfo=UTC)),
        ("2023-05-17 08:00:00", datetime(2023, 5, 17, 8, tzinfo=UTC)),
        ("2023-05-17T10:00:00+02:00", datetime(2023, 5, 17, 8, tzinfo=UTC)),
        ("2023-05-17T08:00:00.000+0000", datetime(2023, 5, 17, 8, tzinfo=UTC)),
        ("2023-05-17T08:00:00Z", datetime(2023, 5, 17, 8, tzinfo=UTC)),
    ],
)
def test_times_become_seconds(tmp_path: Path, value: object, moment: datetime) -> None:
    content = lines([{**row, "at": value} for row in GOOD])
    assert read(tmp_path, content, time="at").rows[0].time == moment.timestamp()


def test_parquet_dates_are_times_and_text(tmp_path: Path) -> None:
    rows = [{**row, "at": datetime(2023, 5, 17, 8)} for row in GOOD]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    task = task_for(tmp_path, rows="rows.parquet", time="at", input=["at", "text"])
    row = read_dataset(task).rows[0]
    assert row.time == datetime(2023, 5, 17, 8, tzinfo=UTC).timestamp()
    assert row.text.startswith("at: 2023-05-17T08:00:00\n")


def with_bad(bad: bytes) -> bytes:
    good = lines(GOOD).splitlines(keepends=True)
    return b"".join([*good[:2], bad, b"\n", *good[2:]])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b'{"text": "x"', "rows.jsonl:3: not JSON at column"),
        (b"[1, 2]", "rows.jsonl:3: a list, not an object"),
        (b'{"text": "caf\xe9", "label": "a"}', "rows.jsonl:3: not UTF-8 at byte 13 of the line"),
        (b'{"text": "a\x00b", "label": "a"}', "rows.jsonl:3: NUL byte at byte 11"),
        (b"\x00" * 100, "rows.jsonl:3: NUL byte at byte 0"),
        (b'{"txt": "x", "label": "a"}', "no column 'text'; did you mean 'txt'?"),
        (b'{"text": "", "label": "a"}', "rows.jsonl:3: 'text' is empty"),
        (b'{"text": " \\u00a0\\n", "label": "a"}', "rows.jsonl:3: 'text' is empty"),
        (b'{"text": null, "label": "a"}', "rows.jsonl:3: 'text' is empty"),
        (b'{"text": "x"}', "rows.jsonl:3: no column 'label'"),
        (b'{"text": "x", "label": null}', "rows.jsonl:3: target 'label' is missing"),
        (b'{"text": "x", "label": " "}', "rows.jsonl:3: target 'label' is missing"),
        (b'{"text": "x", "label": NaN}', "rows.jsonl:3: target 'label' is missing"),
        (b'{"text": "x", "label": ["a"]}', "rows.jsonl:3: target 'label' is a list"),
        (b'{"text": "x", "label": {"a": 1}}', "rows.jsonl:3: target 'label' is a nested value"),
        (b'{"text": "\\ud800", "label": "a"}', "half a surrogate pair at character 0"),
        (b'{"text": "x", "label": "\\udfff"}', "half a surrogate pair"),
        (b'{"text": ' + b"[" * 100_000, "rows.jsonl:3: JSON nested too deeply"),
        (b'{"text": 1' + b"0" * 5000 + b"}", "rows.jsonl:3: "),
        (b'{"text": "' + b"x" * 10_000_000 + b'", "label": "a"}', "more than data.max_chars"),
        (b'{"text": "x", "label": "' + b"x" * 2000 + b'"}', "is this the right column?"),
    ],
)
def test_a_bad_line_is_named_with_its_field_and_what_to_do(
    tmp_path: Path, bad: bytes, said: str
) -> None:
    assert said in refusal(tmp_path, with_bad(bad))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "the file is empty"),
        ("a.jsonl", b"\n\n", "no rows in it"),
        ("a.jsonl", b"\x00" * 4096, "a.jsonl:1: NUL byte"),
        ("a.jsonl", "text".encode("utf-16"), "UTF-16, not UTF-8"),
        ("a.jsonl", b'[\n{"text": 1}]', "write one object per line"),
        ("a.jsonl.gz", lines(GOOD), "its name says gzip, its content is no compressed data"),
        ("a.jsonl.gz", gzip.compress(lines(GOOD))[:-20], "ends in the middle"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 99, "damaged gzip data"),
        ("a.jsonl.gz", b"\x1f\x8b", "ends in the middle"),
        ("a.parquet", b"PAR1 and then nothing", "not a readable parquet file"),
        ("a.parquet", lines(GOOD), "not a readable parquet file"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "parquet is compressed inside"),
        ("a.xlsx", b"PK\x03\x04", "unknown kind of file; name it .jsonl"),
        ("a.csv", b"text,label\nx,a,extra\n", "a.csv:2: 3 fields where the header has 2"),
        ("a.csv", b"text,label\nx\n", "a.csv:2: 1 fields where the header has 2"),
        ("a.csv", b'text,label\nx,a\n"open,b\nx,a\n', "a.csv:3: "),
        ("a.csv", b"text,text\nx,a\n", "two columns are called 'text'"),
        ("a.csv", b"txt,label\nx,a\n", "a.csv:2: no column 'text'; did you mean 'txt'?"),
        ("a.csv", b"text,label\n", "no rows in it"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refusal(tmp_path, content, name)


def test_a_damaged_checksum_inside_gzip_is_noticed(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(lines(GOOD)))
    content[-6] ^= 0xFF
    assert "damaged gzip data" in refusal(tmp_path, bytes(content), "a.jsonl.gz")


def test_a_gzip_bomb_of_rows_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "RATIO_FROM_BYTES", 1 << 20)
    monkeypatch.setattr(files, "MAX_RATIO", 50)
    bomb = gzip.compress(b'{"text": "x", "label": "a"}\n' * 60_000)
    message = refusal(tmp_path, bomb, "a.jsonl.gz")
    assert "grows to more than 1 MiB when decompressed" in message


def test_a_line_that_never_ends_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1 << 20)
    bomb = gzip.compress(b"x" * (3 << 20))
    assert "a.jsonl.gz:1: the line is longer than 1 MiB" in refusal(tmp_path, bomb, "a.jsonl.gz")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").write_bytes(lines(GOOD))
    with pytest.raises(DataError, match=r"no such file .*did you mean 'alerts.jsonl'"):
        read_dataset(task_for(tmp_path, rows="alert.jsonl"))
    with pytest.raises(DataError, match="cannot be read"):
        read_dataset(task_for(tmp_path, rows="."))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(GOOD))
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        read_dataset(task_for(tmp_path, rows="a.jsonl"))


def test_ids_are_unique_across_files_and_both_places_are_named(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(lines(GOOD))
    (tmp_path / "test.jsonl").write_bytes(lines([{**GOOD[0], "id": "new"}, GOOD[4]]))
    task = task_for(tmp_path, train="train.jsonl", test="test.jsonl", id="id")
    with pytest.raises(DataError, match=r"test.jsonl:2: id 'r4' stands already at train.jsonl:5"):
        read_dataset(task)


def test_one_class_is_not_a_choice(tmp_path: Path) -> None:
    message = refusal(tmp_path, lines([{"text": "x", "label": "a"}] * 5))
    assert "only one label ('a') in 5 rows" in message


def test_a_label_outside_the_task_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(lines(GOOD) + lines([{"text": "x", "label": "niose"}]))
    task = task_for(tmp_path, rows="rows.jsonl")
    task = task.model_copy(update={"labels": {"a": "", "b": "", "noise": ""}})
    with pytest.raises(DataError, match=r"rows.jsonl:21: .*'niose'.*did you mean 'noise'"):
        read_dataset(task)


def test_a_column_that_no_row_has_is_not_left_out_silently(tmp_path: Path) -> None:
    message = refusal(tmp_path, lines(GOOD), input=["text", "hots"])
    assert "no row has the input column 'hots'" in message


@pytest.mark.parametrize("value", [None, "yesterday", True, [1], "NaN", "1e400", "2024-13-01"])
def test_what_is_not_a_time(tmp_path: Path, value: object) -> None:
    message = refusal(tmp_path, lines([{**row, "at": value} for row in GOOD]), time="at")
    assert message.startswith("rows.jsonl:1: time 'at' is ")
    assert "ISO date" in message


def test_test_rows_given_apart_need_no_time(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(lines([{**row, "at": 2020} for row in GOOD]))
    (tmp_path / "test.jsonl").write_bytes(lines([{"text": "x", "label": "a"}]))
    task = task_for(
        tmp_path, train="train.jsonl", test="test.jsonl", time="at", split={"by": "time"}
    )
    assert read_dataset(task).rows[-1].time is None


def test_role_words(tmp_path: Path) -> None:
    words = ["train", "Training", "dev", "validation", "Calibration", "TEST"]
    rows = [{**row, "part": words[i % 6]} for i, row in enumerate(GOOD)]
    split = {"by": "given", "column": "part"}
    given = read(tmp_path, lines(rows), id="id", split=split).given
    assert [given[f"r{i}"] for i in range(6)] == [
        "train", "train", "valid", "valid", "calibrate", "test",
    ]  # fmt: skip
    rows[3]["part"] = "holdout"
    assert "'holdout', not a role" in refusal(tmp_path, lines(rows), split=split)


def test_the_fingerprint_is_of_the_rows_and_not_of_the_file(tmp_path: Path) -> None:
    plain = read(tmp_path, lines(GOOD), id="id")
    packed = read(tmp_path, gzip.compress(lines(GOOD)), "a.jsonl.gz", id="id")
    changed = read(tmp_path, lines([*GOOD[:-1], {**GOOD[-1], "text": "other"}]), id="id")
    assert plain.fingerprint == packed.fingerprint != changed.fingerprint
    assert len(plain.fingerprint) == 64


@settings(max_examples=120, deadline=None)
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.jsonl", "a.csv", "a.jsonl.gz"]))
def test_any_bytes_are_rows_or_one_line(tmp_path_factory, content: bytes, name: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    said = name
    try:
        read(folder, content, name)
    except DataError as error:
        said = str(error)
    assert "\n" not in said
    assert said.startswith(name)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
            lambda t: t.strip("\x00 \t\r\n\f\v\u00a0\u200b\ufeff")
        ),
        min_size=8,
        max_size=20,
    )
)
def test_csv_and_jsonl_keep_every_text(tmp_path_factory, texts: list[str]) -> None:
    import csv

    folder = tmp_path_factory.mktemp("texts")
    rows = [{"text": text, "label": "ab"[i % 2]} for i, text in enumerate(texts)]
    found = read(folder, lines(rows))
    assert [row.text for row in found.rows] == texts
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    assert [r.text for r in read_dataset(task_for(folder, rows="t.csv")).rows] == texts


@pytest.mark.real
def test_the_largest_real_set_reads_lean(shared_data: Path) -> None:
    cwe = shared_data / "cwe"
    task = task_for(
        cwe, train="train.jsonl.gz", test="test_2024.jsonl.gz", id="id", time="published",
        unseen_labels="count_wrong",
    )  # fmt: skip
    found = read_dataset(task)
    assert len(found.rows) == 134_725
    assert sum(role == "test" for role in found.given.values()) == 1000

"""`run --format logs` with a real bundle: tagger and shapes as they are packed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tiny_lines
from tiny_bundle import tiny_bundle
from tiny_line_bundle import tiny_line_bundle
from whichlever.bundle import open_bundle
from whichlever.errors import InputError
from whichlever.runtime.logs.bundled import reading_of


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_line_bundle(tmp_path_factory.mktemp("lines") / "m.wl")


def run(bundle: Path, *options: str, given: bytes = b"") -> tuple[list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "whichlever", "run", str(bundle), "--allow-unsigned",
         "--format", "logs", *options],
        input=given, capture_output=True, timeout=120, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_known_lines_are_read_by_shape_with_their_fields(bundle: Path) -> None:
    rows = [row for row in tiny_lines.rows(120, 7) if row["source"] == "wall"]
    said, error = run(bundle, "-i", "-", "--as", "answers", "--source", "wall",
                      given="".join(f"{row['raw']}\n" for row in rows).encode())  # fmt: skip
    right = sum(answer["fields"] == row["fields"] for answer, row in zip(said, rows, strict=True))
    assert right > 0.9 * len(rows)
    assert sum(answer["shape"] is not None for answer in said) > 0.5 * len(rows)
    for answer, row in zip(said, rows, strict=True):
        for spans in answer["spans"].values():
            assert all(0 <= start < end <= len(row["raw"]) for start, end in spans)
    assert f"{len(rows)} events" in error


def test_documents_are_nested_and_the_same_by_row_and_by_stream(
    bundle: Path, tmp_path: Path
) -> None:
    rows = tiny_lines.rows(30, 9)
    lines = "".join(f"{row['raw']}\n" for row in rows)
    said, _ = run(bundle, "-i", "-", "--no-learn", given=lines.encode())
    assert said[1]["source"]["ip"] == rows[1]["fields"]["source.ip"]
    assert said[1]["event"]["original"] == rows[1]["raw"]
    answers, _ = run(bundle, "-i", "-", "--no-learn", "--as", "answers", given=lines.encode())
    given = tmp_path / "rows.jsonl"
    given.write_text("".join(json.dumps({"id": i + 1, "raw": row["raw"]}) + "\n"
                             for i, row in enumerate(rows)))  # fmt: skip
    command = [sys.executable, "-m", "whichlever", "run", str(bundle), "--allow-unsigned",
               "-i", str(given), "-o", str(tmp_path / "out.jsonl")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    by_row = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    keys = ("id", "fields", "spans", "shape", "abstain")
    assert [{k: a[k] for k in keys} for a in by_row] == [{k: a[k] for k in keys} for a in answers]


def test_hostile_lines_through_the_real_parser(bundle: Path) -> None:
    given = [b"", b"\xff\xfe\x00 src=10.0.0.1:80", b"\x1b[31m" * 50, b"a" * 90_000, b'{"a": [[[[',
             "wall: src=10.0.0.1:80 é\u202e".encode(), b"=" * 5_000, b'"' * 5_000]  # fmt: skip
    said, _ = run(bundle, "-i", "-", given=b"\n".join(given))
    assert [d["whichlever"]["id"] for d in said] == [*range(1, len(given) + 1)]
    assert [i for i, d in enumerate(said) if "error" in d] == [0]


def test_a_bundle_that_sorts_rows_reads_no_lines(tmp_path: Path) -> None:
    opened = open_bundle(tiny_bundle(tmp_path / "m.wl"), allow_unsigned=True)
    with pytest.raises(InputError, match="kind: extract"):
        reading_of(opened)

"""A parser of lines from a finished run to a bundle that is shown, run and served."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import pytest

import tiny_lines
import whichlever as wl
from serve.live import serving
from whichlever.bundle.format import Manifest
from whichlever.cli.app import main
from whichlever.comparison import Comparison
from whichlever.errors import BundleError, DataError
from whichlever.packing import pack

TASK = tiny_lines.TASK + "  linear: {minutes: 0.5}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("packed")
    task = wl.Task.load(tiny_lines.write_task(folder, TASK))
    return wl.compare(task, folder / "run", only=["majority", "linear", "rag"])


@pytest.fixture(scope="module")
def bundle(run: Comparison) -> Path:
    path = run.run.parent / "m.wl"
    packed = pack(run.run, path, lever="linear", abstain_below=0.3)
    assert any("test lines got the fields of the comparison" in note for note in packed.notes)
    return path


def test_a_packed_parser_copies_what_the_compared_one_did(run: Comparison, bundle: Path) -> None:
    import polars as pl

    opened = wl.Bundle.open(bundle, allow_unsigned=True)
    assert opened.manifest.kind == "extract"
    assert opened.manifest.format == 2
    tested = run.trials().filter(pl.col("lever") == "linear", pl.col("role") == "test")
    known = dict(zip(tested["id"], tested["predicted"], strict=True))
    sure = {i: s[1] for i, s in zip(tested["id"], tested["scores"], strict=True)}
    rows = [row for row in tiny_lines.rows() if row["id"] in known]
    for row, said in zip(rows, opened.predict(rows), strict=True):
        assert said.fields == json.loads(known[row["id"]])
        assert said.confidence == pytest.approx(sure[row["id"]], abs=1e-4)
    (alone,) = opened.predict([rows[0]["raw"]])
    assert set(alone.fields or {}) <= set(opened.manifest.labels)


def test_nothing_of_the_lines_is_in_the_bundle(bundle: Path) -> None:
    with tarfile.open(bundle) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            content = b"" if file is None else file.read()
            for row in tiny_lines.rows()[:40]:
                assert row["raw"].encode() not in content
                assert str(row["fields"].get("source.ip", "no address")).encode() not in content
            assert b"door-0.log" not in content


def test_the_card_speaks_of_names_and_of_made_up_values(bundle: Path, capsys) -> None:
    assert main(["show", str(bundle), "--allow-unsigned"]) == 0
    card = capsys.readouterr().out
    assert "named fields out of a line" in card
    assert "## By name" in card
    assert "## By shape and source" in card
    assert "Values made up" in card


def test_the_same_run_packs_the_same_bytes(run: Comparison, bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.wl"
    pack(run.run, again, lever="linear", abstain_below=0.3, task=run.run.parent / "task.yaml")
    assert again.read_bytes() == bundle.read_bytes()


def test_run_writes_fields_with_their_places_line_by_line(bundle: Path, tmp_path: Path) -> None:
    rows = tiny_lines.rows(20, 8)
    given, out, table = (tmp_path / n for n in ("in.jsonl", "out.jsonl", "out.csv"))
    bad = '{"id": "bad"}\n'
    given.write_text("".join(json.dumps(row) + "\n" for row in rows) + bad)
    asked = ["run", str(bundle), "--allow-unsigned", "-i", str(given)]
    assert main([*asked, "-o", str(out)]) == 0
    said = [json.loads(line) for line in out.read_text().splitlines()]
    assert "error" in said[-1]
    for line, row in zip(said, rows, strict=False):
        assert list(line) == ["id", "fields", "spans", "shape", "abstain"]
        assert line["id"] == row["id"]
        for name, places in line["spans"].items():
            assert name in line["fields"]
            assert all(0 <= a < b <= len(row["raw"]) for a, b in places)
        if "source.ip" in line["spans"]:
            ((start, end),) = line["spans"]["source.ip"]
            assert row["raw"][start:end] == line["fields"]["source.ip"]
    assert main([*asked, "-o", str(table)]) == 0
    with table.open() as file:
        cells = list(csv.DictReader(file))
    assert cells[0]["id"] == rows[0]["id"]
    assert cells[0]["source.ip"] == said[0]["fields"].get("source.ip", "")


def test_serve_answers_with_fields_and_describes_them(bundle: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    import httpx

    rows = tiny_lines.rows(12, 8)
    with serving(bundle) as live:
        said = live.predict([*rows, rows[0]["raw"], 7]).json()["answers"]
        assert "error" in said[-1]
        wanted = wl.Bundle.open(bundle, allow_unsigned=True).predict(rows)
        assert [a["fields"] for a in said[: len(rows)]] == [p.fields for p in wanted]
        assert live.predict([rows[0]], explain=3).status_code == 422
        asked = httpx.post(f"{live.url}/classify", json={"input": "x"}, trust_env=False)
        assert asked.status_code == 422
        described = httpx.get(f"{live.url}/openapi.json", trust_env=False).json()
        answer = described["components"]["schemas"]["Answer"]
        assert "source.ip" in answer["properties"]["fields"]["properties"]


def test_a_parser_is_not_explained_by_words(bundle: Path) -> None:
    with pytest.raises(DataError, match="fields explain themselves"):
        wl.Bundle.open(bundle, allow_unsigned=True).explain("a line")


def test_what_reads_no_lines_by_itself_is_not_packed(run: Comparison, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        pack(run.run, tmp_path / "x.wl", lever="rag-vote")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"parts": [{"name": "linear", "kind": "linear"}]},
        {"parts": [{"name": "shapes", "kind": "shapes"}]},
        {"pooled": True},
        {"steps": {"edges": [0.5, 0.1], "shares": [0.1, 0.2]}},
        {"steps": {"edges": [0.5], "shares": [1.5]}},
        {"kind": "classify"},
    ],
)
def test_a_manifest_of_lines_that_cannot_be_is_refused(bundle: Path, change: dict) -> None:
    said = json.loads(wl.Bundle.open(bundle, allow_unsigned=True).manifest.to_bytes())
    with pytest.raises(BundleError, match=r"bundle\.json"):
        Manifest.from_bytes(json.dumps({**said, **change}).encode())

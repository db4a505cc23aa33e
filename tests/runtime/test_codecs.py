"""What is written is read back: rows of files in, answers out, weights in a bundle."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_bundles import manifest
from tiny_bundle import LABELS, TEXTS
from whichlever.bundle.format import Part
from whichlever.errors import DataError
from whichlever.infer.linear import LinearModel, Weights
from whichlever.infer.linear_features import Features
from whichlever.predict import Row
from whichlever.runtime.inputs import Item, read_items
from whichlever.runtime.outputs import writer

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | CELL
RECORD = st.dictionaries(CELL, st.recursive(SCALAR, lambda x: st.lists(x, max_size=3)), max_size=4)


def items(content: bytes, name: str) -> list[Item]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return list(read_items(path, None, "csv" if "csv" in name else "jsonl"))


@settings(deadline=None)
@given(st.lists(RECORD, max_size=5), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_json_lines_come_back(
    rows: list[Mapping[str, Any]], end: str, packed: bool, ascii_only: bool
) -> None:
    finite = [json.loads(json.dumps(row).replace("Infinity", "0")) for row in rows]
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in finite)
    content = text.encode()
    name = "rows.jsonl.gz" if packed else "rows.jsonl"
    found = items(gzip.compress(content, mtime=0) if packed else content, name)
    assert [item.record for item in found] == finite
    assert packed or not found or found[-1].end == len(content)


@settings(deadline=None)
@given(
    st.lists(st.from_regex("[a-z_]{1,9}", fullmatch=True), min_size=1, max_size=4, unique=True),
    st.data(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_csv_comes_back(columns: list[str], data: st.DataObject, end: str) -> None:
    cells = st.lists(CELL, min_size=len(columns), max_size=len(columns)).filter(any)
    rows = data.draw(st.lists(cells, max_size=5))
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([columns, *rows])
    found = items(out.getvalue().encode(), "rows.csv")
    assert [item.record for item in found] == [dict(zip(columns, r, strict=True)) for r in rows]


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["rows.csv", "rows.tsv.csv", "rows.jsonl"]))
def test_any_bytes_are_rows_or_one_clear_error(content: bytes, name: str) -> None:
    try:
        found = items(content, name)
    except DataError:
        return
    assert all((item.record is None) != (item.error is None) for item in found)


LINES = st.fixed_dictionaries(
    {
        "id": st.none() | st.integers() | CELL,
        "label": st.sampled_from(LABELS),
        "scores": st.fixed_dictionaries(dict.fromkeys(LABELS, st.floats(0, 1))),
        "abstain": st.booleans(),
    }
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=4))
def test_answers_come_back(lines: list[dict[str, Any]]) -> None:
    said = manifest([Part(name="linear", kind="linear")])
    head, write = writer("jsonl", said)
    assert [json.loads(write(line)) for line in lines] == lines
    assert head == b""
    head, write = writer("csv", said)
    content = (head + b"".join(map(write, lines))).decode()
    found = list(csv.DictReader(io.StringIO(content, newline="")))
    assert len(found) == len(lines)
    for line, row in zip(lines, found, strict=True):
        assert row["label"] == line["label"]
        assert {k: float(row[f"score.{k}"]) for k in LABELS} == line["scores"]
        assert row["abstain"] == str(line["abstain"]).lower()


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=6),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
)
def test_a_linear_model_comes_back_to_the_bit(
    texts: list[str], chars: bool, seed: int, label: str
) -> None:
    rng = np.random.default_rng(seed)
    features = Features.fit([*texts, *texts, *TEXTS], chars=chars, max_features=200)
    coef = rng.normal(size=(features.columns, 2)).astype(np.float32)
    weights = Weights(coef, rng.normal(size=2).astype(np.float32))
    model = LinearModel(features, weights, (label, f"{label}!"), np.arange(2), 2.0, {"a": 1})
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        again = LinearModel.load(Path(folder) / "model")
    rows = [Row(str(i), text) for i, text in enumerate([*texts, *TEXTS])]
    for before, after in zip(model.predict(rows), again.predict(rows), strict=True):
        assert before.label == after.label
        assert np.array_equal(before.scores, after.scores)


@settings(deadline=None)
@given(st.data())
def test_a_static_model_comes_back_to_the_bit(data: st.DataObject) -> None:
    pytest.importorskip("safetensors")
    from whichlever.infer.static import StaticModel

    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    classes, head = data.draw(st.integers(2, 5)), data.draw(st.booleans())
    width = data.draw(st.integers(1, 6)) if head else classes

    def values(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    model = StaticModel(
        tokens=values(9, width),
        pairs=values(8, width) if data.draw(st.booleans()) else None,
        head=values(width, classes) if head else None,
        bias=values(classes),
        power=data.draw(st.floats(0, 2)),
        tokenizer=data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=40)),
    )
    again = StaticModel.from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    assert (again.power, again.tokenizer) == (model.power, model.tokenizer)
    for name, tensor in model.tensors().items():
        assert np.array_equal(again.tensors()[name], tensor)

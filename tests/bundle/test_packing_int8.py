"""8 bits: tried once on validation rows, remembered beside the fit, and packed only if good."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from whichlever.bundle.finished import Finished
from whichlever.bundle.format import Part
from whichlever.bundle.make import Model
from whichlever.packing_int8 import with_int8
from whichlever.predict import Row
from whichlever.progress import Silent
from whichlever.run import read_json, write_json
from whichlever.task import Task

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

FIXTURES = Path(__file__).parents[1] / "fixtures" / "bundles"


def fixtures():
    spec = importlib.util.spec_from_file_location("made_bundles", FIXTURES / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = fixtures()


def wide(content: bytes) -> bytes:
    """The fixture's network with its three columns repeated to 66, so that there is a matrix."""
    model = onnx.load_from_string(content)
    for tensor in list(model.graph.initializer):
        value = onnx.numpy_helper.to_array(tensor)
        if tensor.name == "table":
            value = np.repeat(value, 22, axis=1)
        elif tensor.name == "mix":
            value = np.repeat(np.repeat(value, 22, axis=0), 22, axis=1) / 22
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    model.opset_import[0].version = 18
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 66
    return model.SerializeToString()


@pytest.fixture
def run(tmp_path) -> Finished:
    folder = tmp_path / "fits" / "finetune-encoder" / "0123"
    folder.mkdir(parents=True)
    (folder / "encoder.onnx").write_bytes(b"")
    task = Task.parse("version: 1\ntask: t\ndata: {rows: r, input: text}\nlevers: {linear: {}}")
    labels = tuple(f"l{i}" for i in range(66))
    return Finished(tmp_path, task, labels, {}, {}, {"rows_sha256": "0" * 64}, {})


def model(content: bytes, tokenizer: bytes) -> Model:
    files = {"model/encoder/encoder.onnx": content, "model/encoder/tokenizer.json": tokenizer}
    return Model((Part(name="encoder", kind="encoder", max_tokens=16),), files, None)


ROWS = [Row(str(i), text, "l0") for i, text in enumerate(MADE.TEXTS)]


def test_what_was_decided_stands(run):
    made = MADE.encoder()
    given = model(wide(made["encoder.onnx"]), made["tokenizer.json"])
    first, why = with_int8(run, given, ROWS, wanted=True, progress=Silent())
    kept = run.run / "fits/finetune-encoder/0123/int8.json"
    decided = read_json(kept)
    assert decided["judged"]["rows"] == len(ROWS)
    assert first.parts[0].precision == ("int8" if decided["judged"]["used"] else "fp32")
    assert "8 bits" in why[0]
    for used, precision in ((True, "int8"), (False, "fp32")):
        write_json(kept, {**decided, "judged": {**decided["judged"], "used": used}})
        again, _ = with_int8(run, given, ROWS, wanted=True, progress=Silent())
        assert again.parts[0].precision == precision
        same = (
            again.files["model/encoder/encoder.onnx"] == given.files["model/encoder/encoder.onnx"]
        )
        assert same is not used


def test_another_task_or_network_is_judged_anew(run):
    made = MADE.encoder()
    given = model(wide(made["encoder.onnx"]), made["tokenizer.json"])
    with_int8(run, given, ROWS, wanted=True, progress=Silent())
    kept = run.run / "fits/finetune-encoder/0123/int8.json"
    before = read_json(kept)["key"]
    other = run.task.model_copy(update={"goal": run.task.goal.model_copy(update={"margin": 0.001})})
    with_int8(replace(run, task=other), given, ROWS, wanted=True, progress=Silent())
    assert read_json(kept)["key"] != before


def test_a_network_without_matrices_stays_as_it_is(run):
    made = MADE.encoder()
    given = model(made["encoder.onnx"], made["tokenizer.json"])
    same, why = with_int8(run, given, ROWS, wanted=True, progress=Silent())
    assert same is given
    assert "no matrix product" in why[0]

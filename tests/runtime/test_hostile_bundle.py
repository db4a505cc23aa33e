"""Bundles whose files lie: opened unsigned, they are refused in one line and nothing is run."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from real_bundles import ENCODER, exported, manifest, static_model
from tiny_bundle import tiny_files
from whichlever.bundle import open_bundle
from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import FORMAT, LARGEST, MANIFEST, Manifest
from whichlever.errors import BundleError
from whichlever.infer.linear import LinearModel
from whichlever.infer.onnx_graph import check_onnx
from whichlever.runtime.bundle import Bundle

onnx = pytest.importorskip("onnx", reason="the extra 'train' is not installed")
torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")


def refused(path: Path, files: dict[str, bytes], match: str) -> None:
    write_archive(path, files)
    with pytest.raises(BundleError, match=match) as caught:
        Bundle.open(path, allow_unsigned=True)
    assert "\n" not in str(caught.value)


# --- the manifest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m | {"format": FORMAT + 1}, "update whichlever"),
        (lambda m: m | {"format": 10**400}, "update whichlever"),
        (lambda m: m | {"labels": ["a", "a"]}, "label stands twice"),
        (lambda m: m | {"labels": ["a"]}, "labels"),
        (lambda m: m | {"temperature": 1e-300}, "temperature"),
        (lambda m: m | {"temperature": float("nan")}, "temperature"),
        (lambda m: m | {"parts": []}, "parts"),
        (lambda m: m | {"parts": [{"name": "../x", "kind": "linear"}]}, "name"),
        (lambda m: m | {"parts": [{"name": "x", "kind": "pickle"}]}, "kind"),
        (lambda m: m | {"parts": [{"name": "other", "kind": "linear"}]}, "model/other/model.json"),
        (lambda m: m | {"surprise": 1}, "surprise"),
        (lambda m: m | {"reader": {"pack": "triage@99"}}, "triage@99|speaks"),
        (lambda m: m | {"reader": {"pack": "no-such@1"}}, "not installed"),
        (lambda m: m | {"reader": {}}, "needs pack or input"),
        (lambda m: m | {"handing": {"score": "cost", "threshold": 0.1}}, "costs"),
        (
            lambda m: m | {"handing": {"score": "cost", "threshold": 0.1, "costs": [[0.0]]}},
            "every pair of labels",
        ),
    ],
)
def test_a_manifest_that_does_not_hold_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], match: str, tmp_path: Path
) -> None:
    files = tiny_files()
    said = json.dumps(change(json.loads(files[MANIFEST]))).encode()
    write_archive(tmp_path / "m.wl", {**files, MANIFEST: said})
    with pytest.raises(Exception, match=match) as caught:
        Bundle.open(tmp_path / "m.wl", allow_unsigned=True)
    assert type(caught.value).__name__ in ("BundleError", "TaskError")


@pytest.mark.parametrize("content", [b"", b"[" * 200_000, b"\xff", b"[]", b'{"format": "x"}'])
def test_what_is_no_manifest_is_refused(content: bytes, tmp_path: Path) -> None:
    refused(tmp_path / "m.wl", {**tiny_files(), MANIFEST: content}, MANIFEST)


def test_a_huge_manifest_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BundleError, match="larger than"):
        Manifest.from_bytes(b" " * (LARGEST + 1))


# --- arrays and weights -------------------------------------------------------------------------

ARRAYS = "model/linear/arrays.npz"


def arrays(**changed: np.ndarray) -> bytes:
    found = dict(np.load(io.BytesIO(tiny_files()[ARRAYS])))
    out = io.BytesIO()
    np.savez(out, **{**found, **changed})
    return out.getvalue()


def nan_in(name: str) -> bytes:
    value = dict(np.load(io.BytesIO(tiny_files()[ARRAYS])))[name].copy()
    value.flat[-1] = np.nan
    return arrays(**{name: value})


def bomb() -> bytes:
    """Zeros, a thousand times as large as they look."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file, file.open("coef.npy", "w") as to:
        for _ in range(4):
            to.write(bytes(2**24))
    return out.getvalue()


def shared() -> bytes:
    """A thousand names for the same bytes (a zip bomb that is not compressed)."""
    out = io.BytesIO(arrays())
    with zipfile.ZipFile(out, "a") as file:
        first = file.infolist()[0]
        file.filelist += [first] * 1_000
        file._didModify = True  # type: ignore[attr-defined]
    return out.getvalue()


def overlapping() -> bytes:
    out = io.BytesIO(arrays())
    with zipfile.ZipFile(out, "a") as file:
        largest = max(file.infolist(), key=lambda e: e.file_size)
        for i in range(20):
            twin = zipfile.ZipInfo(f"x{i}.npy")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(twin, name, getattr(largest, name))
            file.filelist.append(twin)
        file._didModify = True  # type: ignore[attr-defined]
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (bomb, "compressed"),
        (shared, "one twice"),
        (overlapping, "share their bytes"),
        (lambda: nan_in("coef"), "no number"),
        (lambda: nan_in("idf"), "no number"),
        (lambda: arrays(intercept=np.array([np.inf, 0], np.float32)), "no number"),
        (lambda: arrays(intercept=np.zeros(3, np.float32)), "do not fit"),
        (lambda: arrays(coef=np.array([[b"x"]], object)), "objects|Object"),
        (lambda: b"PK\x05\x06" + bytes(18), "KeyError"),
        (lambda: b"", "zip"),
    ],
)  # fmt: skip
def test_hostile_arrays_are_refused(
    content: Callable[[], bytes], match: str, tmp_path: Path
) -> None:
    refused(tmp_path / "m.wl", {**tiny_files(), ARRAYS: content()}, match)


def test_other_labels_inside_than_outside_are_refused(tmp_path: Path) -> None:
    files = tiny_files(labels=("critical", "calm"), meanings={})
    refused(tmp_path / "m.wl", files, "labels are not the bundle's")


def test_a_huge_scale_gives_no_infinite_answer(tmp_path: Path) -> None:
    files = tiny_files()
    model = json.loads(files["model/linear/model.json"])
    for scale, fine in ((1e30, True), (float("inf"), False), (float("nan"), False)):
        changed = json.dumps({**model, "scale": scale}).encode()
        if not fine:
            with pytest.raises(ValueError, match="scale"):
                LinearModel.from_bytes(changed, files[ARRAYS])
            continue
        write_archive(tmp_path / "m.wl", {**files, "model/linear/model.json": changed})
        answer = Bundle.open(tmp_path / "m.wl", allow_unsigned=True).predict(["mimikatz dumped"])[0]
        assert answer.scores is not None
        assert np.isfinite(answer.scores).all()


def static_with(minilm: Path, **changed: Any) -> dict[str, bytes]:
    from dataclasses import replace

    from whichlever.bundle.format import Part

    model = replace(static_model((minilm / "tokenizer.json").read_text()), **changed)
    said = manifest([Part(name="static", kind="static")])
    return {MANIFEST: said.to_bytes(), "model/static/static.safetensors": model.to_bytes()}


def test_static_weights_that_are_no_numbers_are_refused(tmp_path: Path, minilm: Path) -> None:
    bad = static_model((minilm / "tokenizer.json").read_text()).tokens.copy()
    bad[7, 0] = np.inf
    refused(tmp_path / "m.wl", static_with(minilm, tokens=bad), "no number")
    refused(tmp_path / "m.wl", static_with(minilm, power=float("nan")), "power")
    refused(tmp_path / "m.wl", static_with(minilm, tokens=bad[:5]), "vectors|no number")
    refused(tmp_path / "m.wl", static_with(minilm, tokenizer="{}"), "model/static")
    files = static_with(minilm)
    header = (2**40).to_bytes(8, "little")
    refused(
        tmp_path / "m.wl", {**files, "model/static/static.safetensors": header + b"{}"}, "static"
    )


def test_a_tokenizer_that_panics_is_one_line(tmp_path: Path, minilm: Path) -> None:
    files = exported(minilm)[0]
    said = json.loads(files["model/encoder/tokenizer.json"])
    said["post_processor"]["special_tokens"] = {}
    files = {
        **files,
        MANIFEST: manifest([ENCODER]).to_bytes(),
        "model/encoder/tokenizer.json": json.dumps(said).encode(),
    }
    refused(tmp_path / "m.wl", files, "model/encoder")


# --- networks -----------------------------------------------------------------------------------


def network(**changed: Any) -> Any:
    """A network of one product, as onnx makes it."""
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((4, 2), np.float32), "w")
    node = helper.make_node(
        changed.get("op", "MatMul"),
        ["x", "w"],
        ["logits"],
        domain=changed.get("domain", ""),
        **changed.get("attributes", {}),
    )
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def outside() -> Any:
    model = network()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    return model


def with_nan() -> Any:
    from onnx import numpy_helper

    model = network()
    bad = np.ones((4, 2), np.float32)
    bad[1, 1] = np.nan
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(bad, "w"))
    return model


def looping() -> Any:
    from onnx import helper

    body = helper.make_graph([], "body", [], [])
    return network(op="Loop", attributes={"body": body})


def inside_constant() -> Any:
    """A constant that is kept outside, as an attribute of a node."""
    from onnx import TensorProto

    tensor = TensorProto(name="c", data_type=1, dims=[1], data_location=1)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/shadow"
    return network(op="Constant", attributes={"value": tensor})


def own_function() -> Any:
    from onnx import helper

    model = network()
    function = helper.make_function("evil", "f", ["a"], ["b"], [], [helper.make_opsetid("", 20)])
    model.functions.append(function)
    return model


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (outside, "outside of the file"),
        (inside_constant, "outside of the file"),
        (looping, "'Loop'|of its own"),
        (lambda: network(op="RandomNormal"), "RandomNormal"),
        (lambda: network(op="PyOp", domain="ai.onnx.contrib"), "ai.onnx.contrib.PyOp"),
        (lambda: network(op="Attention", domain="com.microsoft"), "com.microsoft.Attention"),
        (own_function, "functions of its own"),
        (with_nan, "not all numbers"),
    ],
)
def test_a_network_that_is_more_than_arithmetic_is_refused(
    made: Callable[[], Any], match: str
) -> None:
    check_onnx(network().SerializeToString())
    with pytest.raises(ValueError, match=match):
        check_onnx(made().SerializeToString())


def test_other_formats_and_damage_are_refused() -> None:
    whole = network().SerializeToString()
    for content in (b"", b"\0\0\0\0ORTM" + bytes(100), b"\x0b" * 40, b"\xff" * 40, whole + whole):
        with pytest.raises(ValueError, match="it "):
            check_onnx(content)
    for cut in range(1, len(whole)):
        try:
            check_onnx(whole[:cut])
        except ValueError:
            continue


def test_a_network_on_the_disk_beside_is_not_read(
    tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights moved into a file of the working folder, where onnxruntime would find them."""
    files = dict(exported(minilm)[0])
    model = onnx.load_from_string(files["model/encoder/encoder.onnx"])
    monkeypatch.chdir(tmp_path)
    onnx.save_model(model, "e.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    files["model/encoder/encoder.onnx"] = Path("e.onnx").read_bytes()
    refused(
        tmp_path / "m.wl",
        {**files, MANIFEST: manifest([ENCODER]).to_bytes()},
        "outside of the file",
    )


def test_a_window_wider_than_the_network_is_one_line(tmp_path: Path, minilm: Path) -> None:
    wide = ENCODER.model_copy(update={"max_tokens": 4_000})
    write_archive(tmp_path / "m.wl", {**exported(minilm)[0], MANIFEST: manifest([wide]).to_bytes()})
    bundle = Bundle.open(tmp_path / "m.wl", allow_unsigned=True)
    with pytest.raises(BundleError, match="cannot answer"):
        bundle.predict(["word " * 3_000])


def test_an_unsigned_bundle_is_shown_without_being_run(tmp_path: Path) -> None:
    write_archive(tmp_path / "m.wl", {**tiny_files(), ARRAYS: b"not arrays"})
    assert open_bundle(tmp_path / "m.wl", allow_unsigned=True).manifest.task == "tiny"

"""Serving loads none of the training libraries."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from real_bundles import TEXTS, joined_bundle
from whichlever.bundle.format import Reader
from whichlever.packs.triage.pack import TriagePack

TRAINING = (
    "torch", "transformers", "sklearn", "scipy", "pandas", "onnx", "onnxscript", "model2vec",
    "peft",
)  # fmt: skip
LATE = ("polars", "altair", "jinja2", "openai", "xllamacpp", "whichlever.levers", "whichlever.data")

ANSWER = """\
import json, sys
import whichlever
from whichlever.render import find_pack
from whichlever.runtime.reading import RecordReader
from whichlever.bundle.format import Reader
bundle = whichlever.Bundle.open(sys.argv[1], allow_unsigned=True)
answers = bundle.predict([{"text": sys.argv[2]}, sys.argv[2]])
why = bundle.explain({"text": sys.argv[2]})
for version in (1, 2):
    RecordReader(Reader(pack=f"triage@{version}")).text({"rule": {"id": "5710"}, "message": "x"})
RecordReader(Reader(pack="facts@1")).text({"text": "x"})
import importlib
for name in json.loads(sys.argv[3]):
    importlib.import_module(name)
roots = {name for name in sys.modules}
print(json.dumps({"label": answers[0].label, "said": len(why.said), "modules": sorted(roots)}))
"""


def serving_modules() -> list[str]:
    """Every module of the rooms that a serving machine uses, but those that make bundles."""
    root = Path(str(importlib.util.find_spec("whichlever").submodule_search_locations[0]))  # type: ignore[union-attr,index]
    found = []
    for room in ("infer", "runtime", "render"):
        for file in sorted((root / room).glob("*.py")):
            found.append(
                f"whichlever.{room}" + ("" if file.stem == "__init__" else f".{file.stem}")
            )
    return found


def test_answering_and_explaining_load_no_training_library(tmp_path: Path, minilm: Path) -> None:
    pytest.importorskip("torch")  # to export the encoder with
    path = joined_bundle(tmp_path / "m.wl", minilm)
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, str(path), TEXTS[0], json.dumps(serving_modules())],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    loaded = set(said["modules"])
    assert said["label"] in ("critical", "noise")
    assert said["said"] > 0
    assert {"onnxruntime", "tokenizers", "numpy"} <= loaded  # they were really used
    assert loaded.isdisjoint(TRAINING + LATE), sorted(loaded & {*TRAINING, *LATE})


def test_every_pack_s_renderer_version_can_be_named_by_a_bundle() -> None:
    for version in TriagePack.versions:
        assert Reader(pack=f"triage@{version}")

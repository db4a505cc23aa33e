"""Serving loads none of the training libraries."""

from __future__ import annotations

import importlib.util
import json
import os
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


def imported(stderr: str) -> set[str]:
    """Modules that a process imported, by what PYTHONPROFILEIMPORTTIME made it say."""
    lines = (line for line in stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


def test_run_loads_no_training_library(tmp_path: Path, minilm: Path) -> None:
    pytest.importorskip("torch")  # to export the encoder with
    path = joined_bundle(tmp_path / "m.wl", minilm)
    for name, content in {
        "in.jsonl": json.dumps({"id": "a", "text": TEXTS[0]}) + "\n",
        "in.csv": f"id,text\na,{TEXTS[0]}\n",
    }.items():
        (tmp_path / name).write_text(content)
        done = subprocess.run(
            [sys.executable, "-m", "whichlever", "run", str(path), "--allow-unsigned",
             "-i", str(tmp_path / name), "-o", str(tmp_path / f"{name}.jsonl"), "--explain", "2"],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        )  # fmt: skip
        loaded = imported(done.stderr)
        assert {"onnxruntime", "tokenizers", "numpy"} <= loaded
        assert loaded.isdisjoint(TRAINING + LATE), sorted(loaded & {*TRAINING, *LATE})
        # Nor what other verbs need: together these take half a second to import.
        assert loaded.isdisjoint({"whichlever.task", "whichlever.settings", "whichlever.fields"})


def test_serve_loads_no_training_library(
    tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    pytest.importorskip("prometheus_client", reason="the extra 'serve' is not installed")
    from serve.live import serving

    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with serving(joined_bundle(tmp_path / "m.wl", minilm)) as live:
        assert live.predict([TEXTS[0]], explain=2).status_code in (200, 422)
        assert live.predict([TEXTS[0]]).status_code == 200
        live.log.seek(0)
        loaded = imported(live.log.read().decode())
    assert {"onnxruntime", "tokenizers", "numpy", "uvicorn"} <= loaded
    assert loaded.isdisjoint(TRAINING + LATE), sorted(loaded & {*TRAINING, *LATE})


def test_every_pack_s_renderer_version_can_be_named_by_a_bundle() -> None:
    for version in TriagePack.versions:
        assert Reader(pack=f"triage@{version}")

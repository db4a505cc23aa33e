"""Bundles of every released format load, and answer as on the day they were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whichlever.bundle.format import FORMAT
from whichlever.predict import Row
from whichlever.runtime.bundle import Bundle

FOLDER = Path(__file__).parents[1] / "fixtures" / "bundles"
BUNDLES = sorted(FOLDER.glob("format1-*.wl"))
GUARDED = [*sorted(FOLDER.glob("format3-*.wl")), FOLDER / "format4-views.wl"]
DECODERS = [p for p in sorted(FOLDER.glob("format4-*.wl")) if p not in GUARDED]
OF_LINES = sorted(FOLDER.glob("format2-*.wl"))


def opened(path: Path) -> Bundle:
    if "encoder" in path.name or "joined" in path.name:
        pytest.importorskip("onnxruntime")
    if path in DECODERS:
        pytest.importorskip("xllamacpp", reason="the extra 'llm' is not installed")
    return Bundle.open(path, allow_unsigned=True)


@pytest.mark.parametrize("path", [*BUNDLES, *GUARDED], ids=lambda p: p.stem)
def test_a_released_bundle_still_gives_its_answers(path):
    wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    rows = [Row(str(i), answer["text"]) for i, answer in enumerate(wanted)]
    got = opened(path).predictor.predict(rows)
    assert [(p.label, p.status, p.error) for p in got] == [
        (a["label"], a["status"], a["note"]) for a in wanted
    ]
    scores = np.stack([p.scores for p in got])
    np.testing.assert_allclose(scores, [a["scores"] for a in wanted], atol=1e-5)


@pytest.mark.llm
@pytest.mark.parametrize("path", DECODERS, ids=lambda p: p.stem)
def test_a_released_decoder_still_gives_its_answers(path):
    wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    got = opened(path).predictor.predict([Row(str(i), a["text"]) for i, a in enumerate(wanted)])
    assert [p.label for p in got] == [a["label"] for a in wanted]
    for p, a in zip(got, wanted, strict=True):
        if a["scores"] is None:
            assert p.scores is None
        else:  # another processor's kernels round otherwise
            np.testing.assert_allclose(p.scores, a["scores"], atol=0.02)


@pytest.mark.parametrize("path", OF_LINES, ids=lambda p: p.stem)
def test_a_released_parser_still_gives_its_fields(path):
    wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    rows = [Row("", answer["text"], source=answer["source"]) for answer in wanted]
    got = opened(path).predictor.predict(rows)
    for p, a in zip(got, wanted, strict=True):
        assert json.loads(json.dumps(p.fields)) == a["fields"]
        assert [[s.start, s.end, list(s.names)] for s in p.spans] == a["spans"]
        assert p.shape == a["shape"]
        assert p.confidence == pytest.approx(a["confidence"], abs=1e-4)


def test_every_format_has_a_bundle_of_each_kind():
    made = {tuple(p.stem.removeprefix("format").split("-")) for p in FOLDER.glob("*.wl")}
    kinds = {1: ("linear", "static", "encoder", "joined", "hybrid"), 2: ("crf", "tagger")}
    kinds |= {3: ("guarded",), 4: ("decoder", "writer", "views")}
    assert set(kinds) == set(range(1, FORMAT + 1))
    assert made == {(str(n), kind) for n, every in kinds.items() for kind in every}


def test_labels_are_still_written_in_the_format_that_older_versions_read():
    for path in BUNDLES:
        manifest = opened(path).manifest
        assert manifest.format == 1
        assert b'"steps"' not in manifest.to_bytes()
        assert b'"guard"' not in manifest.to_bytes()


def test_fixtures_stay_small():
    assert all(path.stat().st_size < 50_000 for path in BUNDLES)
    assert all(path.stat().st_size < 250_000 for path in [*OF_LINES, *DECODERS])


def test_a_batch_answers_as_single_rows_do():
    bundle = opened(FOLDER / "format1-static.wl")
    texts = ["failed login on host 1", "backup job finished", ""]
    alone = [bundle.predict([text])[0].scores for text in texts]
    np.testing.assert_allclose(alone, [p.scores for p in bundle.predict(texts)], atol=1e-6)

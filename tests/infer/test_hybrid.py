"""Who is asked what, and what comes of answers that fail; no lever is trained here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.calibrate import Temperature
from whichlever.infer.hybrid import HybridPredictor, doubts
from whichlever.predict import Prediction, Row, Usage

LABELS = ("bad", "odd", "fine")


class Given:
    """Answers by id, and remembers who asked."""

    def __init__(self, answers, used=0):
        self.answers = answers
        self.used = used
        self.asked = []

    def predict(self, rows):
        self.asked += [row.id for row in rows]
        out = []
        for row in rows:
            answer = self.answers[row.id]
            usage = Usage(seconds=0.5, tokens_in=self.used or None, bytes_out=self.used)
            if isinstance(answer, str):
                out.append(Prediction(row.id, None, None, answer, "no", usage))
                continue
            scores = np.array(answer, dtype=np.float32)
            label = LABELS[int(scores.argmax())]
            out.append(Prediction(row.id, label, scores, usage=usage))
        return out


ROWS = [Row(i, i) for i in "abcd"]
FIRST = {"a": [0.9, 0.05, 0.05], "b": [0.5, 0.3, 0.2], "c": [0.1, 0.1, 0.8], "d": [0.3, 0.3, 0.4]}
THEN = {i: [0.0, 1.0, 0.0] for i in "abcd"}


def test_only_the_unsure_rows_are_asked_of_the_second():
    first, then = Given(FIRST), Given(THEN, used=7)
    found = HybridPredictor(first, then, LABELS, threshold=0.45).predict(ROWS)
    assert then.asked == ["b", "d"]
    assert [p.label for p in found] == ["bad", "odd", "fine", "odd"]
    assert [p.usage.seconds for p in found] == [0.5, 1.0, 0.5, 1.0]
    assert [p.usage.tokens_in for p in found] == [None, 7, None, 7]
    assert [p.usage.bytes_out for p in found] == [0, 7, 0, 7]


def test_where_the_second_cannot_answer_the_first_answer_stands():
    then = Given({**THEN, "b": "timeout", "d": "refused"}, used=7)
    found = HybridPredictor(Given(FIRST), then, LABELS, threshold=0.45).predict(ROWS)
    assert [p.label for p in found] == ["bad", "bad", "fine", "fine"]
    assert all(p.status == "ok" for p in found)
    assert found[1].usage.tokens_in == 7, "what was asked in vain is paid for"


def test_a_row_that_the_first_cannot_answer_is_always_handed_over():
    first = Given({**FIRST, "a": "error"})
    found = HybridPredictor(first, Given(THEN), LABELS, threshold=1.0).predict(ROWS)
    assert [p.label for p in found] == ["odd", "bad", "fine", "fine"]
    failed = HybridPredictor(first, Given({**THEN, "a": "error"}), LABELS, 1.0).predict(ROWS)
    assert (failed[0].status, failed[0].label) == ("error", None)


def test_a_person_gets_the_row_without_a_label_and_with_the_scores():
    found = HybridPredictor(Given(FIRST), None, LABELS, threshold=0.45).predict(ROWS)
    assert [p.status for p in found] == ["ok", "handed", "ok", "handed"]
    assert found[1].label is None
    assert found[1].scores == pytest.approx(FIRST["b"])


def test_expected_cost_hands_over_a_sure_answer_whose_mistake_is_dear():
    # 5 % chance of "bad" taken for "fine", at 100 each, is worse than a coin toss at 1 each.
    first = {"a": [0.05, 0.0, 0.95], "b": [0.0, 0.5, 0.5]}
    rows = ROWS[:2]
    costs = np.array([[0, 1, 100], [1, 0, 1], [1, 1, 0]], dtype=float)
    then = Given(THEN)
    HybridPredictor(Given(first), then, LABELS, threshold=2.0, costs=costs).predict(rows)
    assert then.asked == ["a"]
    then = Given(THEN)
    HybridPredictor(Given(first), then, LABELS, threshold=0.2).predict(rows)
    assert then.asked == ["b"]


def test_scores_are_calibrated_before_they_are_judged():
    then = Given(THEN)
    predictor = HybridPredictor(
        Given(FIRST), then, LABELS, threshold=0.45, first_temperature=Temperature(3.0)
    )
    found = predictor.predict(ROWS)
    assert then.asked == ["b", "c", "d"]
    assert found[0].scores == pytest.approx(Temperature(3.0).apply(FIRST["a"]))


def test_no_rows():
    assert HybridPredictor(Given(FIRST), Given(THEN), LABELS, 0.5).predict([]) == []


@settings(deadline=None)
@given(
    st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=20),
    st.floats(0.1, 50),
)
def test_expected_cost_is_doubt_where_every_mistake_costs_the_same(raw, unit):
    scores = np.array(raw) / np.array(raw).sum(axis=1, keepdims=True)
    said = scores.argmax(axis=1)
    same = unit * (1 - np.eye(3))
    assert doubts(scores, said, same) == pytest.approx(unit * doubts(scores, said))
    assert (doubts(scores, said) < 1).all()

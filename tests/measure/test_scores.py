"""Scores against scikit-learn's, on anything hypothesis can think of."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from whichlever.measure.scores import Answers, accuracy, macro_f1, mistake_costs

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=60)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_as_scikit_learn_over_the_classes_that_occur(pairs):
    true, said = (np.array(column) for column in zip(*pairs, strict=True))
    present = np.unique(true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = f1_score(true, said, labels=present, average="macro", zero_division=0)
        recalls = recall_score(true, said, labels=present, average=None, zero_division=0)
        precisions = precision_score(true, said, labels=present, average=None, zero_division=0)
    assert macro_f1(true, said) == pytest.approx(want)
    assert accuracy(true, said) == pytest.approx(accuracy_score(true, said))
    counts = Answers(true, said).count(np.ones((len(true), 1)))
    assert counts.recall()[:, 0] == pytest.approx(recalls)
    assert counts.precision()[:, 0] == pytest.approx(precisions)


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 1000))
def test_weights_are_repeated_rows(pairs, seed):
    true, said = (np.array(column) for column in zip(*pairs, strict=True))
    weights = np.random.default_rng(seed).integers(0, 3, (len(true), 4)).astype(float)
    weights[0] += 1  # no draw is empty
    found = Answers(true, said).metric("macro_f1", weights)
    for draw in range(4):
        times = weights[:, draw].astype(int)
        assert found[draw] == pytest.approx(macro_f1(true.repeat(times), said.repeat(times)))


def test_a_label_outside_the_run_is_always_wrong_and_harms_precision():
    true, said = np.array([0, 1, -1]), np.array([0, 1, 1])
    assert accuracy(true, said) == pytest.approx(2 / 3)
    assert macro_f1(true, said) == pytest.approx((1 + 2 / 3) / 2)
    assert accuracy(np.array([-1]), np.array([-1])) == 0


def test_mistakes_cost_what_the_task_says_and_no_answer_costs_the_worst():
    mistakes = {"critical": {"noise": 200, "investigate": 5}, "noise": {"critical": 0.5}}
    labels = ("critical", "investigate", "noise")
    true = np.array([0, 0, 0, 0, 1, 1, 2, 2, -1])
    said = np.array([0, 1, 2, -1, 2, -1, 0, -1, 1])
    costs = mistake_costs(true, said, labels, mistakes)
    assert costs.tolist() == [0, 5, 200, 200, 1, 1, 0.5, 1, 1]

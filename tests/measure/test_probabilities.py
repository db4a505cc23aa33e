"""Calibration error, Brier score, and recall at fixed false-positive rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.measure.probabilities import (
    FALSE_POSITIVE_RATES,
    AtFalsePositiveRate,
    Confidence,
    recall_at_rates,
)


def test_ece_of_honest_and_of_boastful_probabilities():
    random = np.random.default_rng(0)
    p = random.uniform(0.5, 1, 20_000)
    right = random.random(20_000) < p
    scores = np.column_stack([p, 1 - p])
    targets = np.where(right, 0, 1)
    said = np.zeros(20_000, dtype=int)
    one = np.ones((20_000, 1))
    honest = Confidence.of(scores, targets, said)
    assert honest.ece(one)[0] < 0.015
    assert sum(b.rows for b in honest.bins()) == 20_000
    assert len(honest.bins()) == 15
    sure = Confidence.of(np.column_stack([np.ones(20_000), np.zeros(20_000)]), targets, said)
    assert sure.ece(one)[0] == pytest.approx(1 - right.mean())


def test_equal_confidences_share_a_bin():
    scores = np.tile([0.7, 0.3], (100, 1))
    found = Confidence.of(scores, np.array([0] * 60 + [1] * 40), np.zeros(100, dtype=int))
    assert [(b.rows, round(b.accuracy, 2)) for b in found.bins()] == [(100, 0.6)]
    assert found.ece(np.ones((100, 1)))[0] == pytest.approx(0.1)


def test_brier_is_the_squared_distance_and_unanswered_rows_have_none():
    scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [np.nan] * 3])
    targets = np.array([0, 2, 1])
    found = Confidence.of(scores, targets, np.array([0, 1, -1]))
    want = (0.2**2 + 0.1**2 + 0.1**2 + 0.2**2 + 0.5**2 + 0.7**2) / 2
    assert found.brier(np.ones((3, 1)))[0] == pytest.approx(want)
    assert Confidence.of(np.full((2, 3), np.nan), targets[:2], np.array([-1, -1])) is None


def slow_recall(scores, positive, rate):
    """The definition, over every threshold."""
    best = 0.0
    for threshold in sorted(set(scores[~np.isnan(scores)])):
        above = scores >= threshold
        if np.sum(above & ~positive) <= rate * np.sum(~positive) + 1e-9:
            best = max(best, np.sum(above & positive) / np.sum(positive))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 300))
def test_recall_at_rate_is_its_definition_ties_and_missing_scores_included(seed, n):
    random = np.random.default_rng(seed)
    scores = random.integers(0, 12, n) / 12.0
    scores[random.random(n) < 0.05] = np.nan
    positive = random.random(n) < 0.3
    positive[0], positive[1] = True, False
    found = recall_at_rates(scores, positive)
    for rate in FALSE_POSITIVE_RATES:
        assert found[rate] == pytest.approx(slow_recall(scores, positive, rate))


def test_recall_at_rate_under_weights_is_that_of_repeated_rows():
    random = np.random.default_rng(3)
    scores, positive = random.random(500), random.random(500) < 0.2
    weights = random.integers(0, 4, (500, 5)).astype(float)
    found = AtFalsePositiveRate(scores, positive).recall(weights)
    for draw in range(5):
        times = weights[:, draw].astype(int)
        want = recall_at_rates(scores.repeat(times), positive.repeat(times))
        assert found[:, draw] == pytest.approx(list(want.values()))

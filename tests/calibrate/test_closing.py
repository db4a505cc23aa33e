"""The closing score and the decision on one row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_policy import policy
from whichlever.calibrate import Temperature, confidence_sequence, decide_row
from whichlever.calibrate.closing import CAP, GUARD, NEVER, closing_scores


@given(seed=st.integers(0, 200), value=st.floats(0.2, 8))
@settings(max_examples=60, deadline=None)
def test_temperature_changes_neither_the_order_nor_what_is_closed(seed, value):
    rng = np.random.default_rng(seed)
    raw = rng.dirichlet([0.4, 0.6, 1.0], 60).astype(np.float32)
    scaled = Temperature(value).apply(raw)
    said = raw.argmax(axis=1)
    before = closing_scores(raw, said, 2, [0])
    after = closing_scores(scaled, said, 2, [0], temperature=value)
    assert np.allclose(np.clip(before, -1e9, 8), np.clip(after, -1e9, 8), atol=GUARD / 2)


def test_other_answers_and_missing_scores_are_never_closed():
    scores = np.array([[0.01, 0.0, 0.99], [0.01, 0.0, 0.99], [np.nan] * 3, [0.0, 0.0, 1.0]])
    assert closing_scores(scores, [2, 0, 2, 2], 2, [1])[0] == CAP
    both = closing_scores(scores, [2, 0, 2, 2], 2, [0, 1])
    assert both[0] == pytest.approx(math.log(99))  # the likeliest of the protected ones counts
    found = closing_scores(scores, [2, 0, 2, 2], 2, [0])
    assert found[0] == pytest.approx(math.log(99))
    assert found[1] == found[2] == NEVER
    assert found[3] == CAP


def told(given_policy, critical, label="noise", ident="a", **more):
    scores = {"critical": critical, "investigate": 0.0, "noise": 1 - critical}
    return decide_row(given_policy, ident, label, scores, **more)


def test_a_row_is_closed_only_above_the_threshold():
    assert told(policy(), 0.009).closed
    assert not told(policy(), 0.01).closed  # equal odds stay open
    assert not told(policy(), 0.2).closed
    assert not told(policy(), 0.001, label="critical").closed
    assert not told(policy(), 0.001, abstain=True).closed


@pytest.mark.parametrize(
    "scores",
    [
        {"critical": 0.5, "noise": 0.5},
        {"critical": 0.5, "investigate": 0.0, "noise": 0.4},
        {"critical": -0.1, "investigate": 0.1, "noise": 1.0},
        {"critical": True, "investigate": 0.0, "noise": 0.0},
        {"critical": "0", "investigate": 0.0, "noise": 1.0},
        {"critical": float("nan"), "investigate": 0.0, "noise": 1.0},
    ],
)
def test_scores_that_are_no_probabilities_are_refused(scores):
    with pytest.raises(ValueError, match=r"score|labels"):
        decide_row(policy(), "a", "noise", scores)


def test_the_draw_for_review_is_steady_fair_and_hangs_on_the_salt():
    one, other = policy(), policy(salt="cd" * 32)
    ids = [f"alert-{i}" for i in range(40_000)]
    drawn = [one.sampled(i) for i in ids]
    assert drawn == [one.sampled(i) for i in ids]
    assert abs(np.mean(drawn) - 0.05) < 4 * (0.05 * 0.95 / len(ids)) ** 0.5
    both = np.mean([a and other.sampled(i) for a, i in zip(drawn, ids, strict=True)])
    assert both < 0.005
    assert not any(policy(review=0.0).sampled(i) for i in ids[:100])
    assert all(policy(review=1.0).sampled(i) for i in ids[:100])


def test_the_sequence_is_an_interval_around_the_share_and_wider_than_one_look():
    low, high = confidence_sequence(30, 1000)
    assert 0 < low < 0.03 < high < 0.06
    assert confidence_sequence(0, 0) == (0.0, 1.0)
    assert confidence_sequence(0, 500)[0] == 0.0
    assert confidence_sequence(5, 5)[1] == 1.0
    with pytest.raises(ValueError, match="6 hits"):
        confidence_sequence(6, 5)

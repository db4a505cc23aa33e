"""Crossings: where a noisy difference that grows with the labels becomes positive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.measure.curve_crossing import crossing, isotonic

LABELS = np.array([100.0, 1_000.0, 10_000.0])

rows = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8)


@settings(deadline=None)
@given(rows)
def test_isotonic_is_the_least_squares_never_falling_fit(values):
    from sklearn.isotonic import isotonic_regression

    found = isotonic(np.array([values]))[0]
    assert np.allclose(found, isotonic_regression(values), atol=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1, width=16), min_size=3, max_size=3), st.integers(0, 99))
def test_the_count_lies_within_what_was_tried_and_within_its_interval(difference, seed):
    noise = np.random.default_rng(seed).normal(0, 0.1, (50, 3))
    found = crossing(LABELS, np.array(difference), np.array(difference) + noise)
    for count in (found.at, found.low, found.high):
        assert count is None or LABELS[0] <= count <= LABELS[-1]
    assert (found.at is not None) == (found.outcome == "crosses")
    if found.at is not None:
        assert found.from_smallest or found.low <= found.at
        assert found.high is None or found.at <= found.high


def test_a_straight_line_on_a_log_axis_is_met_where_it_is():
    difference = np.array([-0.1, 0.1, 0.3])
    found = crossing(LABELS, difference, difference + np.zeros((10, 1)))
    assert found.at == pytest.approx(np.sqrt(100 * 1_000))
    assert found.low == pytest.approx(found.at)
    assert found.high == pytest.approx(found.at)


def test_never_and_already_are_answers():
    noise = np.random.default_rng(0).normal(0, 0.01, (200, 1))
    never = crossing(LABELS, np.array([-0.3, -0.2, -0.1]), np.array([-0.3, -0.2, -0.1]) + noise)
    assert (never.outcome, never.low, never.high, never.from_smallest) == (
        "behind", None, None, False,
    )  # fmt: skip
    already = crossing(LABELS, np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, 0.3]) + noise)
    assert (already.outcome, already.at, already.from_smallest) == ("ahead", None, True)
    assert already.ahead == 1.0


def test_the_interval_holds_the_true_crossing_as_often_as_it_says():
    random = np.random.default_rng(1)
    truth, held = np.array([-0.08, 0.02, 0.12]), 0
    at = np.exp(np.interp(0, truth, np.log(LABELS)))
    for _ in range(400):
        seen = truth + random.normal(0, 0.03, 3)
        found = crossing(LABELS, seen, seen + random.normal(0, 0.03, (400, 3)))
        low = 0.0 if found.low is None and found.from_smallest else found.low or np.inf
        held += low <= at <= (np.inf if found.high is None else found.high)
    assert held / 400 >= 0.92

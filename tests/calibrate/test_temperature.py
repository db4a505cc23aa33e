"""Temperature scaling and exact bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from whichlever.calibrate import (
    Temperature,
    clopper_pearson,
    negative_log_likelihood,
    rows_for_share,
)


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def sampled(seed, sureness, rows=400, classes=4):
    """Scores that are ``sureness`` times too sure of targets really drawn from the plain ones."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (rows, classes))
    true = softmax(logits)
    targets = np.array([random.choice(classes, p=p) for p in true])
    return softmax(logits * sureness).astype(np.float32), targets


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), sureness=st.floats(0.2, 5.0))
def test_never_worse_and_never_another_label(seed, sureness):
    scores, targets = sampled(seed, sureness, rows=120)
    fitted = Temperature.fit(scores, targets)
    after = fitted.apply(scores)
    assert (
        negative_log_likelihood(after, targets) <= negative_log_likelihood(scores, targets) + 1e-6
    )
    assert np.allclose(after.sum(axis=1), 1, atol=1e-5)
    top = scores.max(axis=1)
    assert np.all(scores[np.arange(len(scores)), after.argmax(axis=1)] >= top - 1e-6)


def test_overconfidence_is_found():
    scores, targets = sampled(1, 3.0, rows=2000)
    assert Temperature.fit(scores, targets).value == pytest.approx(3.0, rel=0.15)


def test_rows_without_scores_or_known_label_are_left_out():
    scores, targets = sampled(2, 2.0)
    more = np.vstack([scores, np.full((2, 4), np.nan, dtype=np.float32), scores[:1]])
    known = np.concatenate([targets, [0, 1, -1]])
    fitted = Temperature.fit(more, known)
    assert fitted.value == pytest.approx(Temperature.fit(scores, targets).value)
    after = fitted.apply(more)
    assert np.isnan(after[-3:-1]).all()
    assert after.dtype == np.float32


def test_nothing_to_fit_changes_nothing():
    fitted = Temperature.fit(np.empty((0, 3)), np.empty(0, dtype=int))
    assert fitted.value == 1.0
    assert np.allclose(fitted.apply([[0.2, 0.3, 0.5]]), [[0.2, 0.3, 0.5]])


def test_probabilities_of_zero_and_one_stay_finite():
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    fitted = Temperature.fit(scores, [0, 1, 1])
    assert np.isfinite(fitted.apply(scores)).all()
    assert fitted.value > 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_is_scipys(counts):
    hits, rows = counts
    want = binomtest(hits, rows).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits, rows) == pytest.approx((want.low, want.high), abs=1e-9)


def test_rows_that_a_promise_takes():
    assert rows_for_share(0.99) == 299
    assert rows_for_share(0.95) == 59
    with pytest.raises(ValueError, match="no number of rows"):
        rows_for_share(1.0)

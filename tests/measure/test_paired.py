"""Paired tests: exact where they can be, uniform under the null, Holm over the family."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest

from make_outcome import answers
from whichlever.measure.paired import attainable_p, holm, mcnemar, randomisation_p
from whichlever.measure.scores import Answers, accuracy, macro_f1

METRICS = {"macro_f1": macro_f1, "accuracy": accuracy}


def by_hand(true, a, b, metric, units):
    """Every swap of whole units, the metric worked out anew each time."""
    score = METRICS[metric]
    observed = abs(score(true, a) - score(true, b))
    names = sorted(set(units))
    extreme = 0
    for swaps in product((False, True), repeat=len(names)):
        swap = np.isin(units, [n for n, s in zip(names, swaps, strict=True) if s])
        first, second = np.where(swap, b, a), np.where(swap, a, b)
        extreme += abs(score(true, first) - score(true, second)) >= observed - 1e-12
    return extreme / 2 ** len(names)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    groups=st.integers(1, 6),
    metric=st.sampled_from(sorted(METRICS)),
)
def test_exact_with_few_groups(seed, groups, metric):
    random = np.random.default_rng(seed)
    true, units = random.integers(0, 4, 40), random.integers(0, groups, 40)
    a, b = (answers(random, true, q, classes=4) for q in (0.7, 0.4))
    found = randomisation_p(Answers(true, a), Answers(true, b), metric, units)
    assert found == pytest.approx(by_hand(true, a, b, metric, units))
    assert found >= attainable_p(groups) - 1e-12


def test_five_scenarios_cannot_go_below_one_in_sixteen():
    true, units = np.zeros(50, dtype=int), np.repeat(np.arange(5), 10)
    always, never = Answers(true, true), Answers(true, true + 1)
    assert randomisation_p(always, never, "accuracy", units) == attainable_p(5) == 0.0625
    assert attainable_p(6) < 0.05
    assert attainable_p(10_000) == pytest.approx(1 / 5001)


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_random_swaps_agree_with_swapping_row_by_row(metric):
    """The shortcuts (rows alike, classes untouched) give the distribution they stand for."""
    random = np.random.default_rng(5)
    true = random.integers(0, 6, 120)
    a, b = answers(random, true, 0.55, 6), answers(random, true, 0.47, 6)
    found = randomisation_p(Answers(true, a), Answers(true, b), metric)
    score = METRICS[metric]
    observed, extreme = abs(score(true, a) - score(true, b)), 0
    for _ in range(500):
        swap = random.random(120) < 0.5
        one, two = np.where(swap, b, a), np.where(swap, a, b)
        extreme += abs(score(true, one) - score(true, two)) >= observed - 1e-12
    assert found == pytest.approx(extreme / 500, abs=0.06)


def test_uniform_under_the_null():
    random = np.random.default_rng(7)
    found = []
    for _ in range(100):
        true = random.integers(0, 3, 120)
        a, b = answers(random, true, 0.6), answers(random, true, 0.6)
        found.append(randomisation_p(Answers(true, a), Answers(true, b), "macro_f1", seed=1))
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.05) <= 0.10


def test_levers_that_answer_alike_are_not_told_apart():
    same = Answers(np.array([0, 1, 2]), np.array([0, 1, 1]))
    assert randomisation_p(same, same, "macro_f1") == 1.0
    assert mcnemar(same, same) == 1.0


def test_mcnemar_is_the_binomial_test_of_discordant_rows():
    true = np.zeros(30, dtype=int)
    a, b = true.copy(), true.copy()
    a[:3], b[3:15] = 1, 1
    found = mcnemar(Answers(true, a), Answers(true, b))
    assert found == pytest.approx(binomtest(12, 15).pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_order_and_only_raises(ps):
    found = holm(ps)
    assert all(f >= p - 1e-12 for f, p in zip(found, ps, strict=True))
    assert all(f <= 1 for f in found)
    order = np.argsort(ps, kind="stable")
    assert np.all(np.diff(np.array(found)[order]) >= 0)
    assert found[order[0]] == pytest.approx(min(1, len(ps) * ps[order[0]]))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

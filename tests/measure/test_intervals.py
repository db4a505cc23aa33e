"""Intervals hold what they say, with groups and at the edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from whichlever.measure.draws import Draws
from whichlever.measure.intervals import basic, centre, centred, percentile, share, student
from whichlever.measure.jackknife import delete_one, standard_error
from whichlever.measure.scores import Answers


def coverage(make, truth, runs):
    held = 0
    for run in range(runs):
        interval = make(np.random.default_rng([9, run]), run)
        held += interval.low <= truth <= interval.high
    return held / runs


def test_bootstrap_of_macro_f1_covers():
    """Three classes; the truth is that of a million rows."""

    def rows(random, n):
        true = random.choice(3, n, p=[0.2, 0.3, 0.5])
        wrong = random.integers(0, 3, n)
        return true, np.where(random.random(n) < 0.6, true, wrong)

    big = Answers(*rows(np.random.default_rng(0), 1_000_000))
    truth = big.metric("macro_f1", np.ones((1_000_000, 1)))[0]

    def make(random, run):
        answers = Answers(*rows(random, 200))
        draws = Draws.over(200, None, draws=400, seed=run)
        drawn = np.concatenate([answers.metric("macro_f1", w) for w in draws.chunks()])
        return centred(answers.metric("macro_f1", np.ones((200, 1)))[0], drawn)

    assert coverage(make, truth, 250) >= 0.91


def test_macro_f1_of_a_long_tail_covers():
    """A hundred classes, most with a row or two: the truth is the mean over test sets."""
    chances = 1 / np.arange(1, 101) ** 1.2
    chances /= chances.sum()

    def figures(random):
        true = random.choice(100, 200, p=chances)
        wrong = random.choice(100, 200, p=chances)
        said = [np.where(random.random(200) < q, true, wrong) for q in (0.7, 0.6)]
        return [Answers(true, s) for s in said]

    def score(answers):
        return answers.metric("macro_f1", np.ones((200, 1)))[0]

    random = np.random.default_rng(0)
    many = np.array([[score(a) for a in figures(random)] for _ in range(600)])
    means = many.mean(axis=0)
    held = np.zeros(2)
    runs = 150
    for run in range(runs):
        a, b = figures(np.random.default_rng([8, run]))
        weights = np.concatenate(list(Draws.over(200, None, draws=300, seed=run).chunks()), axis=1)
        one, two = a.metric("macro_f1", weights), b.metric("macro_f1", weights)
        left = [delete_one(side, "macro_f1", np.arange(200)) for side in (a, b)]
        alone = centred(score(a), one, standard_error(left[0]))
        assert alone.low < alone.value < alone.high
        gap = score(a) - score(b)
        both = percentile(gap, centre(gap, one - two, standard_error(left[0] - left[1])))
        held += [
            alone.low <= means[0] <= alone.high,
            both.low <= means[0] - means[1] <= both.high,
        ]
    assert np.all(held / runs >= 0.91)


def test_rows_in_groups_need_the_group_bootstrap():
    """Forty groups of ten rows that are right or wrong together for the most part."""

    def make(random, run):
        level = random.beta(2, 1, 40).repeat(10)
        right = (random.random(400) < level).astype(int)
        answers = Answers(np.ones(400, dtype=int), right)
        groups = [f"g{i // 10}" for i in range(400)]
        draws = Draws.over(400, groups, draws=400, seed=run)
        drawn = np.concatenate([answers.accuracy(w) for w in draws.chunks()])
        return share(float(right.sum()), 400, 40, drawn)

    assert coverage(make, 2 / 3, 250) >= 0.92


def test_six_groups_need_student():
    """Six groups of forty rows: the normal quantiles would hold in nine runs of ten."""
    held = np.zeros(2)
    for run in range(200):
        random = np.random.default_rng([3, run])
        right = (random.random(240) < random.beta(6, 3, 6).repeat(40)).astype(float)
        groups = np.arange(240) // 40
        weights = np.concatenate(list(Draws(groups, 6, 300, run).chunks()), axis=1)
        draws, means = right @ weights / weights.sum(axis=0), right.reshape(6, 40).mean(axis=1)
        exact = share(right.sum(), 240, 6, draws)
        error = standard_error((means.sum() - means) / 5)
        score = centred(right.mean(), draws, error, units=6)
        held += [exact.low <= 2 / 3 <= exact.high, score.low <= 2 / 3 <= score.high]
    assert np.all(held / 200 >= 0.93)


def test_one_group_shows_no_spread():
    assert student(6) == pytest.approx(2.571 / 1.960, rel=1e-3)
    assert student(2_000) == pytest.approx(1, abs=1e-3)
    assert centred(0.8, np.full(50, 0.8), units=1).low is None
    alone = share(80, 100, 1, np.full(50, 0.8))
    assert (alone.low, alone.high) == (0, 1)


def test_all_right_is_not_certainty():
    rows = share(23, 23, None, None)
    assert rows.value == 1
    assert rows.low == pytest.approx(0.8518, abs=1e-3)
    two_scenarios = share(23, 23, 2, np.ones(100))
    assert two_scenarios.low < 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_independent_shares_are_clopper_pearson(counts):
    hits, rows = counts
    want = binomtest(hits, rows).proportion_ci(0.95, method="exact")
    found = share(hits, rows, None, None)
    assert (found.low, found.high) == pytest.approx((want.low, want.high), abs=1e-9)


def test_the_same_seed_gives_the_same_draws_however_they_are_cut(monkeypatch):
    whole = np.concatenate(list(Draws.over(50, None, 40, 3).chunks()), axis=1)
    again = np.concatenate(list(Draws.over(50, None, 40, 3).chunks()), axis=1)
    assert np.array_equal(whole, again)
    assert np.all(whole.sum(axis=0) == 50)
    monkeypatch.setattr("whichlever.measure.draws.CHUNK_CELLS", 500)
    cut = np.concatenate(list(Draws.over(50, None, 40, 3).chunks()), axis=1)
    assert np.array_equal(whole, cut)
    assert not np.array_equal(whole, np.concatenate(list(Draws.over(50, None, 40, 4).chunks()), 1))


def test_whole_groups_are_drawn():
    groups = ["a", "a", "b", "c", "c", "c"]
    weights = next(Draws.over(6, groups, 50, 0).chunks())
    assert np.all(weights[0] == weights[1])
    assert np.all(weights[3] == weights[5])
    assert np.all(weights[[0, 2, 3]].sum(axis=0) == 3)


def test_basic_interval_stays_around_its_value_and_above_zero():
    found = basic(0.02, np.linspace(0.03, 0.06, 100))
    assert found.low == 0
    assert found.high == 0.02


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["macro_f1", "accuracy"]))
def test_delete_one_is_leaving_each_group_out(seed, metric):
    random = np.random.default_rng(seed)
    true, said, units = (random.integers(0, k, 40) for k in (5, 5, 8))
    found = delete_one(Answers(true, said), metric, units)
    for value, unit in zip(found, np.unique(units), strict=True):
        kept = Answers(true[units != unit], said[units != unit])
        assert value == pytest.approx(kept.metric(metric, np.ones((len(kept), 1)))[0])

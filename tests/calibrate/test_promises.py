"""Promises: what is chosen, what is refused, and that they hold in simulated worlds."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr

from whichlever.calibrate.promises import (
    Stratum,
    allowed,
    expected_bound,
    p_value,
    promised_threshold,
    units_needed,
    upper_bound,
)

BENCH = Path(__file__).resolve().parents[2] / "bench" / "autoclose_coverage.py"
LOWEST = -1.0


def bench():
    spec = importlib.util.spec_from_file_location("autoclose_coverage", BENCH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


COVERAGE = bench()


def chosen(strata, kind="high confidence", at_most=0.01, confidence=0.95):
    found = promised_threshold(strata, kind, at_most, confidence, LOWEST)
    return None if found is None else found.value


def test_one_percent_at_95_takes_299_rows_and_99_in_expectation():
    scores = np.random.default_rng(0).random(400)
    assert units_needed("high confidence", 0.01, 0.95) == 299
    assert units_needed("expected loss", 0.01, 0.95) == 99
    assert chosen([Stratum.of_rows("c", scores[:298])]) is None
    assert chosen([Stratum.of_rows("c", scores[:299])]) == scores[:299].max()
    assert chosen([Stratum.of_rows("c", scores[:98])], "expected loss") is None
    assert chosen([Stratum.of_rows("c", scores[:99])], "expected loss") == scores[:99].max()
    assert chosen([Stratum.of_rows("c", [])]) is None


def test_what_may_be_missed_grows_with_the_rows():
    rows = [298, 299, 472, 473, 628, 773]
    assert [allowed("high confidence", n, 0.01, 0.95) for n in rows] == [-1, 0, 0, 1, 2, 3]
    assert [allowed("expected loss", n, 0.01, 0.95) for n in (98, 99, 198, 199)] == [-1, 0, 0, 1]


@given(
    n=st.integers(1, 700), seed=st.integers(0, 99), ties=st.sampled_from([0, 3, 50]),
    at_most=st.sampled_from([0.01, 0.05, 0.2]),
    kind=st.sampled_from(["high confidence", "expected loss"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_threshold_is_the_lowest_one_that_keeps_the_promise(n, seed, ties, at_most, kind):
    scores = np.random.default_rng(seed).random(n)
    scores = np.round(scores * ties) / ties if ties else scores
    stratum = Stratum.of_rows("c", scores)
    value = chosen([stratum], kind, at_most)
    most = allowed(kind, n, at_most, 0.95)
    if most < 0:
        assert value is None
        return
    assert (scores > value).sum() <= most
    lower = scores[scores < value]
    below = LOWEST if not len(lower) else lower.max()
    assert value == LOWEST or (scores > below).sum() > most


def test_ties_at_the_threshold_stay_open():
    scores = np.concatenate([np.zeros(290), np.full(20, 0.9)])
    assert chosen([Stratum.of_rows("c", scores)]) == 0.9


def test_the_strictest_of_several_strata_is_taken_and_named():
    a = Stratum.of_rows("a", np.linspace(0, 0.5, 300))
    b = Stratum.of_rows("b", np.linspace(0, 0.7, 300), group="north")
    found = promised_threshold([a, b], "high confidence", 0.01, 0.95, LOWEST)
    assert (found.value, found.binding) == (0.7, "b in north")
    short = Stratum.of_rows("c", [0.1])
    assert promised_threshold([a, b, short], "high confidence", 0.01, 0.95, LOWEST) is None


def test_a_group_counts_once_however_many_rows_it_has():
    groups = [g for g in range(299) for _ in range(10)]
    scores = np.zeros(2990)
    assert chosen([Stratum.of_groups("c", scores, groups)]) == 0.0
    assert chosen([Stratum.of_groups("c", scores[:2980], groups[:2980])]) is None
    assert Stratum.of_groups("c", [0.5, 0.1, 0.9], ["x", "x", "y"]).loss(0.2) == 1.5


@given(
    loss=st.floats(0, 30), units=st.integers(30, 900), at_most=st.sampled_from([0.01, 0.05, 0.2])
)
@settings(max_examples=60, deadline=None)
def test_a_bound_is_where_the_p_value_crosses(loss, units, at_most):
    for grouped in (False, True):
        bound = upper_bound(loss, units, 0.95, grouped)
        assert bound >= np.floor(loss + 1e-9) / units if not grouped else bound >= loss / units
        p = float(p_value(loss, units, at_most, grouped))
        if abs(p - 0.05) > 1e-6:
            assert (p <= 0.05) == (bound <= at_most)


def test_hoeffding_bentkus_is_valid_for_coins_too():
    counts = np.arange(40)
    grouped, exact = p_value(counts, 400, 0.05, True), bdtr(counts, 400, 0.05)
    assert (grouped >= exact - 1e-12).all()
    assert (np.diff(grouped) >= 0).all()
    assert p_value(0, 299, 0.01, True) == pytest.approx(0.99**299)


def test_expected_bound_is_one_more_closed_in_one_more_row():
    assert expected_bound(0, 99) == 0.01


@pytest.mark.parametrize("world", COVERAGE.WORLDS, ids=lambda w: w.name)
def test_the_high_confidence_promise_holds_in_95_of_100_draws(world):
    found = COVERAGE.cover(world, "high confidence", 1000)
    assert found.made == 1
    assert found.kept >= 0.95 - 0.014  # two standard errors of a share of 1,000 draws


def test_over_all_worlds_together_it_holds_outright():
    kept = [COVERAGE.cover(w, "high confidence", 250, seed=1).kept for w in COVERAGE.WORLDS]
    assert np.mean(kept) >= 0.95


@pytest.mark.parametrize("world", [COVERAGE.WORLDS[i] for i in (0, 2, 5, 8)], ids=lambda w: w.name)
def test_the_expected_loss_promise_holds_on_average_and_not_in_most_draws(world):
    found = COVERAGE.cover(world, "expected loss", 1000)
    assert found.mean_risk <= 0.01 + 3 * found.mean_risk_error
    assert found.kept < 0.95  # it is another promise, and must not be sold as the first


def test_rows_of_groups_fail_together_and_only_the_promise_by_group_holds():
    by_rows, by_group, _, few_rows, few_groups = (
        COVERAGE.cover(w, "high confidence", 300) for w in COVERAGE.CLUSTERED
    )
    assert by_rows.kept < 0.9
    assert few_rows.kept < 0.7
    assert by_group.kept >= 0.95
    assert few_groups.made == 0  # refused: 30 groups cannot show it


def test_the_review_trips_falsely_in_few_runs_and_truly_in_most():
    kept, broken = (COVERAGE.trips(p, 0.002, 3000, 500) for p in (0.002, 0.02))
    assert kept.tripped <= 0.025 + 0.014
    assert broken.tripped > 0.99
    assert broken.median_rows < 1500

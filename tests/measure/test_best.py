"""Multiple comparisons with the best: the true best is kept, the margin means what it says."""

from itertools import combinations

import numpy as np
import pytest

from whichlever.measure.best import Contrast, upper_bounds
from whichlever.measure.power import least_error, rows_needed

ROWS, DRAWS = 200, 250


def bounds_of(random, right):
    """MCB of accuracies, by the same steps as `compare_pairs`; right is (levers, rows)."""
    n = right.shape[1]
    weights = random.multinomial(n, np.full(n, 1 / n), size=DRAWS)
    drawn = right @ weights.T / n
    names = [f"l{i}" for i in range(len(right))]
    contrasts = {}
    for i, j in combinations(range(len(right)), 2):
        draws = drawn[i] - drawn[j]
        least = least_error(int(np.sum(right[i] != right[j])), n)
        contrasts[names[i], names[j]] = Contrast(
            names[i], names[j], float((right[i] - right[j]).mean()), draws,
            max(float(draws.std()), least),
        )  # fmt: skip
    return upper_bounds(names, contrasts)[0]


@pytest.mark.parametrize("accuracies", [(0.8, 0.8, 0.8, 0.8), (0.8, 0.78, 0.75, 0.5)])
def test_all_bounds_hold_together_in_ninety_five_of_a_hundred_runs(accuracies):
    random = np.random.default_rng(11)
    held = 0
    runs = 200
    for _ in range(runs):
        # Levers share the rows' difficulty, so that their answers are correlated.
        hard = random.random(ROWS)
        right = np.array(
            [(0.5 * hard + 0.5 * random.random(ROWS)) < triangular(q) for q in accuracies], float
        )
        bounds = bounds_of(random, right)
        names = [f"l{i}" for i in range(len(accuracies))]
        held += all(
            max(accuracies[j] - accuracies[i] for j in range(len(names)) if j != i)
            <= max(0.0, *(bounds[names[j], names[i]] for j in range(len(names)) if j != i))
            for i in range(len(names))
        )
    assert held / runs >= 0.92  # .95 less two standard errors of 200 runs


def triangular(q):
    """The q quantile of the mean of two uniform numbers."""
    return np.sqrt(q / 2) if q <= 0.5 else 1 - np.sqrt((1 - q) / 2)


def test_a_clear_best_is_ahead_of_all():
    random = np.random.default_rng(1)
    right = np.array([random.random(1000) < q for q in (0.9, 0.6, 0.5)], float)
    bounds = bounds_of(random, right)
    assert bounds["l1", "l0"] < 0
    assert bounds["l2", "l0"] < 0
    assert bounds["l0", "l1"] > 0.3


def test_ten_rows_that_agree_do_not_show_two_levers_equal():
    same = np.ones((2, 10))
    bounds = bounds_of(np.random.default_rng(0), same)
    assert bounds["l0", "l1"] > 0.1
    many = bounds_of(np.random.default_rng(0), np.ones((2, 1000)))
    assert many["l0", "l1"] < 0.01


def test_rows_needed_for_a_declared_margin():
    # Discordance .10 (b + c), equal levers: n = (1.645 + .8416)² · .10 / .02².
    error = (0.10 / 500) ** 0.5
    assert rows_needed(500, error, 0.02) == pytest.approx(1546, abs=2)
    # It is about variance and margin only: twice the rows measured, the same answer.
    assert rows_needed(1000, error / 2**0.5, 0.02) == pytest.approx(1546, abs=2)
    # A design effect of 4 takes four times the rows.
    assert rows_needed(500, 2 * error, 0.02) == pytest.approx(4 * 1546, rel=0.01)


def test_that_many_rows_do_show_it_four_times_in_five():
    random = np.random.default_rng(3)
    margin, discordance = 0.05, 0.2
    n = rows_needed(100, (discordance / 100) ** 0.5, margin)
    shown = 0
    for _ in range(2000):
        difference = random.choice([-1, 0, 1], n, p=[0.1, 0.8, 0.1])
        upper = difference.mean() + 1.645 * difference.std() / n**0.5
        shown += upper <= margin
    assert shown / 2000 == pytest.approx(0.80, abs=0.04)


def test_few_groups_widen_the_bound_and_one_bounds_nothing():
    draws = np.random.default_rng(2).normal(0.1, 0.02, DRAWS)
    many, six, one = (
        upper_bounds(["a", "b"], {("a", "b"): Contrast("a", "b", 0.1, draws, 0.02, units)})[0]
        for units in (None, 6, 1)
    )
    # t of five degrees of freedom, .95: 2.015 for 1.645.
    assert (six["a", "b"] - 0.1) / (many["a", "b"] - 0.1) == pytest.approx(2.015 / 1.645, rel=1e-3)
    assert one["b", "a"] == 1


def test_an_error_larger_than_the_draws_spread_widens_the_bound_in_full():
    draws = np.random.default_rng(2).normal(0, 0.02, (3, DRAWS))
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    small, large = (
        upper_bounds(
            "abc", {p: Contrast(*p, 0.0, d, error) for p, d in zip(pairs, draws, strict=True)}
        )[0]
        for error in (0.02, 0.04)
    )
    assert large["a", "b"] == pytest.approx(2 * small["a", "b"])

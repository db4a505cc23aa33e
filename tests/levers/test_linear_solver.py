"""One-vs-rest support vector machines for many classes at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from whichlever.levers import linear_solver
from whichlever.levers.linear_fit import Candidate, fit_weights, row_weights
from whichlever.levers.linear_solver import solve


def problem(seed: int = 0, n: int = 250, columns: int = 40, classes: int = 12):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    dense = rng.random((n, columns)) * (rng.random((n, columns)) < 0.15)
    dense[np.arange(n), targets] += 2 * rng.random(n)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-9)
    return sparse.csr_matrix(dense.astype(np.float32)), targets


def objective(rows, targets, weights, c, factor):
    margins = rows @ weights.coef + weights.intercept
    signs = -np.ones_like(margins)
    signs[np.arange(len(targets)), targets] = 1
    loss = (np.maximum(0, 1 - signs * margins) ** 2 * factor[:, None]).sum()
    length = (weights.coef**2).sum() + (weights.intercept**2).sum()
    return 0.5 * length + c * loss


@pytest.mark.parametrize("c", [0.1, 3.0])
def test_solves_the_problem_that_liblinear_solves(
    c: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.svm import LinearSVC

    rows, targets = problem()
    factor = np.where(targets < 3, 2.0, 1.0).astype(np.float32)
    monkeypatch.setattr(linear_solver, "SMALLEST", 0.0)
    monkeypatch.setattr(linear_solver, "TOLERANCE", 1e-4)
    ours = solve(rows, targets, 12, c, row_weights=factor, epochs=200)
    theirs = LinearSVC(C=c, tol=1e-6, max_iter=100_000, dual=True, random_state=0)
    theirs.fit(rows, targets, sample_weight=factor)
    np.testing.assert_allclose(ours.coef, theirs.coef_.T, atol=0.02)
    least = objective(
        rows, targets, linear_solver.Weights(theirs.coef_.T, theirs.intercept_), c, factor
    )
    assert objective(rows, targets, ours, c, factor) <= least * 1.001


def test_the_fast_settings_stop_close_to_the_optimum() -> None:
    rows, targets = problem(1)
    factor = np.ones(len(targets), dtype=np.float32)
    fast = objective(rows, targets, solve(rows, targets, 12, 1.0), 1.0, factor)
    best = objective(rows, targets, solve(rows, targets, 12, 1.0, epochs=200), 1.0, factor)
    assert fast <= best * 1.02


def test_equal_seed_equal_weights() -> None:
    rows, targets = problem(2)
    a, b, other = (solve(rows, targets, 12, 1.0, seed=s) for s in (5, 5, 6))
    assert (a.coef == b.coef).all()
    assert (a.coef != other.coef).any()


@pytest.mark.parametrize("family", ["svm", "logistic"])
@pytest.mark.parametrize("classes", [1, 2, 3, 12])
def test_any_number_of_classes(classes: int, family: str) -> None:
    rows, targets = problem(3, classes=classes)
    candidate = Candidate("all", 1.0, family=family)  # type: ignore[arg-type]
    weights = fit_weights(rows, targets, classes, candidate, 0)
    assert weights.coef.shape == (40, classes)
    assert weights.coef.dtype == np.float32
    said = (rows @ weights.coef + weights.intercept).argmax(axis=1)
    assert (said == targets).mean() > 0.85


def test_row_weights() -> None:
    targets = np.array([0] * 98 + [1, 2])
    plain = row_weights(targets, Candidate("all", 1.0))
    assert (plain == 1).all()
    balanced = row_weights(targets, Candidate("all", 1.0, class_weight="balanced"))
    assert balanced[0] == pytest.approx(100 / (3 * 98))
    assert balanced[98] == 20  # a class of one row does not outweigh all others
    old = row_weights(targets, Candidate("all", 1.0, half_life=50))
    assert old[-1] == 1
    assert old[-51] == pytest.approx(0.5)

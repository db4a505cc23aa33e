"""Fitting one candidate of the linear lever: which solver, which row weights, at what cost."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.infer.linear import Weights
from whichlever.levers.linear_solver import EPOCHS, solve

Ints = npt.NDArray[np.int64]

FEW_CLASSES = 8
"""Up to here liblinear fits class after class; above, `linear_solver` fits all at once."""

LBFGS_PASSES = 200
LBFGS_BYTES = 400_000_000
"""Logistic regression is not tried where its optimiser alone would need more than this."""


@dataclass(frozen=True)
class Candidate:
    """Settings of one fit.

    ``window`` is a number of newest training rows, or "all"; ``half_life`` is in rows: a row that
    many rows older counts half (None: all count alike).
    """

    window: int | Literal["all"]
    c: float
    family: Literal["svm", "logistic"] = "svm"
    chars: bool = False
    class_weight: Literal["balanced"] | None = None
    half_life: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)


def row_weights(targets: Ints, candidate: Candidate) -> npt.NDArray[np.float32]:
    """Weight of each row's loss, shape (n,); rows stand oldest first.

    "balanced" is n / (classes · rows of the class), as scikit-learn has it, at most 20 so that a
    class of one row does not outweigh all others.
    """
    weights = np.ones(len(targets), dtype=np.float32)
    if candidate.class_weight == "balanced":
        counts = np.bincount(targets)
        weights *= np.minimum(len(targets) / ((counts > 0).sum() * counts[targets]), 20.0)
    if candidate.half_life is not None:
        age = np.arange(len(targets))[::-1]
        weights *= 0.5 ** (age / candidate.half_life)
    return weights


def fit_weights(
    rows: Any,  # noqa: ANN401 - a scipy.sparse.csr_matrix
    targets: Ints,
    classes: int,
    candidate: Candidate,
    seed: int,
) -> Weights:
    """Fit one candidate.

    Parameters
    ----------
    rows
        Features, float32, shape (n, columns), oldest first.
    targets
        Class of each row, every class from 0 to ``classes - 1`` at least once.
    """
    if classes == 1 or rows.shape[1] == 0:
        share = np.bincount(targets, minlength=classes) / len(targets)
        return Weights(
            np.zeros((rows.shape[1], classes), dtype=np.float32), share.astype(np.float32)
        )
    weights = row_weights(targets, candidate)
    if candidate.family == "svm" and classes > FEW_CLASSES:
        return solve(rows, targets, classes, candidate.c, row_weights=weights, seed=seed)
    return _fit_sklearn(rows, targets, classes, candidate, weights, seed)


def _fit_sklearn(
    rows: Any,  # noqa: ANN401 - a scipy.sparse.csr_matrix
    targets: Ints,
    classes: int,
    candidate: Candidate,
    weights: npt.NDArray[np.float32],
    seed: int,
) -> Weights:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    if candidate.family == "svm":
        model = LinearSVC(C=candidate.c, random_state=seed, tol=1e-3, max_iter=300)
    else:
        model = LogisticRegression(C=candidate.c, max_iter=LBFGS_PASSES // 2, tol=1e-3)
    with warnings.catch_warnings():
        # An optimiser stopped early is a fit like any other here: validation rows judge it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, targets, sample_weight=weights)
    coef, intercept = model.coef_, model.intercept_
    if classes == 2:  # one hyperplane; half to each side, so that a softmax is its sigmoid
        coef = np.concatenate([-coef, coef]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return Weights(
        np.ascontiguousarray(coef.T, dtype=np.float32), intercept.astype(np.float32).ravel()
    )


def features_seconds(chars: int, with_chars: bool) -> float:
    """About how long vectorising ``chars`` characters of text takes, once to fit, once to use."""
    return chars * (6e-6 if with_chars else 6e-7)


def fit_seconds(rows: int, entries: float, classes: int, family: str) -> float:
    """About how long a fit takes; from sizes, never from a clock, so that a choice that depends
    on it is the same on every machine.

    Parameters
    ----------
    rows, classes
        Sizes of the problem.
    entries
        Non-zero features per row.
    """
    if family == "logistic":
        return rows * entries * classes * LBFGS_PASSES * 2.5e-9 + 0.1
    if classes <= FEW_CLASSES:
        return rows * entries * classes * 60 * 5e-9 + 0.1
    return rows * EPOCHS * 0.7 * (25e-6 + 1.3e-6 * entries) + 0.1


def logistic_fits(columns: int, classes: int) -> bool:
    """Whether L-BFGS's memory (ten pairs of float64 vectors and a few more) stays small."""
    return columns * classes * 8 * 24 <= LBFGS_BYTES


def fit_scale(margins: npt.NDArray[Any], truth: npt.NDArray[np.int64]) -> float:
    """Factor on decision values with the least negative log-likelihood (Platt 1999, slope only).

    Parameters
    ----------
    margins
        Decision values, shape (n, classes).
    truth
        Column of the true class, shape (n,); -1 where it has none, and is left out.
    """
    from scipy.optimize import minimize_scalar

    known = truth >= 0
    if not known.any():
        return 1.0
    values, truth = margins[known].astype(np.float64), truth[known]

    def loss(log_scale: float) -> float:
        logits = values * np.exp(log_scale)
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float(np.mean(total - logits[np.arange(len(truth)), truth]))

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(100.0)), method="bounded")
    return float(np.exp(found.x))

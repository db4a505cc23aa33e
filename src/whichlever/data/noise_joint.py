"""Confident learning: from out-of-fold probabilities to the labels that are probably wrong.

Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels,
Journal of Artificial Intelligence Research 70, section 3; written from the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 1_000
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Joint:
    """What confident learning says of n rows.

    Attributes
    ----------
    thresholds
        Mean probability of a label over the rows given it, shape (classes,).
    confident
        The label that each row confidently has: the likeliest of those whose probability reaches
        their threshold, −1 where none does; shape (n,).
    counts
        The confident joint, rows by (given, confident), shape (classes, classes).
    shares
        The same, calibrated to how often each label was given and to a sum of 1: the estimated
        joint distribution of given and true labels.
    errors
        Estimated number of wrong labels: n times the shares off the diagonal.
    """

    thresholds: Doubles
    confident: Ints
    counts: Doubles
    shares: Doubles
    errors: float


def confident_joint(probabilities: Floats, given: Ints, thresholds: Doubles | None = None) -> Joint:
    """Estimate the joint distribution of given and true labels.

    Parameters
    ----------
    probabilities : shape (n, classes), out of fold
    given : shape (n,), 0 to classes − 1
    thresholds : those of other, more numerous rows, shape (classes,); else worked out from these
    """
    classes = probabilities.shape[1]
    rows = np.bincount(given, minlength=classes)
    if thresholds is None:
        own = probabilities[np.arange(len(given)), given].astype(np.float64)
        sums = np.bincount(given, weights=own, minlength=classes)
        # A label that no row has cannot be reached.
        thresholds = np.where(rows > 0, sums / np.maximum(rows, 1), np.inf)
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident = np.where(reached.max(axis=1, initial=-1.0) >= 0, reached.argmax(axis=1), -1)
    counted = confident >= 0
    counts = np.zeros((classes, classes))
    np.add.at(counts, (given[counted], confident[counted]), 1.0)
    shares = _calibrated(counts, rows)
    return Joint(
        thresholds,
        confident.astype(np.int64),
        counts,
        shares,
        float(len(given) * (shares.sum() - np.trace(shares))),
    )


def _calibrated(counts: Doubles, rows: Ints) -> Doubles:
    """Scale each given label's counts to the rows that have it, and all to a sum of 1 (eq. 3).

    A label of which no row is confident of anything is taken as right.
    """
    counts = counts.copy()
    empty = counts.sum(axis=1) == 0
    counts[empty, empty] = 1.0
    scaled = counts / counts.sum(axis=1, keepdims=True) * rows[:, None]
    return np.asarray(scaled / max(scaled.sum(), 1.0))


def error_draws(joint: Joint, given: Ints, units: Ints, seed: int, draws: int = DRAWS) -> Doubles:
    """Bootstrap draws of the estimated number of errors, shape (draws,).

    Units (clusters of rows) are drawn, not rows; thresholds and probabilities stay as they are. So
    the spread is that of the draw of rows; what a model gets wrong on all of them alike it does
    not show.

    Parameters
    ----------
    joint : from all rows
    given : shape (n,)
    units : the unit of each row, shape (n,)
    """
    classes = len(joint.thresholds)
    names, place = np.unique(units, return_inverse=True)
    random = np.random.default_rng([seed, 10])
    counted = joint.confident >= 0
    wrong = counted & (joint.confident != given)
    found = np.empty(draws)
    for i in range(draws):
        weight = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        row_weight = weight[place].astype(np.float64)
        rows = np.bincount(given, weights=row_weight, minlength=classes)
        seen = np.bincount(given, weights=row_weight * counted, minlength=classes)
        off = np.bincount(given, weights=row_weight * wrong, minlength=classes)
        errors = float((rows * off / np.maximum(seen, TINY)).sum())
        found[i] = errors * len(given) / max(row_weight.sum(), 1.0)
    return found


CATCHES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the planted errors at which the ranking is cut."""


def errors_by_planted(
    odds: Floats, planted: npt.NDArray[np.bool_], units: Ints, seed: int, draws: int = DRAWS
) -> tuple[float, Doubles]:
    """Estimate the share of wrong labels from where planted ones rank.

    Cut where a share c of the planted errors is caught, the ranking catches a share r of the other
    rows. Were the errors among these as easy to find, c times their share would be caught, and
    right rows besides: their share is at most r / c, at every cut. The least of these is taken (the
    proportion of a mixture: Blanchard, Lee and Scott 2010, Semi-Supervised Novelty Detection,
    section 4), less its bias as the bootstrap shows it.

    Parameters
    ----------
    odds : rank of each row, lowest most suspicious, shape (n,)
    planted : rows whose label was changed, shape (n,); at least one
    units : the unit (cluster) of each row, shape (n,)

    Returns
    -------
    share : of the rows that were not planted
    draws : bootstrap draws of it over units, shape (draws,)
    """
    cuts = np.quantile(odds[planted], CATCHES)
    caught = (odds[:, None] <= cuts).astype(np.float64)
    _, place = np.unique(units, return_inverse=True)
    count = int(place.max()) + 1
    sums = np.zeros((2 * count, len(CATCHES) + 1))
    np.add.at(sums, 2 * place + planted, np.column_stack([caught, np.ones(len(caught))]))
    table = sums.reshape(count, 2, -1)  # of each unit: rows above each cut and all; planted second

    def least(counts: Doubles) -> float:
        shares = counts[:, :-1] / np.maximum(counts[:, -1:], 1.0)
        return float(min(1.0, (shares[0] / np.maximum(shares[1], TINY)).min()))

    random = np.random.default_rng([seed, 13])
    found = np.empty(draws)
    for i in range(draws):
        weight = np.bincount(random.integers(0, count, count), minlength=count)
        found[i] = least(np.tensordot(weight, table, axes=1))
    value = least(table.sum(axis=0))
    # The least of seven noisy figures lies low, and the least of a draw's lies lower by as much.
    lower = value - float(found.mean())
    return max(0.0, value + lower), np.clip(found + 2 * lower, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Ranked:
    """How suspicious each row is; arrays of shape (n,), in the order of the rows.

    Attributes
    ----------
    confidence
        Probability of the given label (self-confidence).
    margin
        That, less the probability of the likeliest other label (normalised margin).
    odds
        log of their ratio: what rows are ranked by, lowest first.
    suggested
        The likeliest other label.
    """

    confidence: Floats
    margin: Floats
    odds: Floats
    suggested: Ints


def rank(probabilities: Floats, given: Ints) -> Ranked:
    """Say of each row how far its label is from the likeliest other one.

    The log-odds rank as well as self-confidence where wrong labels fall anywhere, and better
    where they fall on the label most like the true one (docs/results/label_noise.md).
    """
    at = np.arange(len(given))
    own = probabilities[at, given]
    others = probabilities.copy()
    others[at, given] = -1.0
    suggested = others.argmax(axis=1)
    best = others[at, suggested]
    odds = np.log(np.maximum(own, TINY)) - np.log(np.maximum(best, TINY))
    return Ranked(own, own - best, odds.astype(np.float32), suggested.astype(np.int64))

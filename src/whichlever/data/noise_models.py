"""Four quick, unlike models of a label, for judging labels and for nothing else.

Each gets rows to learn from and rows to judge and returns one score per label, on the scale of a
log-probability up to a constant factor; `noise_pool` weighs them. They are kept small on purpose:
a model that can learn each row by heart learns its wrong label too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.data.noise_features import TextFeatures

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

Model = Callable[[TextFeatures, Ints, Ints, Ints, int, int], Floats]
"""(features, targets of all rows, rows learned from, rows judged, classes, seed) → scores, shape
(rows judged, classes)."""

EPOCHS = 4
RATE = 2.0
SNAPSHOTS = 4
SMOOTHING = 0.1
RIDGE = 1.0

NEIGHBOURS = 15
SHARPNESS = 20.0
VOTERS = 20_000
_BLOCK = 1_024


def softmax_regression(
    features: TextFeatures, targets: Ints, learn: Ints, judge: Ints, classes: int, seed: int
) -> Floats:
    """Multinomial logistic regression on the sparse view, by stochastic gradient descent.

    Four passes with a step that falls to zero, and the mean of the weights at each quarter pass
    after the first (Polyak and Juditsky 1992): stopping early and averaging are its
    regularisation. One row at a time costs the row's words times the classes, whatever the
    vocabulary.
    """
    rows = features.sparse
    weights = np.zeros((rows.shape[1], classes), dtype=np.float32)
    mean, taken = np.zeros_like(weights), 0
    bias = np.log(np.bincount(targets[learn], minlength=classes) + 0.5).astype(np.float32)
    random = np.random.default_rng([seed, 7])
    order = np.concatenate([learn[random.permutation(len(learn))] for _ in range(EPOCHS)])
    rates = (RATE * (1 - np.arange(len(order)) / max(len(order), 1))).astype(np.float32)
    parts = np.array_split(np.arange(len(order)), EPOCHS * SNAPSHOTS)
    for place, part in enumerate(parts):
        _pass(rows, targets, order[part], rates[part], weights, bias)
        if place >= SNAPSHOTS:
            mean += weights
            taken += 1
    mean /= max(taken, 1)
    return np.asarray(rows[judge] @ mean + bias, dtype=np.float32)


def _pass(
    rows: Any,  # noqa: ANN401 - csr_matrix
    targets: Ints,
    order: Ints,
    rates: Floats,
    weights: Floats,
    bias: Floats,
) -> None:
    """Visit rows in turn and move the weights of their words, in place."""
    starts, columns, values = rows.indptr, rows.indices, rows.data
    labels = targets[order].tolist()
    for i, label, rate in zip(order.tolist(), labels, rates.tolist(), strict=True):
        here = slice(starts[i], starts[i + 1])
        at, value = columns[here], values[here]
        part = weights[at]
        error = value @ part + bias
        error -= error.max()
        np.exp(error, out=error)
        error /= error.sum()
        error[label] -= 1
        part -= np.outer(rate * value, error)
        weights[at] = part


def naive_bayes(
    features: TextFeatures, targets: Ints, learn: Ints, judge: Ints, classes: int, seed: int
) -> Floats:
    """Multinomial naive Bayes on the sparse view (Rennie et al. 2003): it cannot learn by heart."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(learn), dtype=np.float32)
    place = (targets[learn], np.arange(len(learn)))
    of_class = csr_matrix((ones, place), shape=(classes, len(learn)))
    counts = (of_class @ features.sparse[learn]).toarray() + np.float32(SMOOTHING)
    weights = np.log(counts)
    weights -= np.log(counts.sum(axis=1, keepdims=True))
    prior = np.log(np.bincount(targets[learn], minlength=classes) + 0.5)
    scores = features.sparse[judge] @ weights.T
    return np.asarray(scores + prior, dtype=np.float32)


def ridge(
    features: TextFeatures, targets: Ints, learn: Ints, judge: Ints, classes: int, seed: int
) -> Floats:
    """Least squares on the dense view, one indicator per label, in closed form."""
    view = np.concatenate([features.dense, np.ones((len(features.dense), 1), np.float32)], axis=1)
    known = view[learn].astype(np.float64)
    gram = known.T @ known + RIDGE * np.eye(known.shape[1])
    sums = np.zeros((classes, known.shape[1]))
    np.add.at(sums, targets[learn], known)
    return np.asarray(view[judge] @ np.linalg.solve(gram, sums.T), dtype=np.float32)


def neighbour_vote(
    features: TextFeatures, targets: Ints, learn: Ints, judge: Ints, classes: int, seed: int
) -> Floats:
    """The labels of the fifteen nearest rows of the dense view, the nearer the more; log of shares.

    Where there are very many rows, a random 20,000 of them vote.
    """
    if len(learn) > VOTERS:
        learn = np.sort(np.random.default_rng([seed, 8]).choice(learn, VOTERS, replace=False))
    voters = features.dense[learn]
    count = min(NEIGHBOURS, len(learn))
    prior = np.bincount(targets[learn], minlength=classes) + 1.0
    prior *= 0.5 / prior.sum()
    out = np.empty((len(judge), classes), dtype=np.float32)
    for start in range(0, len(judge), _BLOCK):
        cosines = features.dense[judge[start : start + _BLOCK]] @ voters.T
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(cosines, nearest, axis=1)
        weight = np.exp(SHARPNESS * (found - found.max(axis=1, keepdims=True)))
        votes = np.tile(prior, (len(cosines), 1))
        at = np.arange(len(cosines))[:, None]
        np.add.at(votes, (at, targets[learn[nearest]]), weight)
        out[start : start + _BLOCK] = np.log(votes / votes.sum(axis=1, keepdims=True))
    return out


MODELS: dict[str, Model] = {
    "softmax regression on words": softmax_regression,
    "naive Bayes": naive_bayes,
    "ridge on latent topics": ridge,
    "nearest neighbours": neighbour_vote,
}


def seconds(rows: int, entries: float, classes: int, folds: int) -> float:
    """About how long all folds of all models take, from sizes, never from a clock.

    Parameters
    ----------
    rows, classes, folds
        Sizes.
    entries
        Words and word pairs per row.
    """
    visit = 18e-6 + 2.2e-9 * entries * classes
    learning = rows * (1 - 1 / folds) * EPOCHS * visit
    voting = rows / folds * min(rows, VOTERS) * 2.5e-8
    return folds * (learning + voting) + rows * 4e-4

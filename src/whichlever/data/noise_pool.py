"""Out-of-fold probabilities: several models' scores, pooled by weights learned from all folds.

A logarithmic opinion pool (Genest and Zidek 1986, Combining Probability Distributions, section
2): log p is a weighted sum of the models' scores. The weights are the few numbers that make the
given labels of rows unseen by the models most likely; they calibrate the pool as well, being
temperatures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from whichlever.data.noise_features import TextFeatures
from whichlever.data.noise_models import MODELS
from whichlever.progress import Progress

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

POOL_ROWS = 5_000
"""Rows that the weights are learned from: a random part of all."""

_BLOCK = 4_096


def out_of_fold(
    features: TextFeatures,
    targets: Ints,
    folds: Ints,
    learned: npt.NDArray[np.bool_],
    classes: int,
    seed: int,
    progress: Progress,
    name: str = "label noise",
) -> tuple[Floats, dict[str, float]]:
    """Probabilities of each label for each row, by models that saw no row of its fold.

    Parameters
    ----------
    features
        Of all rows.
    targets
        Given labels, 0 to classes − 1, shape (n,).
    folds
        Fold of each row, shape (n,).
    learned
        Rows that models may learn from, shape (n,); the others are only judged, and have no part
        in the weights of the pool.
    name
        What the progress bar calls it.

    Returns
    -------
    probabilities : shape (n, classes)
    weights : model → its weight in the pool
    """
    parts = fold_scores(features, targets, folds, learned, classes, seed, progress, name)
    known = np.flatnonzero(learned)
    weights = pool_weights(parts, targets, known, seed)
    return pooled(parts, weights), dict(zip(MODELS, weights.tolist(), strict=True))


def fold_scores(
    features: TextFeatures,
    targets: Ints,
    folds: Ints,
    learned: npt.NDArray[np.bool_],
    classes: int,
    seed: int,
    progress: Progress,
    name: str = "label noise",
) -> list[npt.NDArray[np.float16]]:
    """Scores of each of `MODELS` for each row, shape (n, classes) each; see `out_of_fold`."""
    count = int(folds.max(initial=0)) + 1
    scores = [np.zeros((len(targets), classes), dtype=np.float16) for _ in MODELS]
    with progress.step(name, total=count * len(MODELS)) as step:
        for fold in range(count):
            judge = np.flatnonzero(folds == fold)
            learn = np.flatnonzero((folds != fold) & learned)
            for part, answer in zip(scores, MODELS.values(), strict=True):
                if len(judge) and len(learn):
                    found = answer(features, targets, learn, judge, classes, seed)
                    part[judge] = np.clip(_normal(found), -60_000, 0)
                step.advance()
    return scores


def pool_weights(
    parts: Sequence[npt.NDArray[np.float16]], targets: Ints, known: Ints, seed: int
) -> npt.NDArray[np.float64]:
    """Weights ≥ 0 with the least log-loss on the given labels of ``known``, shape (models,)."""
    from scipy.optimize import minimize
    from scipy.special import softmax

    even = np.full(len(parts), 1 / len(parts))
    if not len(known):
        return even
    if len(known) > POOL_ROWS:
        picked = np.random.default_rng([seed, 9]).choice(known, POOL_ROWS, replace=False)
        known = np.sort(picked)
    logs = np.stack([part[known].astype(np.float64) for part in parts])
    # Scores of least squares span a few tenths: on their own scale, no weight would be large.
    spread = np.maximum(logs.std(axis=(1, 2), keepdims=True), 1e-6)
    logs /= spread
    at = (np.arange(len(known)), targets[known])
    own = logs[(slice(None), *at)]

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        shares = softmax(np.tensordot(weights, logs, axes=1), axis=1)
        nll = -np.log(np.maximum(shares[at], 1e-300)).mean()
        return float(nll), (np.tensordot(logs, shares, axes=2) - own.sum(axis=1)) / len(known)

    found = minimize(loss, even, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(parts))
    return np.asarray(found.x / spread[:, 0, 0])


def pooled(parts: Sequence[npt.NDArray[np.float16]], weights: npt.NDArray[np.float64]) -> Floats:
    """Probabilities of the pool, shape (n, classes)."""
    from scipy.special import softmax

    rows, classes = parts[0].shape
    out = np.empty((rows, classes), dtype=np.float32)
    for start in range(0, rows, _BLOCK):
        here = slice(start, start + _BLOCK)
        total = np.zeros((len(out[here]), classes))
        for part, weight in zip(parts, weights.tolist(), strict=True):
            total += weight * part[here].astype(np.float64)
        out[here] = softmax(total, axis=1)
    return out


def _normal(scores: Floats) -> Floats:
    """Scores with their largest at 0; the pool knows no constant."""
    return np.asarray(scores - scores.max(axis=1, keepdims=True), dtype=np.float32)

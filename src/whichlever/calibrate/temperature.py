"""Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TINY = 1e-12
"""Probabilities below this are taken as this: a float32 softmax writes zeros."""

BOUNDS = (0.05, 20.0)
"""Temperatures outside these say that the scores are not probabilities at all."""


@dataclass(frozen=True)
class Temperature:
    """Divides log-probabilities by ``value``: above 1 it makes the scores less sure.

    It never changes which label is the most probable.
    """

    value: float

    @classmethod
    def fit(cls, scores: npt.ArrayLike, targets: npt.ArrayLike) -> Temperature:
        """Find the temperature with the least negative log-likelihood on calibration rows.

        Parameters
        ----------
        scores
            Probabilities, shape (n, classes); rows of nan are left out.
        targets
            True label indices, shape (n,); rows with -1 are left out.

        Returns
        -------
        Temperature
            Value 1 where no row is left, or where no temperature is better than none.
        """
        from scipy.optimize import minimize_scalar

        logs, truth = _usable(scores, targets)
        if len(truth) == 0:
            return cls(1.0)

        def loss(log_t: float) -> float:
            return _nll(logs / math.exp(log_t), truth)

        found = minimize_scalar(
            loss, bounds=(math.log(BOUNDS[0]), math.log(BOUNDS[1])), method="bounded"
        )
        return cls(float(math.exp(found.x))) if found.fun < loss(0.0) else cls(1.0)

    def apply(self, scores: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Rescale probabilities, shape (n, classes) or (classes,); nan stays nan."""
        given = np.asarray(scores)
        if self.value == 1.0:
            return given.astype(np.float32)
        logs = np.log(np.maximum(given.astype(np.float64), TINY)) / self.value
        logs -= logs.max(axis=-1, keepdims=True)
        odds = np.exp(logs)
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)


def negative_log_likelihood(scores: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Mean of −log p(true label), over rows that have scores and a known label; in nats."""
    logs, truth = _usable(scores, targets)
    return _nll(logs, truth) if len(truth) else math.nan


def _usable(
    scores: npt.ArrayLike, targets: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    given = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(targets, dtype=np.int64)
    keep = (truth >= 0) & ~np.isnan(given).any(axis=1)
    return np.log(np.maximum(given[keep], TINY)), truth[keep]


def _nll(logs: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> float:
    top = logs.max(axis=1)
    log_sum = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
    return float(np.mean(log_sum - logs[np.arange(len(truth)), truth]))

"""How far probabilities can be believed, and what a threshold on them catches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.measure.intervals import basic, percentile
from whichlever.measure.scores import indicator
from whichlever.measure.summary import Calibration, ReliabilityBin

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 15
FALSE_POSITIVE_RATES = (0.001, 0.01, 0.05)


@dataclass(frozen=True)
class Confidence:
    """Rows with probabilities, in equal-mass bins of the confidence in the answer given.

    ``rows`` are their places among all rows; ``sure`` the probability of the answered label,
    ``right`` whether it was right, ``squared`` the row's Brier term, ``bin`` its bin; each (m,).
    """

    rows: Ints
    sure: Floats
    right: Floats
    squared: Floats
    bin: Ints

    @classmethod
    def of(
        cls, scores: npt.NDArray[np.floating], targets: Ints, predicted: Ints
    ) -> Confidence | None:
        """Take the answered rows that have probabilities; None where there are none."""
        known = ~np.isnan(scores).any(axis=1) & (predicted >= 0)
        rows = np.flatnonzero(known)
        if len(rows) == 0:
            return None
        p = scores[rows].astype(np.float64)
        truth, said = targets[rows], predicted[rows]
        sure = p[np.arange(len(rows)), said]
        own = np.where(truth >= 0, p[np.arange(len(rows)), np.maximum(truth, 0)], 0.0)
        # Σ(p − y)² = Σp² − 2·p[true] + 1; a label outside the run's has no p.
        squared = (p * p).sum(axis=1) - 2 * own + 1
        edges = np.unique(np.quantile(sure, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, sure, side="right")
        _, place = np.unique(place, return_inverse=True)
        return cls(rows, sure, (truth == said).astype(np.float64), squared, place.astype(np.int64))

    def ece(self, weights: Floats) -> Floats:
        """Expected calibration error under weights (n, draws), shape (draws,).

        Σ over bins of the weight's share times |accuracy − mean confidence| (Naeini et al. 2015),
        in at most 15 bins of equal mass; equal confidences are never parted.
        """
        own = weights[self.rows]
        bins = indicator(self.bin, np.arange(int(self.bin.max()) + 1))
        gap = bins.multiply(self.right - self.sure).tocsr() @ own
        total = own.sum(axis=0)
        return np.asarray(np.abs(gap).sum(axis=0) / np.where(total > 0, total, np.nan))

    def brier(self, weights: Floats) -> Floats:
        """Multi-class Brier score Σ(p − y)², mean over rows (Brier 1950); 0 to 2."""
        own = weights[self.rows]
        total = own.sum(axis=0)
        return np.asarray(self.squared @ own / np.where(total > 0, total, np.nan))

    def bins(self) -> tuple[ReliabilityBin, ...]:
        """The reliability diagram."""
        rows = np.bincount(self.bin)
        sure = np.bincount(self.bin, self.sure) / rows
        right = np.bincount(self.bin, self.right) / rows
        return tuple(
            ReliabilityBin(confidence=float(s), accuracy=float(r), rows=int(n))
            for s, r, n in zip(sure, right, rows, strict=True)
        )


def calibration(
    after: Confidence,
    before: Confidence | None,
    temperature: float | None,
    ece_draws: Floats,
    brier_draws: Floats,
    units: int | None = None,
) -> Calibration:
    """Sum up what the probabilities are worth, with intervals from draws of so many units."""
    one = np.ones((int(after.rows.max()) + 1, 1))
    return Calibration(
        ece=basic(float(after.ece(one)[0]), ece_draws, units=units),
        brier=percentile(float(after.brier(one)[0]), brier_draws, units=units),
        temperature=temperature,
        bins=after.bins(),
        ece_before=None if before is None else _ece_once(before),
    )


def _ece_once(confidence: Confidence) -> float:
    return float(confidence.ece(np.ones((int(confidence.rows.max()) + 1, 1)))[0])


class AtFalsePositiveRate:
    """Recall of one class at fixed false-positive rates, its probability as the score.

    The threshold is the lowest score at which the share of negatives at or above it is within the
    rate, on the test rows themselves; there is no interpolation between thresholds, so with fewer
    than 1/rate negatives no false positive at all is allowed. A row without a score is never
    above a threshold.

    Parameters
    ----------
    scores
        The class's probability, shape (n,); nan where there is none.
    positive
        True where the class is the true label, shape (n,).
    """

    def __init__(self, scores: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_]) -> None:
        known = np.where(np.isnan(scores), -np.inf, scores.astype(np.float64))
        self._positive = np.flatnonzero(positive)[np.argsort(-known[positive], kind="stable")]
        self._negative = np.flatnonzero(~positive)[np.argsort(-known[~positive], kind="stable")]
        # Positives strictly above each negative, then those with any score at all.
        above = np.searchsorted(-known[self._positive], -known[self._negative], side="left")
        self._above = np.append(above, np.sum(known[self._positive] > -np.inf))

    def recall(self, weights: Floats) -> Floats:
        """Recall per rate and draw, shape (rates, draws); nan where a draw has no positive."""
        total = weights[self._negative].sum(axis=0)
        false = self._false_positives(weights, total)
        # false is ascending: the count within the rate is the place of the first one beyond it.
        first = [np.sum(false <= rate * total + 1e-9, axis=0) for rate in FALSE_POSITIVE_RATES]
        take = np.minimum(self._above[np.stack(first)], self._above[-1])
        deepest = int(take.max())
        own = weights[self._positive]
        caught = np.vstack([np.zeros(own.shape[1]), np.cumsum(own[:deepest], axis=0)])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(caught[take, np.arange(own.shape[1])] / own.sum(axis=0))

    def _false_positives(self, weights: Floats, total: Floats) -> Floats:
        """Running weight of the top negatives, as deep as the highest rate needs in any draw."""
        deep, n = len(self._negative) // 12 + 50, len(self._negative)
        while True:
            false = np.cumsum(weights[self._negative[:deep]], axis=0)
            if deep >= n or bool(np.all(false[-1] > FALSE_POSITIVE_RATES[-1] * total + 1e-9)):
                return np.asarray(false)
            deep *= 2


def recall_at_rates(
    scores: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_]
) -> dict[float, float]:
    """Recall of one class at each of the fixed false-positive rates."""
    found = AtFalsePositiveRate(scores, positive).recall(np.ones((len(scores), 1)))[:, 0]
    return {rate: float(v) for rate, v in zip(FALSE_POSITIVE_RATES, found, strict=True)}

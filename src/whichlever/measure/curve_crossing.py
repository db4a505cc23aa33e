"""From how many labels on one lever is ahead of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Found:
    """A crossing of a difference through 0; see `measure.curve.Crossing`."""

    outcome: Literal["crosses", "ahead", "behind"]
    at: float | None
    low: float | None
    high: float | None
    from_smallest: bool
    ahead: float


def crossing(labels: Floats, difference: Floats, draws: Floats, level: float = LEVEL) -> Found:
    """Find where a difference that grows with the labels becomes positive, and its interval.

    The difference is taken as never falling (isotonic regression, Barlow et al. 1972), so that
    noise makes no second crossing, and as straight between two counts on a logarithmic axis.

    Parameters
    ----------
    labels
        Label counts, ascending, shape (points,).
    difference
        Score minus the other's score at each, shape (points,).
    draws
        Paired bootstrap draws of it, shape (draws, points).
    """
    one = float(_counts(labels, difference[None])[0])
    every = _counts(labels, draws)
    tail = (1 - level) / 2
    # A rank, not an interpolation: draws may be infinite.
    low = float(np.quantile(every, tail, method="lower"))
    high = float(np.quantile(every, 1 - tail, method="higher"))
    # Isotonic means may cross where the scores as they are do not, never outside the counts.
    low, high = min(low, one), max(high, one)
    return Found(
        outcome="ahead" if one == -np.inf else "behind" if one == np.inf else "crosses",
        at=one if np.isfinite(one) else None,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        from_smallest=low == -np.inf,
        ahead=float(np.mean(draws[:, -1] > 0)),
    )


def _counts(labels: Floats, differences: Floats) -> Floats:
    """The count at which each row becomes positive: −inf already, +inf never; shape (draws,)."""
    rising = isotonic(differences)
    points = len(labels)
    first = np.argmax(rising >= 0, axis=1)
    out = np.full(len(rising), np.inf)
    reached = rising[:, -1] >= 0
    out[reached & (first == 0)] = -np.inf
    inside = np.flatnonzero(reached & (first > 0))
    if points > 1 and len(inside):
        j = first[inside]
        before, after = rising[inside, j - 1], rising[inside, j]
        share = before / (before - after)
        logs = np.log(labels)
        met = np.exp(logs[j - 1] + share * (logs[j] - logs[j - 1]))
        out[inside] = np.clip(met, labels[0], labels[-1])  # rounding
    return out


def isotonic(values: Floats) -> Floats:
    """Least-squares never-falling fit of each row, shape (draws, points).

    The min-max formula: the fit at j is the largest, over i ≤ j, of the smallest, over k ≥ j, mean
    of values i to k (Barlow et al. 1972, theorem 1.4).
    """
    points = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    out = np.full(values.shape, -np.inf)
    for j in range(points):
        for i in range(j + 1):
            lengths = np.arange(j + 1, points + 1) - i
            means = (sums[:, j + 1 :] - sums[:, [i]]) / lengths
            out[:, j] = np.maximum(out[:, j], means.min(axis=1))
    return out

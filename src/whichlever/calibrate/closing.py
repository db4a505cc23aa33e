"""The score that rows are closed by: how much likelier the label is than any protected one.

The score is a log-odds, log p(label) − log of the largest p(protected label). Temperature scaling
divides it by the temperature and so never changes which of two rows has the higher one. That is
why the same calibration rows may fit the temperature and set the threshold: the set of rows that
is closed is a function of the scores before calibration and of the threshold alone. The plain
probability of the label has no such property with three labels or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CAP = math.log(1e6)
"""Odds above a million to one are taken as a million to one: beyond lies rounding."""

NEVER = -CAP - 1.0
"""The score of a row that is not closed at any threshold: another label, or no answer."""

GUARD = 1e-3
"""Added to every threshold, in nats: rounding on the way cannot lift a tied row above it."""

_LEAST = 1e-45
"""A float32 that is not 0 is larger than this."""


def closing_scores(
    scores: npt.ArrayLike,
    answered: npt.ArrayLike,
    label: int,
    protect: Sequence[int],
    temperature: float = 1.0,
) -> Floats:
    """Score rows for closing.

    Parameters
    ----------
    scores
        Probabilities, shape (n, classes); a row of nan has none.
    answered
        Index of the label that was answered, shape (n,).
    label, protect
        Indices of the label to close and of the protected ones.
    temperature
        What the probabilities were scaled by; 1 for those before calibration.

    Returns
    -------
    (n,) float64
        Between −`CAP` and `CAP`; `NEVER` where another label was answered or a score is missing.
    """
    given = np.asarray(scores, dtype=np.float64)
    logs = np.log(np.maximum(given, _LEAST))
    margin = temperature * (logs[:, label] - logs[:, list(protect)].max(axis=1))
    out = np.clip(margin, -CAP, CAP)
    usable = (np.asarray(answered) == label) & np.isfinite(given).all(axis=1)
    return np.where(usable, out, NEVER)


def odds(score: float) -> float:
    """How many times likelier the label is than a protected one, at a score."""
    return math.exp(score)

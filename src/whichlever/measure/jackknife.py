"""Delete-one values of a metric: the spread that the bootstrap misses where classes are rare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whichlever.measure.scores import ClassCounts, Scored, indicator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CELLS = 2_000_000


def delete_one(answers: Scored, metric: str, units: Ints) -> Floats:
    """Work a metric out without each unit in turn.

    Parameters
    ----------
    answers
        Answers to n rows.
    metric
        One of the two metrics that the answers have.
    units
        The unit (group, or row) of each row, shape (n,).

    Returns
    -------
    ndarray
        Shape (units that occur,), in the order of their numbers.
    """
    names, place = np.unique(units, return_inverse=True)
    count = len(names)
    gather = indicator(place.astype(np.int64), np.arange(count)).T.tocsr()
    if metric == answers.share:
        left = len(answers) - np.bincount(place, minlength=count)
        right = answers.correct.sum() - gather.T @ answers.correct
        return np.asarray(right / np.maximum(left, 1))
    whole = answers.pool(np.ones((len(answers), 1)))
    size = max(1, _CELLS // max(1, len(whole.hit)))
    out = []
    for start in range(0, count, size):
        part = answers.pool(gather[:, start : start + size])
        without = [
            all_ - own.toarray()  # type: ignore[attr-defined]
            for all_, own in zip(
                (whole.hit, whole.true, whole.said), (part.hit, part.true, part.said), strict=True
            )
        ]
        out.append(ClassCounts(*without).macro_f1())
    return np.concatenate(out)


def standard_error(values: Floats) -> float:
    """Jackknife standard error (Efron and Tibshirani 1993, section 11.2)."""
    n = len(values)
    return float(np.sqrt((n - 1) / n * np.sum((values - values.mean()) ** 2))) if n > 1 else 0.0

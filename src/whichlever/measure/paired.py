"""Paired tests of two levers on the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, vstack

from whichlever.measure.scores import Scored, indicator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXACT_UNITS = 12
"""Up to here all 2**units swaps are tried."""

SWAPS = 5_000
_CELLS = 4_000_000


def randomisation_p(
    a: Scored, b: Scored, metric: str, units: Ints | None = None, seed: int = 0
) -> float:
    """Paired randomisation test of a difference, two-sided (Noreen 1989; Yeh 2000).

    Under the null the two levers' answers can be swapped, by whole group where rows come in
    groups. All swaps are tried where at most 12 units differ; else 5,000 random ones, and p is
    (1 + as extreme) / (1 + 5,000).

    Parameters
    ----------
    a, b
        Answers to the same rows.
    metric
        One of the two metrics that the answers have.
    units
        Group number per row, shape (n,); None for independent rows.
    """
    swapped = _Swapped(a, b, metric, units)
    k = swapped.count
    if k == 0:
        return 1.0
    observed = abs(swapped.differences(np.zeros((k, 1)))[0]) - 1e-12
    if k <= EXACT_UNITS:
        swaps = ((np.arange(2**k)[None, :] >> np.arange(k)[:, None]) & 1).astype(np.float64)
        extreme = np.abs(swapped.differences(swaps)) >= observed
        return float(extreme.mean())
    random = np.random.default_rng([seed, 2])
    alike, times = swapped.alike()
    size = max(1, min(SWAPS, _CELLS // max(len(alike), swapped.width)))
    hits = 0
    for start in range(0, SWAPS, size):
        shape = (len(alike), min(size, SWAPS - start))
        # Units that change the counts alike are interchangeable: how many of them are swapped is
        # binomial, whichever they are.
        swaps = random.integers(0, 2, size=shape, dtype=np.int8).astype(np.float64)
        many = times > 1
        swaps[many] = random.binomial(times[many, None], 0.5, size=(int(many.sum()), shape[1]))
        hits += int(np.sum(np.abs(swapped.differences(swaps, alike)) >= observed))
    return (1 + hits) / (1 + SWAPS)


def attainable_p(units: int) -> float:
    """Smallest two-sided p that swapping this many units can give: 2 / 2**units, or 1/5001."""
    exact = 2.0 / 2.0 ** min(units, 60) if units > 0 else 1.0
    return min(1.0, exact if units <= EXACT_UNITS else max(exact, 1 / (1 + SWAPS)))


class _Swapped:
    """The difference of two levers when the answers of some units are swapped.

    Only rows that the two answered differently count. A unit is a column of `_change`: what its
    swap adds to a's counts, and takes from b's.
    """

    def __init__(self, a: Scored, b: Scored, metric: str, units: Ints | None) -> None:
        rows = a.differing(b)
        names, place = np.unique(rows if units is None else units[rows], return_inverse=True)
        self.count = len(names)
        self._by_share = metric == a.share
        self._rows = len(a)
        gather = indicator(place.astype(np.int64), np.arange(self.count)).T  # (differing rows, k)
        if self._by_share:
            self.width = 1
            self._now = float(a.correct.sum() - b.correct.sum())
            step = (b.correct - a.correct)[rows]
            self._change = csc_matrix(np.atleast_2d(gather.T @ step))
            return
        one = np.ones((len(a), 1))
        counts = [side.pool(one) for side in (a, b)]
        (hit_a, said_a), (hit_b, said_b) = (side.pooled_at(rows) for side in (a, b))
        change = vstack([hit_b - hit_a, said_b - said_a]).tocsr() @ gather
        pooled = len(counts[0].hit)
        # Classes that no swap touches add nothing to the difference but their own.
        touched = np.unique(
            np.concatenate([change[:pooled].nonzero()[0], change[pooled:].nonzero()[0]])
        )
        f1 = [c.f1()[:, 0] for c in counts]
        rest = np.setdiff1d(np.arange(pooled), touched)
        self._rest = float((f1[0] - f1[1])[rest].sum())
        self._classes = max(1, pooled)
        self._counts = [(c.hit[touched], c.true[touched] + c.said[touched]) for c in counts]
        self.width = max(1, len(touched))
        self._change = change[np.concatenate([touched, touched + pooled])].tocsc()

    def alike(self) -> tuple[Ints, Ints]:
        """One unit of each kind, and how many there are of the kind."""
        matrix = self._change
        matrix.eliminate_zeros()
        matrix.sort_indices()
        kinds: dict[bytes, list[int]] = {}
        for unit in range(self.count):
            part = slice(matrix.indptr[unit], matrix.indptr[unit + 1])
            key = matrix.indices[part].tobytes() + matrix.data[part].tobytes()
            kinds.setdefault(key, []).append(unit)
        return (
            np.array([found[0] for found in kinds.values()], dtype=np.int64),
            np.array([len(found) for found in kinds.values()], dtype=np.int64),
        )

    def differences(self, swaps: Floats, units: Ints | None = None) -> Floats:
        """Give a − b for each column of swaps.

        Parameters
        ----------
        swaps
            How often each unit is swapped, shape (units, trials).
        units
            Which units the rows of ``swaps`` are; all by default.
        """
        change = (self._change if units is None else self._change[:, units]).tocsr() @ swaps
        if self._by_share:
            # A swap takes the unit's part from a and gives it to b: twice the step.
            return np.asarray((self._now + 2 * change[0]) / self._rows)
        hit, said = np.split(change, 2)
        (hit_a, both_a), (hit_b, both_b) = self._counts
        first = (hit_a + hit) / np.maximum(both_a + said, 1e-12)
        first -= (hit_b - hit) / np.maximum(both_b - said, 1e-12)
        return np.asarray((2 * first.sum(axis=0) + self._rest) / self._classes)


def mcnemar(a: Scored, b: Scored) -> float:
    """McNemar's exact test of two accuracies, two-sided; for independent rows only."""
    from scipy.stats import binomtest

    only_a = int(np.sum((a.correct > 0) & (b.correct == 0)))
    only_b = int(np.sum((b.correct > 0) & (a.correct == 0)))
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being one family (Holm 1979), in the order given."""
    m = len(p_values)
    order = np.argsort(np.asarray(p_values, dtype=np.float64), kind="stable")
    out = [1.0] * m
    worst = 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (m - rank) * p_values[i]))
        out[i] = worst
    return out

"""Paired tests of two levers on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.measure.scores import Answers, indicator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXACT_UNITS = 12
"""Up to here all 2**units swaps are tried."""

SWAPS = 5_000
_CELLS = 4_000_000


def randomisation_p(
    a: Answers, b: Answers, metric: str, units: Ints | None = None, seed: int = 0
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
        ``macro_f1`` or ``accuracy``.
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
    size = max(1, min(SWAPS, _CELLS // max(k, swapped.width)))
    hits = 0
    for start in range(0, SWAPS, size):
        shape = (k, min(size, SWAPS - start))
        swaps = random.integers(0, 2, size=shape, dtype=np.int8).astype(np.float64)
        hits += int(np.sum(np.abs(swapped.differences(swaps)) >= observed))
    return (1 + hits) / (1 + SWAPS)


def attainable_p(units: int) -> float:
    """Smallest two-sided p that swapping this many units can give: 2 / 2**units, or 1/5001."""
    exact = 2.0 / 2.0 ** min(units, 60) if units > 0 else 1.0
    return min(1.0, exact if units <= EXACT_UNITS else max(exact, 1 / (1 + SWAPS)))


class _Swapped:
    """The difference of two levers when the answers of some units are swapped."""

    def __init__(self, a: Answers, b: Answers, metric: str, units: Ints | None) -> None:
        rows = np.flatnonzero(a.predicted != b.predicted)
        names, place = np.unique(rows if units is None else units[rows], return_inverse=True)
        self.count = len(names)
        self._metric = metric
        self._rows = len(a)
        gather = indicator(place.astype(np.int64), np.arange(self.count)).T  # (differing rows, k)
        if metric == "accuracy":
            self.width = 1
            self._now = float(a.correct.sum() - b.correct.sum())
            self._step = gather.T @ (b.correct - a.correct)[rows]
            return
        one = np.ones((len(a), 1))
        self._a, self._b = a.count(one), b.count(one)
        self._hit = self._change(a, b, rows, gather, hit=True)
        self._said = self._change(a, b, rows, gather, hit=False)
        self.width = len(a.classes)

    def _change(
        self,
        a: Answers,
        b: Answers,
        rows: Ints,
        gather: Any,  # noqa: ANN401 - scipy.sparse is untyped
        *,
        hit: bool,
    ) -> Any:  # noqa: ANN401
        """What swapping each unit adds to a's counts per class, shape (classes, units)."""
        sides = []
        for side in (a, b):
            said = side.predicted[rows]
            if hit:
                said = np.where(side.correct[rows] > 0, said, -1)
            sides.append(indicator(said, a.classes) @ gather)
        return sides[1] - sides[0]

    def differences(self, swaps: Floats) -> Floats:
        """Give a − b for each column of swaps (units, trials), shape (trials,)."""
        if self._metric == "accuracy":
            # A swap takes the unit's part from a and gives it to b: twice the step.
            return np.asarray((self._now + 2 * (self._step @ swaps)) / self._rows)
        hit, said = self._hit @ swaps, self._said @ swaps
        true = self._a.true
        first = 2 * (self._a.hit + hit) / (true + self._a.said + said)
        second = 2 * (self._b.hit - hit) / (true + self._b.said - said)
        return np.asarray((first - second).mean(axis=0))


def mcnemar(a: Answers, b: Answers) -> float:
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

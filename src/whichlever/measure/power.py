"""How many labelled test rows would tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

POWER = 0.8
POWER_80 = 0.8416
"""Standard normal quantile of 80 % power."""

ONE_SIDED = 1.645
"""Least critical value of a bound at 95 %, as in `best.upper_bounds`."""

_IMAGINED = 10_000


def rows_needed(rows: int, error: float, margin: float, critical: float = 1.645) -> int:
    """Labelled test rows with which one lever is shown as good as another within ``margin``.

    That one of the two in particular is shown so, where they are equally good; that either is,
    which is all that a verdict takes, needs fewer rows: `rows_to_tell`.

    n · ((z_α + z_.80) · error / margin)², where n · error² is the variance per row of the paired
    difference: for accuracy the discordance rate. It is the power for a margin declared before
    the run; the difference that happened to be observed plays no part (Hoenig and Heisey 2001).
    Where ``error`` is from a bootstrap over groups, their design effect is in it.

    Parameters
    ----------
    rows
        Rows that ``error`` was measured on.
    error
        Standard error of the paired difference.
    margin
        Declared margin, in units of the metric.
    critical
        z_α of the test that will be made; the one of multiple comparisons with the best.
    """
    return max(1, math.ceil(rows * ((critical + POWER_80) * error / margin) ** 2))


def rows_to_tell(
    spread: Floats,
    margin: float,
    able: Sequence[int] | None = None,
    few: float = 1.0,
    power: float = POWER,
) -> int:
    """Labelled test rows with which a verdict is given in 80 % of runs, all levers equally good.

    A verdict takes one lever, whichever, that is shown to be within ``margin`` of each other one:
    its figure may be behind by what the margin leaves after d standard errors (multiple comparisons
    with the best), and the one ahead has something to spare. The errors of the figures are imagined
    as normal with the covariance of the paired differences as measured, which scales with one over
    the rows; in each of 10,000 imagined runs the rows that it would take are known, and 80 % of
    them take no more than the answer. For two levers that is n · ((d − 0.2533) · error / margin)².

    Equal levers are the hardest to give a verdict on: any true difference gives the lever ahead
    more to spare, so the power is at least this whatever the truth. The differences observed play
    no part, only the margin declared before the run and the levers' disagreement (Hoenig and
    Heisey 2001).

    Parameters
    ----------
    spread
        Standard error of every paired difference times the square root of its rows, shape
        (levers, levers), symmetric with zeros in the diagonal.
    margin
        Declared margin, in units of the metric.
    able
        Levers among which the verdict will choose; all by default. The bounds are simultaneous
        over all.
    few
        How much wider few units make each bound (Student's t over the normal quantile).
    power
        Share of runs that shall end in a verdict; 80 % by default.
    """
    among = tuple(range(len(spread)) if able is None else able)
    if len(among) < 2:
        return 1
    needed = _hardest(tuple(map(tuple, spread.tolist())), among, few, power)
    return max(1, math.ceil((max(needed, 0.0) / margin) ** 2))


@lru_cache(maxsize=64)
def _hardest(
    spread: tuple[tuple[float, ...], ...], among: tuple[int, ...], few: float, power: float
) -> float:
    """Margin times root of the rows at which this share of imagined runs gives a verdict."""
    root, by = _root(np.array(spread)), np.array(spread)
    runs = np.random.default_rng(0).standard_normal((_IMAGINED, len(by))) @ root.T
    reach = np.zeros(len(by))
    for j in range(len(by)):
        others = [i for i in range(len(by)) if i != j and by[j, i] > 0]
        if others:
            worst = ((runs[:, others] - runs[:, [j]]) / by[j, others]).max(axis=1)
            reach[j] = max(ONE_SIDED, float(np.quantile(worst, 0.95))) * few
    behind = [
        np.max([runs[:, j] - runs[:, i] + reach[j] * by[j, i] for j in among if j != i], axis=0)
        for i in among
    ]
    return float(np.quantile(np.min(behind, axis=0), power))


def _root(spread: Floats) -> Floats:
    """A matrix whose product with standard normal numbers has these spreads of differences.

    Only differences matter, so the levers' mean is taken out (classical scaling, Torgerson 1952);
    errors that were estimated apart may fit no covariance exactly, and the nearest one is taken.
    """
    centre = np.eye(len(spread)) - 1 / len(spread)
    values, vectors = np.linalg.eigh(-0.5 * centre @ spread**2 @ centre)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def least_error(differing: int, rows: int) -> float:
    """Smallest standard error to believe of a paired difference of shares.

    Agresti and Min (2005) add half a row to each cell of the paired table; without it, two levers
    that agree on ten rows would be shown equal.

    Parameters
    ----------
    differing
        Rows that one of the two answered right and the other wrong.
    """
    return math.sqrt(differing + 1) / (rows + 2)

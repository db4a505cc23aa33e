"""How many labelled test rows would tell."""

from __future__ import annotations

import math

POWER_80 = 0.8416
"""Standard normal quantile of 80 % power."""


def rows_needed(rows: int, error: float, margin: float, critical: float = 1.645) -> int:
    """Labelled test rows with which two equally good levers are shown so within ``margin``.

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

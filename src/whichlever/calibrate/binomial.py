"""Exact bounds for a share (Clopper and Pearson 1934)."""

from __future__ import annotations

import math


def clopper_pearson(hits: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval for a share.

    Parameters
    ----------
    hits, trials
        Counts, or effective counts where rows come in groups (Korn and Graubard 1998).
    level
        Confidence, 0 to 1.

    Returns
    -------
    tuple of float
        (low, high); (0, 1) without trials.
    """
    from scipy.special import betaincinv

    if trials <= 0:
        return 0.0, 1.0
    alpha = 1 - level
    misses = trials - hits
    low = 0.0 if hits <= 0 else float(betaincinv(hits, misses + 1, alpha / 2))
    high = 1.0 if misses <= 0 else float(betaincinv(hits + 1, misses, 1 - alpha / 2))
    return low, high


def rows_for_share(share: float, confidence: float = 0.95) -> int:
    """Fewest rows, all of them hits, that show a share of at least ``share``.

    The least n with share**n ≤ 1 − confidence: 299 for 99 % at 95 % (one-sided).

    Raises
    ------
    ValueError
        No number of rows shows a share of 1.
    """
    if share >= 1:
        raise ValueError("no number of rows shows a share of 1")
    if share <= 0:
        return 1
    return math.ceil(math.log(1 - confidence) / math.log(share) - 1e-12)

"""A confidence sequence for a share: an interval that may be looked at after every row.

The capital of a gambler who bets against the share p by a Beta(½, ½) mixture of alternatives is

    M(p) = B(k + ½, n − k + ½) / B(½, ½) / (p^k (1 − p)^(n − k))

after k hits in n rows. If every row is a hit with probability p given those before it, M(p) is a
nonnegative martingale that starts at 1, so that it ever reaches 1/δ with probability at most δ
(Ville 1939). The shares that it has not reached 1/δ for are a confidence sequence (Robbins 1970;
Howard, Ramdas, McAuliffe and Sekhon 2021; as a betting game, Waudby-Smith and Ramdas 2023): it
covers p at all times at once with probability 1 − δ, so that stopping at a bad moment, or looking
every day, spoils nothing. Clopper and Pearson's interval has no such leave.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def log_capital(hits: npt.ArrayLike, rows: npt.ArrayLike, share: float) -> Floats:
    """Natural logarithm of M(share), any shape."""
    from scipy.special import betaln, xlog1py, xlogy

    k = np.asarray(hits, dtype=np.float64)
    misses = np.asarray(rows, dtype=np.float64) - k
    likelihood = xlogy(k, share) + xlog1py(misses, -share)
    return np.asarray(betaln(k + 0.5, misses + 0.5) - betaln(0.5, 0.5) - likelihood)


def confidence_sequence(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval at this moment; (0, 1) without rows.

    Raises
    ------
    ValueError
        More hits than rows, or a negative count.
    """
    from scipy.optimize import brentq

    if not 0 <= hits <= rows:
        raise ValueError(f"{hits} hits in {rows} rows")
    if rows == 0:
        return 0.0, 1.0
    limit = -math.log(1 - confidence)
    best = hits / rows

    def over(share: float) -> float:
        return float(log_capital(hits, rows, share)) - limit

    tiny = 1e-15
    low = 0.0 if hits == 0 else float(brentq(over, tiny, max(best, 2 * tiny), xtol=1e-14))
    high = 1.0 if hits == rows else float(brentq(over, min(best, 1 - 2 * tiny), 1 - tiny))
    return low, high

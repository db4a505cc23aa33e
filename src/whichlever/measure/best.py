"""Multiple comparisons with the best (Hsu 1984), by bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.measure.intervals import student

Floats = npt.NDArray[np.float64]
ALPHA = 0.05


@dataclass(frozen=True)
class Contrast:
    """``first`` − ``second`` on their common rows: the figure, its draws, its standard error.

    ``units`` is how many rows, or groups, were drawn, unequal groups counted for what they are
    worth (`intervals.effective_units`); None is many.
    """

    first: str
    second: str
    value: float
    draws: Floats
    error: float
    units: float | None = None


def upper_bounds(
    levers: Sequence[str], contrasts: Mapping[tuple[str, str], Contrast], alpha: float = ALPHA
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Bound how much better each lever may be than each other one.

    For every lever j taken as the best, d_j is the 1 − α quantile over draws of the largest
    studentised error of (j − i), i ≠ j. The bound on (j − i) is its figure plus d_j standard
    errors, more of them where few units were drawn (Student's t). Then max over j of the bounds on
    (j − i), at least 0, bounds how far lever i is behind the best of the others, for all i together
    with confidence 1 − α: only the event of the truly best j is needed (Hsu 1984; Hsu 1996,
    Multiple Comparisons, section 4.2). A lever whose bound is within a margin is non-inferior to
    the best.

    Parameters
    ----------
    levers
        The candidates.
    contrasts
        One per unordered pair of them, under either order.

    Returns
    -------
    bounds : dict
        (j, i) → upper bound of j − i, for every ordered pair.
    critical : dict
        j → d_j.
    """
    bounds: dict[tuple[str, str], float] = {}
    critical: dict[str, float] = {}
    for j in levers:
        others = [i for i in levers if i != j]
        worst: Floats | None = None
        for i in others:
            value, draws, _, _ = _oriented(contrasts, j, i)
            known = draws[np.isfinite(draws)]
            spread = float(known.std()) if len(known) else 0.0
            if spread <= 0:
                continue
            # By the draws' own spread: an error larger than it then widens the bound in full.
            studentised = np.nan_to_num((value - draws) / spread)
            worst = studentised if worst is None else np.maximum(worst, studentised)
        # Never below the normal quantile of one comparison: answers that hardly differ give
        # draws too lumpy to tell.
        critical[j] = 1.645 if worst is None else max(1.645, float(np.quantile(worst, 1 - alpha)))
        for i in others:
            value, _, error, units = _oriented(contrasts, j, i)
            few = 1.0 if units is None else student(units, 1 - 2 * alpha)
            # No two shares are further apart than 1.
            bounds[j, i] = min(1.0, value + critical[j] * few * error)
    return bounds, critical


def _oriented(
    contrasts: Mapping[tuple[str, str], Contrast], j: str, i: str
) -> tuple[float, Floats, float, float | None]:
    if (j, i) in contrasts:
        found = contrasts[j, i]
        return found.value, found.draws, found.error, found.units
    found = contrasts[i, j]
    return -found.value, -found.draws, found.error, found.units

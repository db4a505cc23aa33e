"""A share of rows with its interval, from one flag a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share

Flags = npt.NDArray[np.bool_]


def share_of(hits: Flags, groups: Sequence[str] | None, seed: int) -> Interval:
    """The share of rows that are hits, shape (n,), with the groups' own spread where there are
    groups.
    """
    n, count = len(hits), float(hits.sum())
    if groups is None or not n:
        return share(count, n, None, None)
    draws = Draws.over(n, groups, seed=seed)
    drawn = np.concatenate(
        [hits.astype(float) @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()]
    )
    return share(count, n, len(set(groups)), drawn)

"""The newest rows: labelling practice drifts, so old rows can hurt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whichlever.predict import Row


def newest(rows: Sequence[Row], count: int | None, seed: int) -> list[Row]:
    """The ``count`` newest rows, oldest first; all where None or there are no more.

    Rows without a time are older than any with one, and among themselves in a random order drawn
    from ``seed``; equal times likewise.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    if count is None or count >= len(rows):
        return list(rows)
    dated = sorted(order.tolist(), key=lambda i: _time(rows[i]))
    return [rows[i] for i in dated[-count:]]


def _time(row: Row) -> float:
    return float("-inf") if row.time is None else row.time

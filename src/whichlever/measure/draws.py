"""Bootstrap draws: the same for every lever, so that intervals are paired and simultaneous."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2_000

CHUNK_CELLS = 4_000_000
"""Weights held at once: 32 MB, however many rows there are."""


@dataclass(frozen=True, eq=False)
class Draws:
    """A seeded bootstrap over groups, or over rows where there are none.

    A lever that answered only the first m rows is weighted with the first m weights of the same
    draws; its sample size then varies a little from draw to draw, which is the price of pairing
    every lever with every other at once.

    Attributes
    ----------
    units
        The unit that each row is drawn with, 0 to count − 1, shape (n,).
    count
        How many units there are.
    """

    units: npt.NDArray[np.int64]
    count: int
    draws: int = DRAWS
    seed: int = 0

    @classmethod
    def over(
        cls, rows: int, groups: Sequence[str] | None, draws: int = DRAWS, seed: int = 0
    ) -> Draws:
        """Draws over ``groups``, or over rows where it is None."""
        if groups is None:
            return cls(np.arange(rows), rows, draws, seed)
        names, codes = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
        return cls(codes.astype(np.int64), len(names), draws, seed)

    def chunks(self) -> Iterator[npt.NDArray[np.float64]]:
        """Weights, shape (n, some draws), until all draws are done."""
        random = np.random.default_rng([self.seed, 1])
        size = max(1, min(self.draws, CHUNK_CELLS // max(len(self.units), 1)))
        for start in range(0, self.draws, size):
            b = min(size, self.draws - start)
            picks = random.integers(0, self.count, size=(b, self.count))
            picks += np.arange(b)[:, None] * self.count
            counts = np.bincount(picks.ravel(), minlength=b * self.count).reshape(b, self.count)
            yield counts.T.astype(np.float64)[self.units]

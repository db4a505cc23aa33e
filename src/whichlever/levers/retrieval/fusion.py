"""Two rankings become one: weighted reciprocal rank fusion.

Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual
rank learning methods", SIGIR: score(d) = sum over rankings of 1 / (c + rank(d)), ranks from 1.
Here each ranking has a weight, so that 0 and 1 are either ranking alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fusion:
    """How rankings are joined: ``dense`` is the dense ranking's weight in [0, 1], ``c`` the
    constant that says how little the first ranks differ.
    """

    dense: float = 0.5
    c: float = 60.0

    def as_json(self) -> dict[str, Any]:
        """The two knobs as JSON values."""
        return asdict(self)


def fuse(
    sparse: Positions, dense: Positions, fusion: Fusion, depth: int
) -> tuple[Positions, Floats]:
    """Join two rankings of each query.

    Parameters
    ----------
    sparse, dense
        Passage positions, best first, shapes (n, a) and (n, b); -1 fills a ranking that ends
        early. A position stands at most once in each row.
    fusion
        The weight and the constant.
    depth
        Positions wanted per query.

    Returns
    -------
    positions : int64 array, shape (n, depth)
        Best first, equal scores in order of position, -1 where fewer were found.
    scores : float32 array, shape (n, depth)
        Fused scores, 0 where there is no position.
    """
    n = len(sparse)
    ids = np.concatenate((sparse, dense), axis=1).astype(np.int64)
    gains = np.concatenate(
        (
            (1 - fusion.dense) / (fusion.c + 1 + np.arange(sparse.shape[1])),
            fusion.dense / (fusion.c + 1 + np.arange(dense.shape[1])),
        )
    )
    scores = np.where(ids >= 0, gains, 0.0)
    by_id = np.argsort(ids, axis=1, kind="stable")
    ids = np.take_along_axis(ids, by_id, axis=1)
    scores = np.take_along_axis(scores, by_id, axis=1)
    twice = (ids[:, 1:] == ids[:, :-1]) & (ids[:, 1:] >= 0)
    scores[:, :-1] += np.where(twice, scores[:, 1:], 0.0)
    scores[:, 1:][twice] = 0.0
    best = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    top = np.take_along_axis(scores, best, axis=1)
    positions = np.where(top > 0, np.take_along_axis(ids, best, axis=1), -1)
    short = depth - positions.shape[1]
    if short > 0:
        positions = np.concatenate((positions, np.full((n, short), -1)), axis=1)
        top = np.concatenate((top, np.zeros((n, short))), axis=1)
    return positions, top.astype(np.float32)

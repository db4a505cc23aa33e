"""How good a grouping of alerts into incidents is: against labels, and against known incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile, share

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 1_000


def pairwise(
    found: Sequence[int], truth: Sequence[int], seed: int = 0
) -> tuple[Interval, Interval, Interval]:
    """Precision, recall and F1 of pairs of alerts that are put into one incident.

    Intervals are from a bootstrap over what hangs together in either grouping, so that no pair is
    torn; without ends where there are fewer than two such pieces.

    Parameters
    ----------
    found, truth
        The incident that each alert was put into, and the one it belongs to, length n.
    """
    mine, real = (np.unique(codes, return_inverse=True)[1] for codes in (found, truth))
    pieces = _pieces(mine, real)
    each = (mine * (int(real.max()) + 1) + real, mine, real)
    counts = np.stack([_pairs(groups, pieces) for groups in each], axis=1)
    busy = counts[counts.sum(axis=1) > 0]
    one = np.ones((len(busy), 1))
    values = _scores(busy.T @ one)[:, 0]
    drawn = np.empty((3, 0))
    if len(busy) > 1:
        draws = Draws.over(len(busy), None, draws=DRAWS, seed=seed)
        drawn = np.concatenate([_scores(busy.T @ w) for w in draws.chunks()], axis=1)
    precision, recall, f1 = (
        percentile(float(v), row, units=len(busy)) for v, row in zip(values, drawn, strict=True)
    )
    return precision, recall, f1


def purity(groups: Sequence[Mapping[str, int]]) -> Interval | None:
    """The share of alerts with the label of most alerts of their incident.

    ``groups`` are counts of labels, of incidents of two alerts and more; None without any.
    """
    sizes = np.array([sum(group.values()) for group in groups], dtype=np.float64)
    if len(groups) == 0 or sizes.sum() == 0:
        return None
    most = np.array([max(group.values()) for group in groups], dtype=np.float64)
    value = float(most.sum() / sizes.sum())
    if len(groups) < 2:
        return Interval(value=value)
    draws = Draws.over(len(groups), None, draws=DRAWS)
    drawn = np.concatenate([(most @ w) / (sizes @ w) for w in draws.chunks()])
    return share(value * float(sizes.sum()), float(sizes.sum()), len(groups), drawn)


def saved_looks(sizes: Sequence[int], seed: int = 0) -> Interval:
    """The share of looks saved where an incident takes one look; ``sizes`` in alerts."""
    many = np.asarray(sizes, dtype=np.float64)
    value = 1 - len(many) / float(many.sum())
    draws = Draws.over(len(many), None, draws=DRAWS, seed=seed)
    drawn = np.concatenate([1 - w.sum(axis=0) / (many @ w) for w in draws.chunks()])
    return percentile(value, drawn, units=len(many))


def _scores(counts: Floats) -> Floats:
    """Precision, recall and F1 from pairs in both, found and true, shape (3, draws)."""
    both, mine, real = counts
    nothing = np.ones_like(both)
    precision = np.divide(both, mine, out=nothing.copy(), where=mine > 0)
    recall = np.divide(both, real, out=nothing.copy(), where=real > 0)
    f1 = np.divide(2 * both, mine + real, out=nothing.copy(), where=mine + real > 0)
    return np.stack([precision, recall, f1])


def _pieces(found: Ints, truth: Ints) -> Ints:
    """The piece of each alert: alerts hang together that share an incident in either grouping."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    mine, real = int(found.max()) + 1, int(truth.max()) + 1
    links = coo_matrix((np.ones(len(found)), (found, mine + truth)), shape=(mine + real,) * 2)
    return np.asarray(connected_components(links, directed=False)[1][found], dtype=np.int64)


def _pairs(groups: Ints, pieces: Ints) -> Floats:
    """Pairs of alerts of one group, summed over each piece, shape (pieces,)."""
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    pairs = sizes * (sizes - 1) / 2
    summed = np.bincount(pieces[first], weights=pairs, minlength=int(pieces.max()) + 1)
    return np.asarray(summed, dtype=np.float64)

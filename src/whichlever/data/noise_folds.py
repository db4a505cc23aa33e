"""Which rows must be judged together: rows that would tell a model each other's label.

A row is judged by a model that has not seen it. Were its duplicate among the rows that the model
did see, with the same wrong label, the model would only repeat the mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.data.duplicates import exact_keys, near_pairs
from whichlever.predict import Row

Ints = npt.NDArray[np.int64]

NEAR = 0.9
"""Jaccard similarity from which rows stay in one fold: one changed word in about thirty. Lower, and
every alert from one template would be a near duplicate of all others, and each would be judged by a
model that never saw its kind (measured on the simulated company: at .7, one wrong label in ten that
was found was found no more)."""

LARGEST_SHARE = 0.5
"""A cluster of near duplicates grows to this share of a fold, no further: a fold that holds
most rows would leave nothing to learn from."""


@dataclass(frozen=True)
class Clusters:
    """Rows that stay in one fold.

    ``of`` is the cluster of each row, shape (n,); ``apart`` counts the near-duplicate pairs that
    were left in different clusters because theirs would have grown too large. Exact duplicates
    and rows of one group are never apart.
    """

    of: Ints
    apart: int


def cluster_rows(rows: Sequence[Row], folds: int, *, by_group: bool) -> Clusters:
    """Join rows with the same text, nearly the same text and, if asked, the same group.

    Near duplicates are joined nearest first (Kruskal 1956), so that what is left apart where a
    cluster is full is what is least alike.

    Parameters
    ----------
    rows
        The rows, in an order that does not depend on the file's.
    folds
        Folds that the clusters will be dealt into.
    by_group
        Keep rows of one group together.
    """
    keys = np.array(exact_keys([row.text for row in rows]), dtype=np.int64)
    forest = _Forest(len(rows))
    _join_equal(forest, keys)
    if by_group:
        names: dict[str, int] = {}
        codes = [
            names.setdefault(row.group, len(names)) if row.group is not None else -1 for row in rows
        ]
        _join_equal(forest, np.array(codes, dtype=np.int64))
    _, once = np.unique(keys, return_index=True)
    once = np.sort(once)
    earlier, later = near_pairs([rows[i].text for i in once], NEAR)
    most = max(2, int(LARGEST_SHARE * len(rows) / folds))
    apart = 0
    for i, j in zip(once[earlier].tolist(), once[later].tolist(), strict=True):
        apart += not forest.join(i, j, most)
    roots = np.array([forest.root(i) for i in range(len(rows))], dtype=np.int64)
    return Clusters(np.unique(roots, return_inverse=True)[1].astype(np.int64), apart)


def deal_folds(clusters: Ints, targets: Ints, folds: int, seed: int) -> Ints:
    """A fold for each row such that no cluster has two, with labels spread evenly.

    Large clusters first, then in a seeded order, each to the fold that has the fewest rows of the
    cluster's commonest label, then the fewest rows (a greedy stratified group split).

    Parameters
    ----------
    clusters, targets : shape (n,)
    folds
        Their number; fewer are used where there are fewer clusters.

    Returns
    -------
    ndarray
        Shape (n,), 0 to folds − 1.
    """
    count = int(clusters.max(initial=-1)) + 1
    folds = min(folds, max(count, 1))
    sizes = np.bincount(clusters, minlength=count)
    order = np.random.default_rng([seed, 6]).permutation(count)
    order = order[np.argsort(-sizes[order], kind="stable")]
    by_cluster = np.argsort(clusters, kind="stable")
    begins = np.concatenate([[0], np.cumsum(sizes)])
    held = np.zeros((folds, int(targets.max(initial=0)) + 1), dtype=np.int64)
    total = np.zeros(folds, dtype=np.int64)
    fold_of = np.zeros(count, dtype=np.int64)
    for cluster in order.tolist():
        mine = targets[by_cluster[begins[cluster] : begins[cluster + 1]]]
        labels, rows = np.unique(mine, return_counts=True)
        main = labels[rows.argmax()]
        fold = int(np.lexsort((total, held[:, main]))[0])
        fold_of[cluster] = fold
        held[fold, labels] += rows
        total[fold] += len(mine)
    return np.asarray(fold_of[clusters], dtype=np.int64)


class _Forest:
    """Disjoint sets (Tarjan 1975), each under its lowest member, with their sizes."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._size = [1] * count

    def root(self, i: int) -> int:
        while self._above[i] != i:
            self._above[i] = self._above[self._above[i]]
            i = self._above[i]
        return i

    def join(self, i: int, j: int, most: int) -> bool:
        """Whether the two are in one set afterwards; not where it would hold over ``most``."""
        a, b = sorted((self.root(i), self.root(j)))
        if a == b:
            return True
        if self._size[a] + self._size[b] > most:
            return False
        self._above[b] = a
        self._size[a] += self._size[b]
        return True


def _join_equal(forest: _Forest, codes: Ints) -> None:
    """Join the rows that share a code, without limit; code -1 is none."""
    first: dict[int, int] = {}
    for i, code in enumerate(codes.tolist()):
        if code >= 0:
            forest.join(first.setdefault(code, i), i, len(codes))

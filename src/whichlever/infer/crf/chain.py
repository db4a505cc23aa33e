"""One trained chain: weights by hashed feature, a line's best labels, and their probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
OUTSIDE = "O"


@dataclass(frozen=True, eq=False)
class Chain:
    """A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001).

    Attributes
    ----------
    labels
        Names of the labels; a label is the marks of a token, `OUTSIDE` where it has none.
    features
        Ascending hashes, uint64, shape (features,).
    first, label, weight
        Each feature's weights: those at ``first[f]`` to ``first[f + 1]`` are of ``label``.
    transitions
        From (row) → to (column) label, shape (labels, labels).
    """

    labels: tuple[str, ...]
    features: Array
    first: Array
    label: Array
    weight: Array
    transitions: Array

    def best(self, tokens: Sequence[Sequence[int]]) -> tuple[list[str], float]:
        """The likeliest labels of a line, and their probability.

        Parameters
        ----------
        tokens
            Each token's hashed features.
        """
        if not tokens:
            return [], 1.0
        scores = self._scores(tokens)
        path, top = _viterbi(scores, self.transitions)
        whole = _log_partition(scores, self.transitions)
        return [self.labels[i] for i in path], float(np.exp(min(0.0, top - whole)))

    def _scores(self, tokens: Sequence[Sequence[int]]) -> Array:
        """What speaks for each label at each token, shape (tokens, labels)."""
        out = np.zeros((len(tokens), len(self.labels)))
        sizes = [len(t) for t in tokens]
        asked = np.fromiter((f for t in tokens for f in t), np.uint64, sum(sizes))
        place = np.searchsorted(self.features, asked)
        place[place == len(self.features)] = 0
        known = self.features[place] == asked if len(self.features) else np.zeros(0, bool)
        token = np.repeat(np.arange(len(tokens)), sizes)[known]
        begin, end = self.first[place[known]], self.first[place[known] + 1]
        length = end - begin
        at = np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(length.sum())
        np.add.at(out, (np.repeat(token, length), self.label[at]), self.weight[at])
        return out

    def arrays(self, before: str) -> dict[str, Array]:
        """Arrays to store, their names after ``before``."""
        return {
            f"{before}features": self.features,
            f"{before}first": self.first.astype(np.int64),
            f"{before}label": self.label.astype(np.int32),
            f"{before}weight": self.weight.astype(np.float32),
            f"{before}transitions": self.transitions.astype(np.float32),
        }

    @classmethod
    def of(cls, labels: Sequence[str], arrays: Mapping[str, Array], before: str) -> Self:
        """Read what `arrays` gave.

        Raises
        ------
        KeyError, ValueError
            Something is missing, or does not fit together.
        """
        names = ("features", "first", "label", "weight", "transitions")
        features, first, label, weight, transitions = (arrays[before + n] for n in names)
        k = len(labels)
        fits = (
            k > 0
            and features.dtype == np.uint64
            and features.ndim == first.ndim == label.ndim == weight.ndim == 1
            and len(first) == len(features) + 1
            and len(label) == len(weight) == first[-1]
            and first[0] == 0
            and bool((np.diff(first) >= 0).all())
            and bool((features[1:] > features[:-1]).all())
            and transitions.shape == (k, k)
            and (len(label) == 0 or (int(label.min()) >= 0 and int(label.max()) < k))
            and bool(np.isfinite(weight).all())
            and bool(np.isfinite(transitions).all())
        )
        if not fits:
            raise ValueError(f"the arrays of {before!r} do not fit together")
        return cls(
            tuple(labels), features, first.astype(np.int64), label.astype(np.int64),
            weight.astype(np.float64), transitions.astype(np.float64),
        )  # fmt: skip


def _viterbi(scores: Array, transitions: Array) -> tuple[list[int], float]:
    best = scores[0]
    back = np.zeros(scores.shape, np.int64)
    for t in range(1, len(scores)):
        through = best[:, None] + transitions
        back[t] = through.argmax(axis=0)
        best = through[back[t], np.arange(len(best))] + scores[t]
    last = int(best.argmax())
    path = [last]
    for t in range(len(scores) - 1, 0, -1):
        path.append(int(back[t][path[-1]]))
    return path[::-1], float(best[last])


def _log_partition(scores: Array, transitions: Array) -> float:
    total = scores[0]
    for t in range(1, len(scores)):
        through = total[:, None] + transitions
        top = through.max(axis=0)
        total = top + np.log(np.exp(through - top).sum(axis=0)) + scores[t]
    top_of_all = float(total.max())
    return top_of_all + float(np.log(np.exp(total - top_of_all).sum()))

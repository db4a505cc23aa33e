"""Labelled lines, found by the tokens that they share with a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from whichlever.fields.align import Aligned
from whichlever.fields.transfer import Solved, cut_line
from whichlever.predict import Row

CHUNK = 256
SHARED = 0.5
"""Likeness that the same source adds, where both lines' sources are known."""


class LineIndex:
    """Labelled lines by cosine of their tokens and token pairs, weighted by rarity.

    Parameters
    ----------
    aligned
        Labelled lines and where their values stand.
    """

    def __init__(self, aligned: Sequence[Aligned]) -> None:
        self.aligned = tuple(aligned)
        self.solved = tuple(Solved.of(found) for found in aligned)
        self._place: dict[str, int] = {}
        counts = _counts([s.keys for s in self.solved], self._place, grow=True)
        seen = np.bincount(counts.indices, minlength=len(self._place))
        self._weight = np.log((1 + len(self.solved)) / (1 + seen)) + 1
        self._vectors = self._weighed(counts).T.tocsc()
        names = sorted({s.line.source for s in self.solved if s.line.source is not None})
        self._sources = {name: i for i, name in enumerate(names)}
        self._source = np.array(
            [self._sources.get(s.line.source or "", -1) for s in self.solved], dtype=np.int64
        )

    def __len__(self) -> int:
        return len(self.solved)

    def nearest(
        self, rows: Sequence[Row], depth: int, within: int | None = None
    ) -> list[list[int]]:
        """For each row the places of its nearest labelled lines, nearest first.

        Parameters
        ----------
        within
            Only the first so many labelled lines.
        """
        out: list[list[int]] = []
        own = self._source[:within]
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            counts = _counts([cut_line(row.text)[1] for row in part], self._place, grow=False)
            alike = np.asarray((self._weighed(counts) @ self._vectors[:, :within]).todense())
            for row, scores in zip(part, alike, strict=True):
                if (place := self._sources.get(row.source or "")) is not None:
                    scores = scores + SHARED * (own == place)
                take = min(depth, len(scores))
                top = np.argpartition(-scores, take - 1)[:take]
                out.append(top[np.argsort(-scores[top], kind="stable")].tolist())
        return out

    def _weighed(self, counts: csr_matrix) -> Any:  # noqa: ANN401 - scipy.sparse is untyped
        found = counts.multiply(self._weight[None, :]).tocsr()
        length = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
        return csr_matrix(found.multiply(1 / np.maximum(length, 1e-12)[:, None]))


def _counts(lines: Sequence[Sequence[str]], place: dict[str, int], *, grow: bool) -> csr_matrix:
    """Which tokens and pairs of neighbours each line has, shape (lines, features)."""
    columns: list[int] = []
    ends = [0]
    for keys in lines:
        found = {*keys, *(f"{a} {b}" for a, b in pairwise(keys))}
        if grow:
            columns += [place.setdefault(f, len(place)) for f in sorted(found)]
        else:
            columns += [place[f] for f in found if f in place]
        ends.append(len(columns))
    ones: npt.NDArray[np.float64] = np.ones(len(columns))
    return csr_matrix((ones, columns, ends), shape=(len(lines), max(1, len(place))))

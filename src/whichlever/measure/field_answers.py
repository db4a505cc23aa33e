"""Answers that are fields of a line, as what scores and paired tests are computed from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from whichlever.measure.field_counts import FieldCounts
from whichlever.measure.scores import Floats, Ints, Scored


class FieldAnswers(Scored):
    """One lever's fields, ready for counting.

    The ratio metric is micro-F1: 2·hit / (true + said) over all pairs of all rows; the share is
    that of rows that are right as a whole. A class is a name.
    """

    ratio = "micro_f1"
    share = "line_exact"

    def __init__(self, counts: FieldCounts) -> None:
        self.fields = counts
        classes = np.flatnonzero(counts.true[:, :-1].sum(axis=0) > 0)
        by_part = (counts.hit, counts.true, counts.said)
        super().__init__(
            counts.exact.astype(np.float64),
            classes.astype(np.int64),
            _triple([part[:, classes].T for part in by_part]),
            _triple([part.sum(axis=1)[None, :] for part in by_part]),
        )

    def differing(self, other: Scored) -> Ints:
        """The rows in which the two have different counts, or one alone is right."""
        assert isinstance(other, FieldAnswers)
        mine, theirs = self.fields, other.fields
        unlike = (mine.hit != theirs.hit).any(axis=1) | (mine.said != theirs.said).any(axis=1)
        return np.flatnonzero(unlike | (mine.exact != theirs.exact))

    def invented(self, weights: Floats) -> Floats:
        """Share of the values said that were made up, shape (draws,); 0 where nothing was said."""
        top = self.fields.invented.astype(np.float64) @ weights
        said = self._pooled[2] @ weights
        return np.asarray(np.divide(top, said[0], out=np.zeros_like(top), where=said[0] > 0))

    def take(self, rows: Ints) -> FieldAnswers:
        """The answers to these rows."""
        mine = self.fields
        return FieldAnswers(
            FieldCounts(
                mine.hit[rows], mine.said[rows], mine.true[rows], mine.exact[rows],
                mine.invented[rows],
            )
        )  # fmt: skip


def _triple(parts: list[npt.NDArray[np.int64]]) -> tuple[Any, Any, Any]:
    hit, true, said = (csr_matrix(part.astype(np.float64)) for part in parts)
    return hit, true, said

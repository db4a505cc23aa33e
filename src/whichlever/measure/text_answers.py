"""Answers that are text, as what scores and paired tests are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from whichlever.measure.scores import Floats, Ints, Scored, indicator

RATIOS = ("token_f1", "rouge_l")
"""Means over rows of a score between 0 and 1."""

FLAGS = ("outside", "valid")
"""Shares of rows that not every task has."""


@dataclass(frozen=True, eq=False)
class TextScores:
    """How like the truth each answer is, each of shape (n,).

    ``outside`` marks answers that are none of the closed set; None where answers are open.
    ``valid`` marks those that satisfy the task's JSON schema; None where it has none.
    """

    exact: npt.NDArray[np.bool_]
    token_f1: Floats
    rouge_l: Floats
    outside: npt.NDArray[np.bool_] | None = None
    valid: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.exact)

    def take(self, rows: Ints) -> TextScores:
        """The scores of these rows."""
        flags = (None if own is None else own[rows] for own in (self.outside, self.valid))
        return TextScores(self.exact[rows], self.token_f1[rows], self.rouge_l[rows], *flags)


class TextAnswers(Scored):
    """One lever's texts, ready for counting.

    The share is that of rows whose answer is the true text after normalising; the ratio metric is
    a mean over rows, written as counts: a row of score s adds s to hit and 1 to true and said, so
    that 2·hit / (true + said) is the mean. A class is an answer of a closed set.

    Parameters
    ----------
    texts
        The scores of n rows.
    targets, predicted
        Place of the true and the said text in the closed set, shape (n,); −1 is none of it.
    ratio
        One of `RATIOS`: the ratio metric.

    Attributes
    ----------
    extra
        What `mean` gives beside the two metrics.
    """

    share = "exact_match"

    def __init__(
        self, texts: TextScores, targets: Ints, predicted: Ints, ratio: str = RATIOS[0]
    ) -> None:
        self.texts, self.targets, self.predicted, self.ratio = texts, targets, predicted, ratio
        self.extra = tuple(name for name in RATIOS if name != ratio)
        self.extra += tuple(name for name in FLAGS if getattr(texts, name) is not None)
        classes = np.unique(targets[targets >= 0])
        hit = np.where((targets == predicted) & (targets >= 0), targets, -1)
        row = csr_matrix(getattr(texts, ratio)[None, :])
        one = csr_matrix(np.ones((1, len(texts))))
        super().__init__(
            texts.exact.astype(np.float64),
            classes,
            (indicator(hit, classes), indicator(targets, classes), indicator(predicted, classes)),
            (row, one, one),
        )

    def mean(self, name: str, weights: Floats) -> Floats:
        """Weighted mean of one of `RATIOS` or of `FLAGS`, shape (draws,)."""
        values = getattr(self.texts, name).astype(np.float64)
        return np.asarray(values @ weights / np.maximum(weights.sum(axis=0), 1e-12))

    def differing(self, other: Scored) -> Ints:
        """The rows in which any score or answer of the two differs."""
        assert isinstance(other, TextAnswers)
        a, b = self.texts, other.texts
        unlike = (a.token_f1 != b.token_f1) | (a.rouge_l != b.rouge_l) | (a.exact != b.exact)
        return np.flatnonzero(unlike | (self.predicted != other.predicted))

    def take(self, rows: Ints) -> TextAnswers:
        """The answers to these rows."""
        return TextAnswers(
            self.texts.take(rows), self.targets[rows], self.predicted[rows], self.ratio
        )

"""Scores of answers, from weighted counts: a row's weight is 1, or how often a draw took it.

Every function takes weights of shape (n, draws), so that two thousand bootstrap draws of a score
are three sparse matrix products, hundreds of classes or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassCounts:
    """Weighted counts per class, each of shape (classes, draws).

    ``hit``: rows of the class answered with it; ``true``: rows of the class; ``said``: rows
    answered with it.
    """

    hit: Floats
    true: Floats
    said: Floats

    def f1(self) -> Floats:
        """2·hit / (true + said), 0 where both are 0; shape (classes, draws)."""
        return _ratio(2 * self.hit, self.true + self.said)

    def macro_f1(self) -> Floats:
        """Mean F1 over the classes that have a true row, shape (draws,).

        The same as scikit-learn's ``f1_score(labels=np.unique(y_true), average="macro",
        zero_division=0)``: a class that no row has is left out, in a bootstrap draw too, since
        counting it as 0 would only measure how many rare classes the draw missed. A wrong answer
        still counts against the class that should have been answered.
        """
        present = self.true > 0
        return _ratio((self.f1() * present).sum(axis=0), present.sum(axis=0).astype(np.float64))

    def recall(self) -> Floats:
        """Recall: hit / true, 0 where the class has no row; shape (classes, draws)."""
        return _ratio(self.hit, self.true)

    def precision(self) -> Floats:
        """Precision: hit / said, 0 where it was never answered; shape (classes, draws)."""
        return _ratio(self.hit, self.said)


class Scored:
    """One lever's answers as counts per class: of labels, or of names of fields.

    Parameters
    ----------
    correct
        1 where the whole answer to a row is right, shape (n,).
    classes
        The classes that have a true row, ascending, shape (k,).
    parts
        Sparse counts of hit, true and said, each of shape (k, n): what a detailed table counts.
    pooled
        The same for the ratio metric, shape (rows, n): its F1 is the mean over these rows.

    Attributes
    ----------
    ratio, share
        Names of the two metrics over all classes: a ratio of counts, and a share of rows.
    """

    ratio = "macro_f1"
    share = "accuracy"

    def __init__(
        self,
        correct: Floats,
        classes: Ints,
        parts: tuple[Any, Any, Any],
        pooled: tuple[Any, Any, Any],
    ) -> None:
        self.correct = correct
        self.classes = classes
        self._parts, self._pooled = parts, pooled

    def __len__(self) -> int:
        return len(self.correct)

    def count(self, weights: Floats) -> ClassCounts:
        """Counts per class of `classes` under weights of shape (n, draws)."""
        return ClassCounts(*(part @ weights for part in self._parts))

    def pool(self, weights: Any) -> ClassCounts:  # noqa: ANN401 - an array, or a sparse matrix
        """The counts that the ratio metric is made of, under weights of shape (n, draws)."""
        return ClassCounts(*(part @ weights for part in self._pooled))

    def pooled_at(self, rows: Ints) -> tuple[Any, Any]:
        """Sparse counts of hit and said that the ratio metric is made of, at some rows."""
        return self._pooled[0][:, rows], self._pooled[2][:, rows]

    def accuracy(self, weights: Floats) -> Floats:
        """Share of right answers, shape (draws,); 0 for a draw without rows."""
        return _ratio(self.correct @ weights, weights.sum(axis=0))

    def metric(self, name: str, weights: Floats) -> Floats:
        """Draw values of one of the two metrics, shape (draws,)."""
        return self.accuracy(weights) if name == self.share else self.pool(weights).macro_f1()

    def has_true(self, c: int) -> npt.NDArray[np.bool_]:
        """Which rows have the class, shape (n,)."""
        return self._marks(1, c)

    def has_said(self, c: int) -> npt.NDArray[np.bool_]:
        """Which rows were answered with the class, shape (n,)."""
        return self._marks(2, c)

    def _marks(self, part: int, c: int) -> npt.NDArray[np.bool_]:
        row = self._parts[part][int(np.searchsorted(self.classes, c))]
        return np.asarray(row.toarray()[0] > 0)

    def differing(self, other: Scored) -> Ints:
        """The rows that two levers answered differently, as far as any score can tell."""
        raise NotImplementedError

    def take(self, rows: Ints) -> Scored:
        """The answers to these rows."""
        raise NotImplementedError

    def head(self, rows: int) -> Scored:
        """The answers to the first rows."""
        return self if rows == len(self) else self.take(np.arange(rows))


class Answers(Scored):
    """One lever's labels, ready for counting.

    Parameters
    ----------
    targets, predicted
        Label indices, shape (n,); −1 is a label outside the run's (target) or no answer
        (predicted): always wrong.
    """

    def __init__(self, targets: Ints, predicted: Ints) -> None:
        self.targets = np.asarray(targets, dtype=np.int64)
        self.predicted = np.asarray(predicted, dtype=np.int64)
        correct = ((self.targets == self.predicted) & (self.targets >= 0)).astype(np.float64)
        classes = np.unique(self.targets[self.targets >= 0])
        parts = (
            indicator(np.where(correct > 0, self.targets, -1), classes),
            indicator(self.targets, classes),
            indicator(self.predicted, classes),
        )
        super().__init__(correct, classes, parts, parts)

    def differing(self, other: Scored) -> Ints:
        """The rows that two levers gave different labels."""
        assert isinstance(other, Answers)
        return np.flatnonzero(self.predicted != other.predicted)

    def take(self, rows: Ints) -> Answers:
        """The answers to these rows."""
        return Answers(self.targets[rows], self.predicted[rows])


def indicator(values: Ints, classes: Ints) -> Any:  # noqa: ANN401 - scipy.sparse is untyped
    """Sparse 0/1 matrix, shape (classes, n): row c marks where ``values`` is class c."""
    place = np.searchsorted(classes, values)
    inside = place < len(classes)
    inside[inside] = classes[place[inside]] == values[inside]
    columns = np.flatnonzero(inside)
    ones = np.ones(len(columns))
    return csr_matrix((ones, (place[columns], columns)), shape=(len(classes), len(values)))


def macro_f1(targets: Ints, predicted: Ints) -> float:
    """Macro-F1 of answers as they are; see `ClassCounts.macro_f1` for its exact definition."""
    return float(Answers(targets, predicted).metric("macro_f1", np.ones((len(targets), 1)))[0])


def accuracy(targets: Ints, predicted: Ints) -> float:
    """Share of right answers; an unanswered row is wrong."""
    return float(Answers(targets, predicted).accuracy(np.ones((len(targets), 1)))[0])


def mistake_costs(
    targets: Ints,
    predicted: Ints,
    labels: Sequence[str],
    mistakes: Mapping[str, Mapping[str, float]],
) -> Floats:
    """Relative cost of each answer, shape (n,).

    A right answer costs 0; a mistake that the task does not price costs 1, the unit; an
    unanswered row costs the worst mistake that its true label can have.
    """
    k = len(labels)
    cost = np.ones((k + 1, k + 1))  # the last row is a true label outside the run's
    np.fill_diagonal(cost[:k, :k], 0.0)
    index = {label: i for i, label in enumerate(labels)}
    for true, row in mistakes.items():
        for said, value in row.items():
            if true in index and said in index:
                cost[index[true], index[said]] = value
    # The last column, reached as −1, is no answer at all.
    cost[:, k] = cost[:, :k].max(axis=1)
    return np.asarray(cost[targets, predicted], dtype=np.float64)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(top, dtype=np.float64), where=bottom > 0)

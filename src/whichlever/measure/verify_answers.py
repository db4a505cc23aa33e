"""Answers to "did this person write it?", as what scores and paired tests are computed from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

from whichlever.measure.scores import Floats, Ints, Scored, indicator

GENUINE = 0
"""Place of ``genuine`` in the labels; ``impostor`` is the other."""


class VerifyAnswers(Scored):
    """One lever's scores of mails that bear persons' names.

    The share is that of right answers. The ratio metric is the AUC: each person's own (a
    threshold is set for each person), its mean over persons. It is written as a mean over rows of
    its structural components (DeLong, DeLong and Clarke-Pearson 1988): a row's component is the
    AUC plus how far the row moves it, so that draws, the jackknife and swaps of rows move the AUC
    as they would to first order. A class is genuine or impostor.

    Parameters
    ----------
    genuine
        Probability of being genuine, shape (n,); nan is not answered, which is wrong.
    targets, predicted
        Places of labels, shape (n,); −1 in ``predicted`` is not answered.
    persons
        Whose name each row bears, shape (n,).
    """

    ratio = "auc"
    share = "accuracy"

    def __init__(
        self, genuine: Floats, targets: Ints, predicted: Ints, persons: npt.NDArray[np.str_]
    ) -> None:
        self.genuine, self.targets, self.predicted = genuine, targets, predicted
        self.persons = persons
        self.components = components(judged(genuine, targets), targets, persons)
        correct = (targets == predicted).astype(np.float64)
        classes = np.unique(targets[targets >= 0])
        hit = np.where(correct > 0, targets, -1)
        one = csr_matrix(np.ones((1, len(targets))))
        super().__init__(
            correct,
            classes,
            (indicator(hit, classes), indicator(targets, classes), indicator(predicted, classes)),
            (csr_matrix(self.components[None, :]), one, one),
        )

    def differing(self, other: Scored) -> Ints:
        """The rows that the two scored, or answered, differently."""
        assert isinstance(other, VerifyAnswers)
        unlike = self.components != other.components
        return np.flatnonzero(unlike | (self.predicted != other.predicted))

    def take(self, rows: Ints) -> VerifyAnswers:
        """The answers to these rows."""
        return VerifyAnswers(
            self.genuine[rows], self.targets[rows], self.predicted[rows], self.persons[rows]
        )


def judged(genuine: Floats, targets: Ints) -> Floats:
    """The scores, with what was not answered as wrong as can be."""
    return np.where(np.isnan(genuine), np.where(targets == GENUINE, -1.0, 2.0), genuine)


def components(scores: Floats, targets: Ints, persons: npt.NDArray[np.str_]) -> Floats:
    """What each row adds to the mean over persons of the AUC; their mean is that AUC.

    Rows of a person of whom only genuine or only impostor rows are there add the mean itself.

    Returns
    -------
    ndarray
        Shape (n,); .5 everywhere where no person has both.
    """
    parts = []
    for person in np.unique(persons):
        own = persons == person
        yes, no = np.flatnonzero(own & (targets == GENUINE)), np.flatnonzero(own & (targets != 0))
        if len(yes) and len(no):
            parts.append((yes, no, *_placements(scores[yes], scores[no])))
    if not parts:
        return np.full(len(scores), 0.5)
    every = [float(above.mean()) for _, _, above, _ in parts]
    found = np.full(len(scores), float(np.mean(every)))
    for (yes, no, above, below), auc in zip(parts, every, strict=True):
        weight = len(scores) / len(parts)
        found[yes] += weight * (above - auc) / len(yes)
        found[no] += weight * (below - auc) / len(no)
    return found


def _placements(yes: Floats, no: Floats) -> tuple[Floats, Floats]:
    """Share of the others that each is on the right side of, ties half."""
    ranks = rankdata(np.concatenate((yes, no)))
    above = (ranks[: len(yes)] - rankdata(yes)) / len(no)
    below = 1 - (ranks[len(yes) :] - rankdata(no)) / len(yes)
    return np.asarray(above), np.asarray(below)

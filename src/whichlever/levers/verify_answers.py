"""What levers of `kind: verify` have in common: rows by person, and a score as a probability."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.predict import Prediction, Row, Usage

GENUINE, IMPOSTOR = "genuine", "impostor"
Floats = npt.NDArray[np.float64]
Score = Callable[[str], Floats]
"""A text's scores of being the person's, shape (scores,)."""


@dataclass(frozen=True)
class ByPerson:
    """A person's own rows, oldest first, and everybody else's."""

    own: tuple[Row, ...]
    others: tuple[Row, ...]


def by_person(rows: Sequence[Row]) -> dict[str, ByPerson]:
    """Training rows of each person of whom there are genuine ones.

    Others' are all rows that the person did not write, under whosever name they came.
    """
    persons = sorted({row.person for row in rows if row.target == GENUINE and row.person})
    found = {}
    for person in persons:
        own = [r for r in rows if r.target == GENUINE and r.person == person]
        own.sort(key=lambda r: (r.time if r.time is not None else 0.0, r.id))
        mine = {row.id for row in own}
        others = [r for r in rows if r.id not in mine and r.author != person]
        found[person] = ByPerson(tuple(own), tuple(others))
    return found


@dataclass(frozen=True)
class Logistic:
    """From scores to the probability of being genuine: σ(scores · weights + bias)."""

    weights: Floats
    bias: float

    def of(self, scores: Floats) -> float:
        """The probability, kept off 0 and 1 so that it still orders."""
        z = float(scores @ self.weights + self.bias)
        return float(1 / (1 + np.exp(-np.clip(z, -15.0, 15.0))))

    @classmethod
    def fit(cls, scores: Sequence[Floats], genuine: Sequence[bool]) -> Logistic:
        """Learn it on rows that the scores had not learned from; even where there are none."""
        from sklearn.linear_model import LogisticRegression

        if len(set(genuine)) < 2:
            width = len(scores[0]) if scores else 1
            return cls(np.ones(width) / width, 0.0)
        made = LogisticRegression(class_weight="balanced").fit(np.stack(scores), list(genuine))
        return cls(made.coef_[0].astype(np.float64), float(made.intercept_[0]))


class Verifying:
    """Answers rows by the person's own score.

    Parameters
    ----------
    scores
        By person; a row that bears another name has the status ``missing``.
    logistic
        From a score to a probability, one for all persons.
    labels
        The run's label order.
    """

    def __init__(self, scores: dict[str, Score], logistic: Logistic, labels: Sequence[str]) -> None:
        self._scores, self._logistic, self._labels = scores, logistic, tuple(labels)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row: genuine where that is likelier than not."""
        return [self._one(row) for row in rows]

    def _one(self, row: Row) -> Prediction:
        began = time.perf_counter()
        score = self._scores.get(row.person or "")
        if score is None:
            return Prediction(
                row.id, None, status="missing", error=f"nothing was learned of {row.person!r}"
            )
        sure = self._logistic.of(score(row.text))
        by = {GENUINE: sure, IMPOSTOR: 1 - sure}
        found: Any = np.array([by[label] for label in self._labels], dtype=np.float32)
        label = GENUINE if sure >= 0.5 else IMPOSTOR
        return Prediction(row.id, label, found, usage=Usage(seconds=time.perf_counter() - began))


def fitted_logistic(scores: dict[str, Score], valid: Sequence[Row]) -> Logistic:
    """The logistic of validation rows whose person has a score."""
    known = [row for row in valid if (row.person or "") in scores]
    return Logistic.fit(
        [scores[row.person or ""](row.text) for row in known],
        [row.target == GENUINE for row in known],
    )

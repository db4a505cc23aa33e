"""The owned model answers, and hands what it is unsure of to somebody else.

Hybrid knows no other lever: it is *given* two predictors, or (in a comparison) the answers that two
levers gave to the same rows. Both ways go through `doubts` and one threshold, so they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from whichlever.calibrate import Temperature
from whichlever.predict import Prediction, Predictor, Row, Usage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Score = Literal["doubt", "cost"]
"""``doubt``: 1 − the probability of the answered label. ``cost``: the mistake cost to expect of
the answer, Σ over true labels of p(true) times the cost of true → answered (Bayes risk; Chow 1970
for the rule that rejects above a threshold on it)."""


def doubts(scores: npt.NDArray[np.floating], said: Ints, costs: Floats | None = None) -> Floats:
    """How unsure each answer is, shape (n,); infinite where there is no answer or no score.

    Parameters
    ----------
    scores
        Calibrated probabilities, shape (n, classes); rows of nan have none.
    said
        Index of the answered label, shape (n,); −1 is not answered.
    costs
        Mistake cost of true label (row) → said label (column), shape (classes, classes), for the
        score ``cost``; None for ``doubt``.
    """
    p = np.asarray(scores, dtype=np.float64)
    rows, at = np.arange(len(p)), np.maximum(said, 0)
    found = 1 - p[rows, at] if costs is None else (p * costs.T[at]).sum(axis=1)
    found[(said < 0) | np.isnan(p).any(axis=1)] = np.inf
    return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True)
class HybridPredictor:
    """Asks ``first``, and ``then`` only for the rows that ``first`` is unsure of.

    Attributes
    ----------
    first
        The owned model; its answers carry scores.
    then
        Who gets the rest; None is a person: such a row comes back ``handed``, without a label.
    labels
        The run's label order, which scores follow.
    threshold
        Rows whose doubt (or expected cost) is at least this are handed over.
    costs
        As in `doubts`: the costs of mistakes for the score ``cost``, None for ``doubt``.
    first_temperature, then_temperature
        Fitted on calibration rows; None leaves scores as they are.
    """

    first: Predictor
    then: Predictor | None
    labels: tuple[str, ...]
    threshold: float
    costs: Floats | None = None
    first_temperature: Temperature | None = None
    then_temperature: Temperature | None = None

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; where ``then`` cannot, the first answer stands."""
        answers = [_tempered(p, self.first_temperature) for p in self.first.predict(rows)]
        if not answers:
            return answers
        handed = np.flatnonzero(self._doubts(answers) >= self.threshold).tolist()
        if self.then is None:
            for i in handed:
                answers[i] = replace(answers[i], label=None, status="handed")
            return answers
        asked = self.then.predict([rows[i] for i in handed]) if handed else []
        for i, second in zip(handed, asked, strict=True):
            usage = _both(answers[i].usage, second.usage)
            stands = answers[i] if second.status != "ok" else second
            if second.status == "ok":
                stands = _tempered(second, self.then_temperature)
            answers[i] = replace(stands, usage=usage)
        return answers

    def _doubts(self, answers: Sequence[Prediction]) -> Floats:
        place = {label: i for i, label in enumerate(self.labels)}
        none = np.full(len(self.labels), np.nan, dtype=np.float32)
        scores = np.stack([none if p.scores is None else p.scores for p in answers])
        said = [place.get(p.label, -1) if p.label is not None else -1 for p in answers]
        return doubts(scores, np.array(said, dtype=np.int64), self.costs)


def _tempered(answer: Prediction, temperature: Temperature | None) -> Prediction:
    if temperature is None or answer.scores is None:
        return answer
    return replace(answer, scores=temperature.apply(answer.scores))


def _both(first: Usage, second: Usage) -> Usage:
    """What both answers used together; tokens are those of whoever counts tokens."""
    return Usage(
        tokens_in=_sum(first.tokens_in, second.tokens_in),
        tokens_cached=_sum(first.tokens_cached, second.tokens_cached),
        tokens_out=_sum(first.tokens_out, second.tokens_out),
        seconds=None
        if first.seconds is None or second.seconds is None
        else first.seconds + second.seconds,
        bytes_out=None
        if first.bytes_out is None or second.bytes_out is None
        else first.bytes_out + second.bytes_out,
        estimated=first.estimated or second.estimated,
    )


def _sum(first: int | None, second: int | None) -> int | None:
    return second if first is None else first if second is None else first + second

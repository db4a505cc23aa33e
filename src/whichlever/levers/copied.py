"""A lever that chooses among labels, made to copy whole answers of training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whichlever.closed import as_choice
from whichlever.levers.base import Context, Fit, Lever
from whichlever.predict import Prediction, Predictor, Row
from whichlever.task import Task


class Copied:
    """Every answer of a training row is a label to the lever inside, open as answers are.

    So the most frequent answer, and the nearest rows' answer, are floors there too. Probabilities
    over answers that happen to have been seen are not kept.
    """

    def __init__(self, inner: Lever) -> None:
        self._inner = inner
        self.id = inner.id

    def settings(self) -> Mapping[str, Any]:
        """Those of the lever inside."""
        return {**self._inner.settings(), "copied": 1}

    def check(self, task: Task) -> None:
        """Raise what the lever inside would."""
        early = getattr(self._inner, "check", None)
        if early is not None:
            early(task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """As the lever inside."""
        return self._inner.estimate_seconds(train, valid)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Fit the lever inside on the training rows' answers as labels."""
        answers = tuple(sorted({row.target for row in train if row.target is not None}))
        own = replace(context, labels=answers, task=as_choice(context.task))
        fit = self._inner.fit(train, valid, own)
        return replace(fit, predictor=_WithoutScores(fit.predictor), held_out=None)


@dataclass(frozen=True)
class _WithoutScores:
    inner: Predictor

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        return [replace(answer, scores=None) for answer in self.inner.predict(rows)]

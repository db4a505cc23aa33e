"""Several classifiers pooled: the weighted mean of what each part's log-probabilities say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.predict import Prediction, Predictor, Row, Usage

LEAST = 1e-6
"""A part's probability counts as at least this: its zero vetoes nothing."""


def pool(scores: Sequence[Any], weights: Sequence[float]) -> npt.NDArray[np.float32]:
    """Probabilities whose logarithm is the weighted mean of the parts', up to a constant."""
    logs = sum(
        w * np.log(np.maximum(np.asarray(s, np.float64), LEAST))
        for s, w in zip(scores, weights, strict=True)
    )
    odds = np.exp(logs - np.max(logs, axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float32)


class JoinedPredictor:
    """Asks every part and pools their probabilities.

    Parameters
    ----------
    predictors, weights
        The parts that have a weight, and it.
    labels
        The run's label order.
    """

    def __init__(
        self, predictors: Sequence[Predictor], weights: Sequence[float], labels: Sequence[str]
    ) -> None:
        self._predictors = tuple(predictors)
        self._weights = tuple(weights)
        self._labels = tuple(labels)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; a part's note on a row (a cut text) is kept."""
        if not rows:
            return []
        began = time.perf_counter()
        answers = [p.predict(rows) for p in self._predictors]
        tables = [np.stack([s for a in given if (s := a.scores) is not None]) for given in answers]
        scores = pool(tables, self._weights)
        best = scores.argmax(axis=1).tolist()
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(
                row.id, self._labels[b], s, usage=usage,
                error=next((given[i].error for given in answers if given[i].error), None),
            )
            for i, (row, b, s) in enumerate(zip(rows, best, scores, strict=True))
        ]  # fmt: skip

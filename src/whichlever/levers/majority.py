"""The lowest floor: always the most frequent label."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.predict import Prediction, Row, Scores, Usage


class Majority:
    """Says the most frequent training label; its scores are the smoothed training prior.

    A lever that does not beat it has learnt nothing from the text.
    """

    id = "majority"

    def settings(self) -> Mapping[str, Any]:
        """Nothing to set."""
        return {}

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Counting takes no time worth a bar."""
        return 0.0

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Count the labels.

        Raises
        ------
        DataError
            No training row has one of the run's labels.
        """
        counts = Counter(row.target for row in train if row.target in context.labels)
        if not counts:
            raise DataError("majority: no training row has a label; look at data.target")
        seen = np.array([counts[label] for label in context.labels], dtype=np.float64)
        prior = smoothed_prior(seen)
        top = int(np.argmax(prior))
        return Fit(
            predictor=Constant(context.labels[top], prior),
            what="always saying the most frequent training label",
            chosen={"label": context.labels[top], "share": float(seen[top] / seen.sum())},
            rows_seen=int(seen.sum()),
        )


@dataclass(frozen=True)
class Constant:
    """Answers every row alike."""

    label: str
    scores: Scores

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row with the one label."""
        began = time.perf_counter()
        answers = [self.label for _ in rows]
        seconds = (time.perf_counter() - began) / max(len(rows), 1)
        return [
            Prediction(row.id, label, self.scores, usage=Usage(seconds=seconds))
            for row, label in zip(rows, answers, strict=True)
        ]


def smoothed_prior(counts: np.ndarray) -> Scores:
    """Each label's share with one row added to every label (Laplace), shape (classes,)."""
    return np.asarray((counts + 1.0) / (counts.sum() + len(counts)), dtype=np.float32)

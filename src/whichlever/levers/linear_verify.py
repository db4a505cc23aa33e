"""The real floor of `kind: verify`: cosine of character n-grams with the person's own mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from whichlever.errors import DataError, MissingExtraError
from whichlever.levers.base import Context, Fit
from whichlever.levers.verify_answers import (
    Floats,
    Score,
    Verifying,
    by_person,
    fitted_logistic,
)
from whichlever.predict import Row
from whichlever.task import Task

NGRAMS = (2, 4)
FEATURES = 50_000


class LinearVerify:
    """TF-IDF of character n-grams inside words; how near a mail is to the person's own mean.

    A lever that costs more has to beat it. It learns nothing from impostors but how frequent
    n-grams are.
    """

    id = "linear"

    def settings(self) -> Mapping[str, Any]:
        """The version of the method."""
        return {"method": "cosine-1", "ngrams": list(NGRAMS), "features": FEATURES}

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late.

        Raises
        ------
        MissingExtraError
            scikit-learn is not installed.
        """
        if find_spec("sklearn") is None:
            raise MissingExtraError("the linear floor", "train")

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Counting n-grams."""
        return 1.0 + 0.003 * (train + valid)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Mean vectors from training rows; the logistic from validation rows.

        Raises
        ------
        DataError
            No training row is genuine.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        people = by_person(train)
        if not people:
            raise DataError("linear: no genuine training row; look at data.target")
        vectors = TfidfVectorizer(
            analyzer="char_wb", ngram_range=NGRAMS, max_features=FEATURES, sublinear_tf=True,
            lowercase=False,
        ).fit([row.text for row in train])  # fmt: skip
        scores = {
            person: _cosine(vectors, [row.text for row in found.own])
            for person, found in people.items()
        }
        return Fit(
            predictor=Verifying(scores, fitted_logistic(scores, valid), context.labels),
            what=f"cosine of character n-grams with the own mean of {len(scores)} persons",
            chosen={"persons": len(scores), "features": len(vectors.vocabulary_)},
            rows_seen=len(train),
        )


def _cosine(vectors: Any, texts: Sequence[str]) -> Score:  # noqa: ANN401 - scikit-learn's class
    mean = np.asarray(vectors.transform(texts).mean(axis=0)).ravel()
    mean /= max(float(np.linalg.norm(mean)), 1e-12)

    def score(text: str) -> Floats:
        return np.asarray(vectors.transform([text]) @ mean, dtype=np.float64)

    return score

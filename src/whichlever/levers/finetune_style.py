"""The rung ``style`` of `kind: verify`: each person's style profile, told apart from others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from whichlever.errors import DataError, MissingExtraError
from whichlever.infer.style import StyleProfile
from whichlever.levers.base import Context, Fit
from whichlever.levers.verify_answers import (
    Floats,
    Score,
    Verifying,
    by_person,
    fitted_logistic,
)
from whichlever.mail.sentences import sentences
from whichlever.models.style import LEAST, train_style
from whichlever.predict import Row
from whichlever.task import Task


class FinetuneStyle:
    """What `whichlever mail enrol` learns, for every person of whom there are enough rows.

    Persons with fewer genuine training rows than a profile needs are answered by nothing
    (``missing``, which counts as wrong), and said.
    """

    id = "finetune-style"

    def settings(self) -> Mapping[str, Any]:
        """The version of the method."""
        return {"method": "style-2", "least": LEAST}

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late.

        Raises
        ------
        MissingExtraError
            scikit-learn is not installed.
        """
        if find_spec("sklearn") is None:
            raise MissingExtraError("learning a style", "train")

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """A few seconds a person; how many there are is not known yet."""
        return 5.0 + 0.02 * train

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """A profile per person from training rows; the logistic from validation rows.

        Raises
        ------
        DataError
            No person has enough genuine training rows.
        """
        scores: dict[str, Score] = {}
        short = []
        for person, found in by_person(train).items():
            if len(found.own) < LEAST:
                short.append(person)
                continue
            profile = train_style(
                person, [row.text for row in found.own], [row.text for row in found.others],
                salt=1 + context.seed, seed=context.seed, progress=context.progress,
            )  # fmt: skip
            scores[person] = _score(profile)
        if not scores:
            raise DataError(
                f"finetune-style: no person has {LEAST} genuine training rows; give more of them"
            )
        return Fit(
            predictor=Verifying(scores, fitted_logistic(scores, valid), context.labels),
            what=f"style profiles of {len(scores)} persons",
            chosen={"persons": len(scores), "too_few_rows": len(short)},
            rows_seen=len(train),
        )


def _score(profile: StyleProfile) -> Score:
    """The whole mail's score, and how strange its strangest part is."""

    def score(text: str) -> Floats:
        whole = profile.score(text)
        part, _ = profile.weakest(text, sentences(text))
        return np.array([whole, -profile.strangeness(whole, part)])

    return score

"""What a comparison of `kind: verify` does beside: error rates by person, own false alarms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from whichlever.measure import Measures, Outcome
from whichlever.measure.verification import verification
from whichlever.measure.verify_answers import GENUINE, judged
from whichlever.step import Step
from whichlever.trials_persons import COLUMN, persons_of


def with_verification(
    measures: Measures, outcomes: Sequence[Outcome], steps: Sequence[Step], seed: int
) -> Measures:
    """Add each lever's error rates by person to its metrics; another kind is given back."""
    frames = {step.facts["lever"]: step.frame for step in steps}
    found = {}
    for outcome in outcomes:
        if outcome.persons is None:
            return measures
        scores = judged(outcome.genuine(), outcome.targets)
        known = _calibrated(frames[outcome.lever])
        found[outcome.lever] = verification(scores, outcome.targets, outcome.persons, known, seed)
    levers = tuple(
        own.model_copy(update={"metrics": {**own.metrics, **found[own.lever]}})
        for own in measures.levers
    )
    return measures.model_copy(update={"levers": levers})


def _calibrated(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """Scores of genuine calibration rows by person."""
    own = frame.filter(
        pl.col("role") == "calibrate", pl.col("target") == "genuine",
        pl.col("scores").is_not_null(), pl.col(COLUMN).is_not_null(),
    )  # fmt: skip
    persons = persons_of(own)
    scores = np.array([s[GENUINE] for s in own["scores"].to_list()], dtype=np.float64)
    return {str(person): scores[persons == person] for person in np.unique(persons)}

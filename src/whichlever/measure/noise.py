"""What wrong labels cost: the score with them, without them, and with the suggested labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from whichlever.data.noise_record import Noise
from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile
from whichlever.measure.paired import randomisation_p
from whichlever.measure.scores import Answers
from whichlever.prices import Frozen

Ints = npt.NDArray[np.int64]


class ScoreChange(Frozen):
    """One lever's score when suspected training rows are dropped or relabelled.

    Every figure is on the same rows with their labels as given, which may be wrong too.

    Attributes
    ----------
    on
        The role that is scored.
    way
        ``dropped``, or ``relabelled`` with the suggested labels.
    rows, groups
        Rows scored, and their groups where the task names groups.
    changed
        Training rows that were dropped or relabelled.
    before, after
        The score with the labels as given, and with the change.
    difference
        after − before, with its paired interval.
    p
        Paired randomisation test (whole groups swapped).
    """

    on: Literal["valid", "test"]
    way: Literal["dropped", "relabelled"]
    lever: str
    metric: str
    rows: int
    groups: int | None
    changed: int
    before: float
    after: float
    difference: Interval
    p: float


class NoiseEvidence(Frozen):
    """Labels that are probably wrong, and what they cost; the rows stand in ``noise.parquet``."""

    found: Noise
    changes: tuple[ScoreChange, ...] = ()


def score_change(
    targets: Ints,
    before: Ints,
    after: Ints,
    groups: Sequence[str] | None,
    metric: str,
    seed: int,
) -> tuple[float, float, Interval, float]:
    """Score two sets of answers to the same rows, and their difference.

    Parameters
    ----------
    targets, before, after
        Label indices, shape (n,); −1 is a label outside the run's.
    groups
        A group per row, None where rows are independent.

    Returns
    -------
    before, after, difference, p
    """
    one, other = Answers(targets, before), Answers(targets, after)
    draws = Draws.over(len(targets), groups, seed=seed)
    whole = np.ones((len(targets), 1))
    values = [float(answers.metric(metric, whole)[0]) for answers in (one, other)]
    drawn = np.concatenate(
        [other.metric(metric, w) - one.metric(metric, w) for w in draws.chunks()]
    )
    units = None if groups is None else draws.count
    found = percentile(values[1] - values[0], drawn, units=units)
    swapped = None if groups is None else draws.units
    return values[0], values[1], found, randomisation_p(other, one, metric, swapped, seed)

"""What a fitted lever keeps of single training rows, as it is kept: frozen, JSON in and out.

Like every record of an attack, each has its ``lever`` and a sentence under ``text``.
"""

from __future__ import annotations

from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen


class Membership(Frozen):
    """Whether training rows can be told from others by how sure the lever is of their answers.

    Attributes
    ----------
    members, others
        Training rows that the lever learned from, and test rows, that were asked.
    groups
        Groups of the test rows; None where rows are independent.
    auc
        The chance that a training row's true answer is the more probable one (ties half).
    caught
        Of training rows, those told where one test row in a hundred would be told wrongly.
    shift
        The AUC of the same question for a lever that learned **neither**: a linear one fitted on
        the other half of the training rows. What it is above .5 is no memory, it is how training
        rows differ from test rows anyway (other groups, another time).
    harder
        The AUC where each row is compared with what that other lever says of it (difficulty
        calibration, Watson et al. 2022): the attacker takes the difference into account too.
    why
        Why it was not measured; empty where it was.
    """

    lever: str
    text: str
    members: int = 0
    others: int = 0
    groups: int | None = None
    auc: Interval | None = None
    caught: Interval | None = None
    shift: Interval | None = None
    harder: Interval | None = None
    why: str = ""


class ExposedTimes(Frozen):
    """Canaries that stand in so many training rows, and how exposed they are.

    Attributes
    ----------
    times
        Training rows of each canary; 0 is in none, and what is seen there is chance.
    median, most
        Exposure in bits over the canaries.
    first
        Canaries that are the likeliest of all candidates.
    """

    times: int
    canaries: int
    median: float
    most: float
    first: int


class Exposure(Frozen):
    """The rank of planted canaries among strings like them that stand in no row.

    Attributes
    ----------
    asked
        ``label``: how probable the lever finds the label that the canary was planted with;
        ``answer``: how probable it finds the canary itself, as an answer.
    candidates
        Strings that a canary is ranked among, itself one of them.
    rows
        Training rows, canaries among them.
    """

    lever: str
    text: str
    asked: Literal["label", "answer"]
    candidates: int
    rows: int
    seconds: float
    times: tuple[ExposedTimes, ...]

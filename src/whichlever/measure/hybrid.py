"""What is known of a hybrid: cost and quality along its whole threshold curve."""

from __future__ import annotations

from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

PERSON = "person"


class HybridPoint(Frozen):
    """One threshold, on one set of rows.

    ``handed`` is the share of rows handed over, ``metric`` the goal's metric, ``loss`` the mean
    mistake cost per row (by the task's ``mistakes``; without them the share of wrong answers).
    ``dollars_per_call`` is one more call, ``dollars_per_month`` everything counted at the task's
    volume, ``with_mistakes`` the month with its mistakes at ``prices.mistake_unit``; None is not
    measured (or not given). ``threshold`` is None at the two ends, which are one part alone.
    """

    threshold: float | None
    handed: Interval
    metric: Interval
    loss: Interval
    dollars_per_call: float | None
    dollars_per_month: float | None
    with_mistakes: float | None = None


class Hybrid(Frozen):
    """An owned lever that hands what it is unsure of to another, or to a person.

    Attributes
    ----------
    first, then
        Lever ids; ``then`` may be "person".
    score
        What the threshold is on: ``doubt`` (1 − probability of the answer) or ``cost`` (expected
        mistake cost of the answer); rows at ``threshold`` or above are handed over.
    rule
        How the threshold was chosen: ``dollars`` (least mistakes and price together), ``margin``
        (the cheapest within the goal's margin of the best point), or ``share`` (so many rows, where
        ``then`` answered no calibration row).
    rows, calibration_rows
        Test rows that both parts answered, and calibration rows that chose.
    unanswered
        Test rows handed over that ``then`` did not answer: the first answer stands.
    review_accuracy
        How often a person is taken to be right; None where ``then`` is a lever.
    curve, calibrate
        The same thresholds on test rows and on calibration rows, by share handed over.
    chosen, all_first, all_then
        On test rows. The ends are each part alone, with its own bill.
    saves
        Dollars a month that it saves against its first part alone, mistakes counted at
        ``prices.mistake_unit``; None where that, or a cost, is not known.
    """

    first: str
    then: str
    score: Literal["doubt", "cost"]
    threshold: float
    rule: Literal["dollars", "margin", "share"]
    rows: int
    calibration_rows: int
    unanswered: int
    chosen: HybridPoint
    all_first: HybridPoint
    all_then: HybridPoint
    curve: tuple[HybridPoint, ...]
    calibrate: tuple[HybridPoint, ...]
    budget_share: float | None = None
    review_accuracy: float | None = None
    review_dollars: float | None = None
    saves: Interval | None = None


class HybridLeftOut(Frozen):
    """Why a hybrid that the task asks for could not be worked out."""

    why: str

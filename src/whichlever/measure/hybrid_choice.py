"""Which rows to hand over: a threshold on how unsure an answer is, chosen on calibration rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from whichlever.measure.scores import Answers, mistake_costs
from whichlever.task import Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Score = Literal["doubt", "cost"]

STEPS = 100
"""Thresholds tried: as many as hand over 0 %, 1 %, … 100 % of the calibration rows."""


@dataclass(frozen=True, eq=False)
class Handing:
    """Both parts' answers to the same n rows.

    Attributes
    ----------
    targets, first, then
        Label indices, shape (n,), −1 is not answered. Where ``then`` did not answer, it holds the
        first answer; ``alone`` is what it said without that.
    doubts
        How unsure ``first`` is of each row, by score; higher is less sure, shape (n,) each.
    groups
        Group number per row, shape (n,); each row is its own where there are none.
    """

    targets: Ints
    first: Ints
    then: Ints
    alone: Ints
    doubts: Mapping[Score, Floats]
    groups: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def handed(self, score: Score, threshold: float) -> npt.NDArray[np.bool_]:
        """Mark the rows that are handed over, shape (n,)."""
        return np.asarray(self.doubts[score] >= threshold)

    def said(self, score: Score, threshold: float) -> Ints:
        """The joined answers, shape (n,)."""
        return np.where(self.handed(score, threshold), self.then, self.first)


@dataclass(frozen=True, eq=False)
class Option:
    """Somebody who could be handed rows, and what one row then costs (dollars; None unknown)."""

    name: str
    handing: Handing
    price: float | None


@dataclass(frozen=True)
class Picked:
    """The choice: to whom, by which score, from where on; and the share of rows it was then."""

    name: str
    score: Score
    threshold: float
    rule: Literal["dollars", "margin", "share"]
    share: float


@dataclass(frozen=True)
class _Tried:
    """One threshold on calibration rows; ``price`` in dollars per row."""

    picked: Picked
    metric: float
    loss: float
    price: float | None


def thresholds(doubts: Floats, top: float, steps: int = STEPS) -> list[float]:
    """Thresholds that hand over about 0/steps, 1/steps, … of the rows, from the highest down.

    Each lies midway between two rows' doubts, so that a last bit of a float moves no row.

    Parameters
    ----------
    top
        A value that no answer's doubt reaches: nothing that was answered is handed over.
    """
    known = np.sort(doubts[np.isfinite(doubts)])[::-1]
    out = [top]
    for step in range(1, steps):
        k = round(len(known) * step / steps)
        if 0 < k < len(known) and known[k] < known[k - 1]:
            out.append(float((known[k] + known[k - 1]) / 2))
    out.append(0.0)
    return sorted(set(out), reverse=True)


def top_doubt(score: Score, costs: Floats) -> float:
    """What no answer's doubt reaches: 1, or the worst mistake there is."""
    return 1.0 if score == "doubt" else float(costs.max()) or 1.0


def choose(
    options: Sequence[Option],
    task: Task,
    labels: Sequence[str],
    costs: Floats,
    cap: float | None = None,
) -> Picked:
    """Choose to whom, by which score and from which threshold rows are handed over.

    With ``prices.mistake_unit`` and known prices: the least mean of mistake cost times unit plus
    price of handing over (rule ``dollars``). Otherwise the fewest dollars (or rows, where a price
    is not known) among the points whose goal metric is within ``goal.margin`` of the best point
    (rule ``margin``); the score is then the one with the lower mistake cost over its whole curve.

    Parameters
    ----------
    options
        On the same rows, which none of the levers was fitted on.
    costs
        Mistake costs, shape (classes, classes).
    cap
        Most rows to hand over, as a share.
    """
    unit = task.prices.mistake_unit
    priced = all(o.price is not None for o in options)
    if unit is not None and priced:
        tried = [t for o in options for score in o.handing.doubts
                 for t in _tried(o, score, task, labels, costs, cap, "dollars")]  # fmt: skip
        return min(tried, key=lambda t: (unit * t.loss + (t.price or 0.0), t.picked.share)).picked
    tried = [
        t
        for o in options
        for t in _better_score(o, task, labels, costs, cap)
    ]  # fmt: skip
    best = max(t.metric for t in tried)
    near = [t for t in tried if t.metric >= best - task.goal.margin]
    return min(
        near, key=lambda t: ((t.price or 0.0) if priced else t.picked.share, -t.metric)
    ).picked


def choose_by_share(
    name: str, doubts: Mapping[Score, Floats], costs: Floats, share: float, *, priced_mistakes: bool
) -> Picked:
    """Hand over that share of the calibration rows, as nobody knows there what ``then`` says.

    Parameters
    ----------
    priced_mistakes
        The task says what mistakes cost: the rows with the highest expected cost go first.
    """
    score: Score = "cost" if priced_mistakes else "doubt"
    known = doubts[score]
    allowed = [
        t
        for t in thresholds(known, top_doubt(score, costs), steps=1000)
        if float(np.mean(known >= t)) <= share
    ]
    threshold = min(allowed, default=top_doubt(score, costs))
    return Picked(name, score, threshold, "share", float(np.mean(known >= threshold)))


def mean_loss(targets: Ints, said: Ints, task: Task, labels: Sequence[str]) -> float:
    """Mean mistake cost per row; without ``mistakes`` the share of wrong answers."""
    return float(mistake_costs(targets, said, labels, task.mistakes).mean())


def _tried(
    option: Option,
    score: Score,
    task: Task,
    labels: Sequence[str],
    costs: Floats,
    cap: float | None,
    rule: Literal["dollars", "margin"],
) -> list[_Tried]:
    handing = option.handing
    out: list[_Tried] = []
    one = np.ones((len(handing), 1))
    for threshold in thresholds(handing.doubts[score], top_doubt(score, costs)):
        share = float(handing.handed(score, threshold).mean())
        if cap is not None and share > cap and out:
            break
        said = handing.said(score, threshold)
        out.append(
            _Tried(
                Picked(option.name, score, threshold, rule, share),
                metric=float(Answers(handing.targets, said).metric(task.goal.metric, one)[0]),
                loss=mean_loss(handing.targets, said, task, labels),
                price=None if option.price is None else share * option.price,
            )
        )
    return out


def _better_score(
    option: Option, task: Task, labels: Sequence[str], costs: Floats, cap: float | None
) -> list[_Tried]:
    """The points of the score whose mean loss over the shares handed over is lower."""
    by_score = [
        _tried(option, score, task, labels, costs, cap, "margin") for score in option.handing.doubts
    ]
    return min(by_score, key=_area)


def _area(tried: Sequence[_Tried]) -> float:
    shares = np.array([t.picked.share for t in tried])
    losses = np.array([t.loss for t in tried])
    reach = shares[-1] - shares[0]
    return float(np.trapezoid(losses, shares) / reach) if reach > 0 else float(losses[0])

"""The choice itself (rule 5), as a pure function of task and measures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from whichlever.measure.intervals import student
from whichlever.measure.power import POWER, rows_to_tell
from whichlever.measure.summary import LeverSummary, Measures, Pair
from whichlever.task import Task
from whichlever.verdict.standing import FLOOR, Eligibility, eligibility

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Choice:
    """What rule 5 comes to.

    ``behind`` is, per eligible lever, the upper bound of (best of the others − it), at least 0;
    ``as_good`` are those within the margin; ``dollars`` is a month at the volume asked for;
    ``best`` is the eligible lever with the highest figure. ``few_groups`` is set where the rows'
    groups are too few for any p-value below 0.05.
    """

    outcome: Literal["pull", "cannot tell", "none eligible"]
    lever: str | None
    eligibility: dict[str, Eligibility]
    behind: dict[str, float]
    as_good: tuple[str, ...]
    dollars: dict[str, float | None]
    best: str | None
    few_groups: bool
    labels_needed: int | None


def choose(task: Task, measures: Measures, *, labels_paid: bool = False) -> Choice:
    """Choose a lever.

    Parameters
    ----------
    labels_paid
        Leave the price of labels out, as for labels that are there anyway.
    """
    judged = {s.lever: eligibility(s, task, measures) for s in measures.levers}
    eligible = [s for s in measures.levers if judged[s.lever].state == "eligible"]
    behind = {s.lever: _behind(s.lever, eligible, measures) for s in eligible}
    as_good = tuple(name for name, bound in behind.items() if bound <= task.goal.margin)
    calls = task.constraints.calls_per_month
    dollars = {s.lever: monthly(s, calls, labels_paid=labels_paid) for s in measures.levers}
    best = max(eligible, key=lambda s: s.metrics[measures.metric].value, default=None)
    few = too_few(measures, behind)
    outcome, lever = _conclude(judged, as_good, dollars, bool(few), measures)
    return Choice(
        outcome=outcome,
        lever=lever,
        eligibility=judged,
        behind=behind,
        as_good=as_good,
        dollars=dollars,
        best=None if best is None else best.lever,
        few_groups=bool(few),
        labels_needed=None
        if outcome != "cannot tell"
        else _labels_needed(task, measures, judged, best, few),
    )


def monthly(lever: LeverSummary, calls: float, *, labels_paid: bool = False) -> float | None:
    """Dollars a month, everything counted, own machines always on; None is not measured."""
    if lever.bill is None:
        return None
    bill = lever.bill.without_labels() if labels_paid else lever.bill
    return bill.month(calls)


def _behind(lever: str, eligible: list[LeverSummary], measures: Measures) -> float:
    bounds = [over(measures, other.lever, lever) for other in eligible if other.lever != lever]
    return max([0.0, *(1.0 if b is None else b for b in bounds)])


def over(measures: Measures, first: str, second: str) -> float | None:
    """Simultaneous upper bound of ``first`` − ``second`` on the goal metric."""
    pair = measures.pair(first, second)
    return pair.a_over_b if pair.a == first else pair.b_over_a


def too_few(measures: Measures, eligible: Collection[str]) -> list[Pair]:
    """Pairs of eligible levers (and the floor) that no p-value below 0.05 can be had of."""
    concerned = {*eligible, FLOOR}
    pairs = [p for p in measures.pairs if p.a in concerned and p.b in concerned]
    return [p for p in pairs if p.p_attainable > SIGNIFICANT]


def _conclude(
    judged: dict[str, Eligibility],
    as_good: tuple[str, ...],
    dollars: dict[str, float | None],
    few: bool,
    measures: Measures,
) -> tuple[Literal["pull", "cannot tell", "none eligible"], str | None]:
    states = {e.state for e in judged.values()}
    if "eligible" not in states:
        provable = any(e.state == "unproven" and e.labels is not None for e in judged.values())
        return ("cannot tell" if provable else "none eligible"), None
    if few or not as_good:
        return "cannot tell", None
    score = {s.lever: s.metrics[measures.metric].value for s in measures.levers}
    priced = [(d, -score[n], n) for n in as_good if (d := dollars[n]) is not None]
    if priced:
        return "pull", min(priced)[2]
    return "pull", max(as_good, key=lambda n: score[n])


SURE = 0.99
"""Power of the labels asked for where there are as many rows as 80 % power takes already."""

GROUPS_FOR_A_P = 6
"""Swapping six groups is the first that can give p < 0.05: 2 / 2**6."""


def _labels_needed(
    task: Task,
    measures: Measures,
    judged: dict[str, Eligibility],
    best: LeverSummary | None,
    few: list[Pair],
) -> int | None:
    """More labelled test rows after which the data would be expected to tell (80 % power)."""
    if best is None:
        wanted = [e.labels for e in judged.values() if e.labels is not None]
        return min(wanted, default=0) or None
    # Rows that are labelled already and only wait for a larger budget are no new labels.
    more = [_rows_to_tell(task, measures, judged, POWER) - best.all_rows]
    if more[0] <= 0:
        # One run in five has no verdict with as many rows as these: next time as good as surely.
        more = [_rows_to_tell(task, measures, judged, SURE) - best.all_rows]
    for pair in few:
        if pair.rows >= best.all_rows:
            units = pair.groups or pair.rows
            more.append(round(pair.rows / units) * (GROUPS_FOR_A_P - units))
    return max(more) if max(more) > 0 else None


def _rows_to_tell(
    task: Task, measures: Measures, judged: dict[str, Eligibility], power: float
) -> int:
    """Labelled test rows in all that give a verdict on the eligible levers with this power."""
    bounded = {n for p in measures.pairs if p.a_over_b is not None for n in (p.a, p.b)}
    names = [s.lever for s in measures.levers if s.lever in bounded]
    able = [i for i, name in enumerate(names) if judged[name].state == "eligible"]
    spread = np.zeros((len(names), len(names)))
    density = 1.0  # units a row
    for i, a in enumerate(names):
        for j, b in enumerate(names[:i]):
            pair = measures.pair(a, b)
            spread[i, j] = spread[j, i] = (pair.error or 0.0) * np.sqrt(pair.rows)
            density = min(density, (pair.groups or pair.rows) / pair.rows)
    rows = rows_to_tell(spread, task.goal.margin, able, power=power)
    units = max(GROUPS_FOR_A_P, round(density * rows))
    return rows_to_tell(spread, task.goal.margin, able, student(units, 0.9), power)

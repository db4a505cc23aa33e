"""How long urgent alerts wait, with intervals: `measure.queue` fed with what the test rows show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import LEVEL, share, widest
from whichlever.measure.queue import Desk, Stream, urgent_waits
from whichlever.measure.workload import Minutes, Wait

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WAIT_DRAWS = 20
"""Bootstrap draws that are simulated."""
ARRIVALS, PROBES = 40_000, 4_000
"""Alerts of the simulation that gives the waits, and urgent ones whose waits are read off it."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What is the same for every lever.

    ``mix`` is the share of each label, shape (classes,); ``urgent`` and ``quiet`` mark labels;
    ``cost`` is what closing a row of each label unseen costs, shape (classes,).
    """

    desk: Desk
    per_day: float
    mix: Floats
    urgent: Bools
    quiet: Bools
    cost: Floats
    seed: int

    @property
    def per_hour(self) -> float:
        """Looks of one analyst in an hour."""
        return 60 / self.desk.look


def before(targets: npt.NDArray[np.int64], setting: Setting) -> Wait | None:
    """The wait where every alert is looked at in the order it comes."""
    known = targets[targets >= 0]
    if not setting.urgent[known].any():
        return None
    of_label = np.eye(len(setting.mix))[known]
    draws = Draws.over(len(known), None, draws=WAIT_DRAWS, seed=setting.seed)
    return wait(np.zeros(len(known)), of_label, setting, draws, None)


def row_shares(weights: Floats, of_label: Floats, mix: Floats) -> Floats:
    """The share of all alerts that each row stands for, shape (n, draws).

    Labels that a draw has no row of leave their share to the others.
    """
    counts = of_label.T @ weights
    each = np.divide(mix[:, None], counts, out=np.zeros_like(counts), where=counts > 0)
    rows = weights * (of_label @ each)
    total = rows.sum(axis=0, keepdims=True)
    return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))


def wait(keys: Floats, of_label: Floats, setting: Setting, draws: Draws, held: int | None) -> Wait:
    """Waits by simulation, with intervals from simulations of redrawn rows.

    Parameters
    ----------
    keys
        Each test row's place in the queue, shape (n,).
    of_label
        One-hot labels, shape (n, classes).
    held
        Groups that hold the urgent rows; None where rows are independent.
    """
    urgent = (of_label @ setting.urgent.astype(np.float64)) > 0
    number = int(urgent.sum())

    def run(weights: Floats, arrivals: int, probes: int, seed: int) -> tuple[float, float, float]:
        shares = row_shares(weights[:, None], of_label, setting.mix)[:, 0]
        stream = Stream(setting.per_day, shares, keys, urgent)
        found = urgent_waits(stream, setting.desk, arrivals, probes, seed)
        if len(found) == 0:
            return math.nan, math.nan, math.nan
        middle, far = np.quantile(found, [0.5, 0.95], method="inverted_cdf")
        return float(np.isfinite(found).mean()), float(middle), float(far)

    value = run(np.ones(len(keys)), ARRIVALS, PROBES, setting.seed)
    drawn: list[tuple[float, float, float]] = []
    for weights in draws.chunks():
        for column in weights.T:
            if len(drawn) == WAIT_DRAWS:
                break
            drawn.append(run(column, ARRIVALS // 10, PROBES // 5, setting.seed + len(drawn) + 1))
    table = np.array([one for one in drawn if not math.isnan(one[0])]).reshape(-1, 3)
    reached = _around(value[0], table[:, 0])
    if len(np.unique(keys)) > 1:  # an order of arrival does not depend on the rows at all
        units = None if held is None else min(held, number)
        exact = share(value[0] * number, number, units, table[:, 0] if units else None)
        reached = widest(reached, exact)
    return Wait(
        reached=reached,
        median=_minutes(value[1], table[:, 1]),
        p95=_minutes(value[2], table[:, 2]),
    )


def _ends(drawn: Floats) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def _around(value: float, drawn: Floats) -> Interval:
    if len(drawn) < 2:
        return Interval(value=value)
    low, high = _ends(drawn)
    return Interval(value=value, low=min(low, value), high=max(high, value))


def _minutes(value: float, drawn: Floats) -> Minutes:
    def told(minutes: float) -> float | None:
        return None if not math.isfinite(minutes) else minutes

    if len(drawn) < 2:
        return Minutes(value=told(value), low=told(value), high=None)
    low, high = _ends(drawn)
    return Minutes(value=told(value), low=told(min(low, value)), high=told(max(high, value)))

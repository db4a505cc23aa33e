"""Each lever's answers to the test rows as what they would mean on shift.

Every figure is a sum over labels of the label's share of the alerts times what the lever does with
rows of that label. The shares are the task's ``workload.mix``, or the test rows' own; they are
taken as known, so intervals speak of the lever's answers alone. The lever's probabilities are used
as calibrated, not corrected for the mix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile, share, widest
from whichlever.measure.outcome import Outcome
from whichlever.measure.shift_wait import Setting, row_shares, wait
from whichlever.measure.workload import Gain, LeverShift, RankedBy
from whichlever.task import Task

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DRAWS = 1_000
"""Bootstrap draws."""
BINS = 400
"""Steps of the order that are told apart behind its first `BINS` ones."""

LOOKED = (
    *(round(float(x), 6) for x in np.geomspace(0.001, 0.04, 9)),
    *(round(0.025 * i, 3) for i in range(2, 12)),
    *(round(0.05 * i, 2) for i in range(6, 21)),
)
"""Shares of the queue at which the gain is told."""


def closing_cost(task: Task, labels: Sequence[str], quiet: Sequence[str]) -> Floats:
    """What it costs to take each label for the first quiet one: 0 for quiet ones themselves."""
    return np.array(
        [
            0.0 if label in quiet else task.mistakes.get(label, {}).get(quiet[0], 1.0)
            for label in labels
        ]
    )


def lever_shift(outcome: Outcome, setting: Setting) -> LeverShift:
    """One lever's figures on shift."""
    known = outcome.targets >= 0
    targets = outcome.targets[known]
    classes = len(setting.mix)
    units = None if outcome.groups is None else np.asarray(outcome.groups, dtype=object)[known]
    draws = Draws.over(
        len(targets), None if units is None else tuple(units), draws=DRAWS, seed=setting.seed
    )
    of_label = np.eye(classes)[targets]
    urgent_rows = setting.urgent[targets]
    said = outcome.predicted[known]
    closed = (said >= 0) & setting.quiet[np.maximum(said, 0)]
    keys, ranked_by = order_keys(outcome, known, setting)
    steps = _Steps.over(keys)
    rates, gains = [], []
    points = _points(setting)
    one = np.ones((len(targets), 1))
    for weights in (one, *draws.chunks()):
        rows = row_shares(weights, of_label, setting.mix)
        rates.append(_rates(rows, closed, of_label, setting.urgent))
        gains.append(steps.gain(rows, urgent_rows, points))
    all_rates = np.concatenate(rates, axis=1)
    all_gains = np.concatenate(gains, axis=1)
    grouped = draws.count < len(draws.units)
    held = len(np.unique(draws.units[urgent_rows])) if grouped else None
    number = int(urgent_rows.sum())
    missed_rows = int((urgent_rows & closed).sum())
    looked = _share_of(all_rates[0], len(targets), draws.count if grouped else None)
    found = None if number == 0 else _found_per_hour(all_rates, setting, draws.count)
    reached = _reached(all_gains, number, held)
    missed = _missed(all_rates[1], number, held)
    return LeverShift(
        lever=outcome.lever,
        rows=len(targets),
        urgent_rows=number,
        missed_rows=missed_rows,
        ranked_by=ranked_by,
        looked=looked,
        alerts_per_hour=_inverted(setting.per_hour, looked),
        urgent_per_hour=found,
        analysts=_scaled(looked, setting.per_day * setting.desk.look / setting.desk.shift),
        missed=missed,
        missed_per_month=None
        if missed is None
        else _scaled(missed, per_month(setting.per_day * setting.mix[setting.urgent].sum())),
        first_hour=reached[0] if reached else None,
        shift=reached[1] if reached else None,
        wait=None if number == 0 else wait(keys, of_label, setting, draws, held),
        gain=tuple(Gain(looked=x, reached=y) for x, y in zip(LOOKED, reached[2:], strict=True))
        if reached
        else (),
    )


def per_month(per_day: float) -> float:
    """A month has 30.4 days."""
    return float(per_day) * 30.4


def order_keys(outcome: Outcome, known: Bools, setting: Setting) -> tuple[Floats, RankedBy]:
    """Each row's place in the queue, shape (n,): lower is looked at first.

    The place is minus the expected cost of closing the row, by the calibrated probabilities, or
    by the label said where the lever gives none. What was not answered comes as the average row.
    """
    said = outcome.predicted[known]
    worth = np.where(said >= 0, setting.cost[np.maximum(said, 0)], np.nan)
    scores = None if outcome.scores is None else outcome.scores[known].astype(np.float64)
    if scores is not None:
        worth = np.where(np.isnan(scores).any(axis=1), worth, scores @ setting.cost)
    unknown = np.isnan(worth)
    worth[unknown] = worth[~unknown].mean() if (~unknown).any() else 0.0
    places = np.asarray(-np.round(worth, 9), dtype=np.float64)
    return places, "answers" if scores is None else "scores"


def _points(setting: Setting) -> Floats:
    """Where the gain is read: one analyst-hour, the desk's day, and the points of the curve."""
    hour = min(1.0, setting.per_hour / setting.per_day)
    day = min(1.0, setting.desk.looks_per_day / setting.per_day)
    return np.array([hour, day, *LOOKED])


def _rates(rows: Floats, closed: Bools, of_label: Floats, urgent: Bools) -> Floats:
    """Share looked at, share of urgent missed, share of looks that are urgent; shape (3, draws)."""
    is_urgent = of_label @ urgent.astype(np.float64)
    looked = (~closed).astype(np.float64) @ rows
    all_urgent = is_urgent @ rows
    found = (is_urgent * ~closed) @ rows
    nothing = np.full_like(looked, np.nan)
    missed = 1 - np.divide(found, all_urgent, out=nothing.copy(), where=all_urgent > 0)
    yields = np.divide(found, looked, out=nothing.copy(), where=looked > 0)
    return np.stack([looked, missed, yields])


@dataclass(frozen=True, eq=False)
class _Steps:
    """Rows in order of their keys, in steps of equal (far back: neighbouring) ones."""

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    @classmethod
    def over(cls, keys: Floats) -> _Steps:
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=-math.inf) != 0)
        if len(starts) > 2 * BINS:
            far = starts[BINS:]
            kept = far[np.unique(np.linspace(0, len(far) - 1, BINS).astype(int))]
            starts = np.concatenate([starts[:BINS], kept])
        return cls(order, starts)

    def gain(self, rows: Floats, urgent: Bools, points: Floats) -> Floats:
        """The share of urgent alerts among the first ``points`` of the queue, (points, draws).

        Within a step the order is random, so the gain is linear there.
        """
        queued = rows[self.order]
        wanted = queued * urgent[self.order][:, None]
        along, found = (
            np.cumsum(np.add.reduceat(part, self.starts, axis=0), axis=0)
            for part in (queued, wanted)
        )
        out = np.full((len(points), rows.shape[1]), np.nan)
        for b in range(rows.shape[1]):
            total = found[-1, b]
            if total > 0:
                xs = np.concatenate([[0.0], along[:, b] / along[-1, b]])
                out[:, b] = np.interp(points, xs, np.concatenate([[0.0], found[:, b] / total]))
        return out


def _reached(gains: Floats, number: int, held: int | None) -> list[Interval]:
    """The gain at each point with its interval; nothing without urgent rows."""
    if number == 0:
        return []
    return [
        widest(
            percentile(float(row[0]), row[1:], units=held or number),
            share(float(row[0]) * number, number, held, row[1:] if held else None),
        )
        for row in gains
    ]


def _share_of(rates: Floats, rows: int, units: int | None) -> Interval:
    """A share of all alerts; exact where the draws show no spread."""
    found = percentile(float(rates[0]), rates[1:], units=units or rows)
    if found.low is None:
        found = share(float(rates[0]) * rows, rows, units, rates[1:] if units else None)
    return found


def _missed(rates: Floats, number: int, held: int | None) -> Interval | None:
    if number == 0:
        return None
    value = float(rates[0])
    return share(value * number, number, held, rates[1:] if held else None)


def _found_per_hour(rates: Floats, setting: Setting, units: int) -> Interval | None:
    if not np.isfinite(rates[2, 0]):
        return None
    found = percentile(float(rates[2, 0]), rates[2, 1:], units=units)
    return _scaled(found, setting.per_hour)


def _scaled(figure: Interval, factor: float) -> Interval:
    low, high = (None if end is None else end * factor for end in (figure.low, figure.high))
    return Interval(value=figure.value * factor, low=low, high=high, level=figure.level)


def _inverted(per_hour: float, looked: Interval) -> Interval | None:
    """Alerts dealt with per analyst-hour; an end where nothing is looked at is left open."""
    if looked.value <= 0:
        return None
    low = None if not looked.high else per_hour / min(1.0, looked.high)
    high = None if not looked.low else per_hour / looked.low
    return Interval(value=per_hour / looked.value, low=low, high=high, level=looked.level)

"""Cost and quality along a hybrid's thresholds, with intervals from shared bootstrap draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.hybrid import HybridPoint
from whichlever.measure.hybrid_choice import Handing, Score
from whichlever.measure.intervals import centred, percentile, share
from whichlever.measure.jackknife import delete_one, standard_error
from whichlever.measure.scores import Answers, mistake_costs
from whichlever.measure.summary import Latency
from whichlever.task import Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CURVE_DRAWS = 500
"""Draws behind each band of the curve; the chosen point's own interval stands on all of them."""

SHOWN = (
    0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
    1.0,
)  # fmt: skip
"""Shares handed over (of calibration rows) at which the curve is drawn."""

Dollars = Callable[[Interval], tuple[float | None, float | None]]
"""From the share handed over to dollars a call and dollars a month."""


def shown_thresholds(doubts: Floats, grid: Sequence[float], chosen: float) -> list[float]:
    """The thresholds that the curve shows, from none handed over to all; the chosen one too."""
    shares = [float(np.mean(doubts >= t)) for t in grid]
    places = {min(range(len(grid)), key=lambda i: abs(shares[i] - s)) for s in SHOWN}
    return sorted({*(grid[i] for i in places), chosen}, reverse=True)


def curve(
    handing: Handing,
    score: Score,
    thresholds: Sequence[float],
    task: Task,
    labels: Sequence[str],
    dollars: Dollars,
    seed: int = 0,
) -> tuple[HybridPoint, ...]:
    """Work out every threshold on the same rows and the same draws."""
    masks = [handing.handed(score, t) for t in thresholds]
    said = [np.where(m, handing.then, handing.first) for m in masks]
    return points(handing, list(thresholds), masks, said, task, labels, dollars, seed)


def points(
    handing: Handing,
    thresholds: Sequence[float | None],
    masks: Sequence[npt.NDArray[np.bool_]],
    said: Sequence[Ints],
    task: Task,
    labels: Sequence[str],
    dollars: Dollars,
    seed: int = 0,
) -> tuple[HybridPoint, ...]:
    """Figures with intervals for several sets of answers to the same rows."""
    n = len(handing)
    draws = Draws.over(n, handing.groups, draws=CURVE_DRAWS, seed=seed)
    answers = [Answers(handing.targets, s) for s in said]
    losses = [mistake_costs(handing.targets, s, labels, task.mistakes) for s in said]
    metric: list[list[Floats]] = [[] for _ in said]
    loss: list[list[Floats]] = [[] for _ in said]
    handed: list[list[Floats]] = [[] for _ in said]
    for weights in draws.chunks():
        total = np.maximum(weights.sum(axis=0), 1e-12)
        for i, a in enumerate(answers):
            metric[i].append(a.metric(task.goal.metric, weights))
            loss[i].append(losses[i] @ weights / total)
            handed[i].append(masks[i].astype(np.float64) @ weights / total)
    out = []
    for i, a in enumerate(answers):
        part = _share(masks[i], draws, np.concatenate(handed[i]))
        call, month = dollars(part)
        mean = float(losses[i].mean())
        unit = task.prices.mistake_unit
        calls = task.constraints.calls_per_month
        out.append(
            HybridPoint(
                threshold=thresholds[i],
                handed=part,
                metric=_metric(a, task.goal.metric, np.concatenate(metric[i]), draws),
                loss=percentile(mean, np.concatenate(loss[i]), units=draws.count),
                dollars_per_call=call,
                dollars_per_month=month,
                with_mistakes=None
                if unit is None or month is None
                else month + calls * unit * mean,
            )
        )
    return tuple(out)


def saving(
    handing: Handing, said: Ints, labels: Sequence[str], task: Task, more: float, seed: int = 0
) -> Interval | None:
    """Dollars a month that the joined answers save against the first part alone.

    Mistakes avoided at ``prices.mistake_unit`` and the task's volume, less ``more``; paired, from
    the same draws.

    Parameters
    ----------
    more
        Dollars a month that the hybrid costs beyond its first part, everything counted.
    """
    unit = task.prices.mistake_unit
    if unit is None:
        return None
    scale = unit * task.constraints.calls_per_month
    avoided = mistake_costs(handing.targets, handing.first, labels, task.mistakes) - mistake_costs(
        handing.targets, said, labels, task.mistakes
    )
    draws = Draws.over(len(handing), handing.groups, seed=seed)
    drawn = [avoided @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()]
    value = scale * float(avoided.mean()) - more
    return percentile(value, scale * np.concatenate(drawn) - more, units=draws.count)


def joined_latency(first: Latency, then: Latency, handed: float) -> Latency:
    """Latency of both parts together, worked out from each part's own, not timed.

    Each part's times are taken as its measured percentiles with straight lines between them (the
    median below the median, p99 above), independent of each other; rows handed over wait for both.
    """
    own, more = _quantiles(first), _quantiles(then)
    if own is None or more is None:
        if own is not None and handed == 0:
            return first
        return Latency(rows=0, p50_ms=None, p95_ms=None, p99_ms=None, rows_per_second=None)
    both = np.add.outer(own, more).ravel()
    weights = np.repeat([(1 - handed) / len(own), handed / len(both)], [len(own), len(both)])
    values = np.concatenate([own, both])
    order = np.argsort(values, kind="stable")
    places = np.searchsorted(np.cumsum(weights[order]), np.array([0.5, 0.95, 0.99]) - 1e-9)
    at = values[order][np.minimum(places, len(order) - 1)].tolist()
    rates = (first.rows_per_second, then.rows_per_second)
    rate = None if not rates[0] or not rates[1] else 1 / (1 / rates[0] + handed / rates[1])
    return Latency(
        rows=min(first.rows, then.rows) or first.rows, p50_ms=at[0], p95_ms=at[1], p99_ms=at[2],
        rows_per_second=rate, cores=first.cores,
    )  # fmt: skip


def _quantiles(latency: Latency) -> Floats | None:
    known = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    if any(v is None for v in known):
        return None
    return np.interp((np.arange(200) + 0.5) / 200, [0.5, 0.95, 0.99], np.array(known, np.float64))


def _share(mask: npt.NDArray[np.bool_], draws: Draws, drawn: Floats) -> Interval:
    held = draws.count if draws.count < len(mask) else None
    return share(float(mask.sum()), len(mask), held, drawn)


def _metric(answers: Answers, metric: str, drawn: Floats, draws: Draws) -> Interval:
    held = draws.count if draws.count < len(answers) else None
    if metric == "accuracy" or answers.correct.all() or not answers.correct.any():
        return share(float(answers.correct.sum()), len(answers), held, drawn)
    value = float(answers.metric(metric, np.ones((len(answers), 1)))[0])
    error = standard_error(delete_one(answers, metric, draws.units))
    return centred(value, drawn, error, units=draws.count)

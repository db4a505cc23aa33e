"""From the levers' answers to everything that is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import DataError
from whichlever.measure.draws import Draws
from whichlever.measure.egress import bytes_per_call
from whichlever.measure.field_answers import FieldAnswers
from whichlever.measure.intervals import centred, percentile, share, widest
from whichlever.measure.jackknife import delete_one, standard_error
from whichlever.measure.outcome import Outcome
from whichlever.measure.pairs import compare_pairs
from whichlever.measure.probabilities import FALSE_POSITIVE_RATES, calibration
from whichlever.measure.scores import Scored
from whichlever.measure.summary import Interval, LeverSummary, Measures
from whichlever.measure.tally import MANY_CLASSES, Tally
from whichlever.measure.text_answers import FLAGS, TextAnswers
from whichlever.prices import CallTotals, build_bill, call_cost
from whichlever.task import Task


def summarise(
    outcomes: Sequence[Outcome], task: Task, labels: Sequence[str], seed: int = 0
) -> Measures:
    """Score every lever, with intervals, and compare every pair.

    Parameters
    ----------
    outcomes
        One per lever; each answered the first rows of the same frozen order.
    task
        Its goal, mistakes, prices and volume.
    labels
        The run's label order.
    seed
        Seeds bootstrap draws and random swaps; the same seed gives the same figures.

    Raises
    ------
    DataError
        Two levers did not answer the same rows in the same order.
    TaskError
        A lever's ``price_as`` is not in the price table.
    """
    labels = tuple(labels)
    longest = _same_rows(outcomes)
    draws = Draws.over(len(longest), longest.groups, seed=seed)
    lengths = sorted({len(o) for o in outcomes})
    watched = frozenset(k.split(".", 1)[1] for k in task.goal.at_least if "." in k)
    tallies = [
        Tally(o, task, labels, [m for m in lengths if m <= len(o)], watched) for o in outcomes
    ]
    for weights in draws.chunks():
        for tally in tallies:
            tally.add(weights)
    return Measures(
        labels=labels,
        metric=task.goal.metric,
        levers=tuple(_summary(t, task, labels, draws) for t in tallies),
        pairs=compare_pairs(tallies, task, draws),
    )


def _same_rows(outcomes: Sequence[Outcome]) -> Outcome:
    longest = max(outcomes, key=len, default=None)
    if longest is None or len(longest) == 0:
        raise DataError("no lever answered a test row; give the levers a larger budget")
    for other in outcomes:
        if other.ids != longest.ids[: len(other)]:
            raise DataError(
                f"{other.lever} and {longest.lever} did not answer the same test rows in the same "
                "order; run compare again in a new folder"
            )
    return longest


def _summary(tally: Tally, task: Task, labels: tuple[str, ...], draws: Draws) -> LeverSummary:
    o = tally.outcome
    cost = call_cost(
        _totals(o, task), o.place, task,
        price_as=o.price_as, token_prices=o.token_prices, priced=o.priced,
    )  # fmt: skip
    scored = None
    if tally.confidence is not None:
        scored = calibration(
            tally.confidence, tally.before, o.temperature, tally.drawn("ece"), tally.drawn("brier"),
            len(np.unique(draws.units[tally.confidence.rows])),
        )  # fmt: skip
    clean = None if tally.clean is None else np.flatnonzero(tally.clean)
    left = None if clean is None else len(tally.answers.take(clean).classes)
    return LeverSummary(
        lever=o.lever,
        what=o.what,
        place=o.place,
        rows=len(o),
        all_rows=o.all_rows,
        statuses=dict(sorted(Counter(o.statuses).items())),
        metrics=_metrics(tally, labels, draws),
        calibration=scored,
        latency=o.latency,
        cost=cost,
        rows_seen=o.rows_seen,
        fit_seconds=o.fit_seconds,
        chosen=dict(o.chosen),
        seeds=o.seeds,
        without_leaks=None if clean is None else _without_leaks(tally, draws, clean),
        clean_rows=None if clean is None else len(clean),
        clean_classes=left,
        bill=build_bill(
            o.lever, o.place, cost, task,
            rows_seen=o.rows_seen, fit_seconds=o.fit_seconds, test_rows=o.all_rows,
        ),
    )  # fmt: skip


def _metrics(tally: Tally, labels: tuple[str, ...], draws: Draws) -> dict[str, Interval]:
    answers, n = tally.answers, len(tally.outcome)
    one = np.ones((n, 1))
    now = tally.figures(one)
    grouped = draws.count < len(draws.units)
    units = draws.units[:n]
    out = _overall(answers, now, tally.drawn, units, grouped=grouped)
    counts = answers.count(one)
    detailed = {c: i for i, c in enumerate(tally.detailed)}
    for place, c in enumerate(answers.classes):
        hit, true, said = (float(x[place, 0]) for x in (counts.hit, counts.true, counts.said))
        name, i = labels[int(c)], detailed.get(int(c))
        if i is None:
            out[f"recall.{name}"] = Interval(value=hit / true)
            continue
        for key, rows, mask in (
            ("recall", true, answers.has_true(int(c))),
            ("precision", said, answers.has_said(int(c))),
        ):
            # Values of one line are right and wrong together: a line is a group of them.
            clustered = grouped or isinstance(answers, FieldAnswers)
            held = len(np.unique(units[mask])) if clustered else None
            out[f"{key}.{name}"] = share(hit, rows, held, tally.drawn(key)[i])
        if int(c) in tally.at_rates and len(labels) <= MANY_CLASSES:
            out |= _at_rates(tally, int(c), name, true, grouped, units)
    return out


def _overall(
    answers: Scored,
    now: Mapping[str, npt.NDArray[np.float64]],
    drawn: Callable[[str], npt.NDArray[np.float64]],
    units: npt.NDArray[np.int64],
    *,
    grouped: bool,
) -> dict[str, Interval]:
    """The figures over all classes with their intervals."""
    held = len(np.unique(units))
    ratio, part = answers.ratio, answers.share
    right = share(
        float(answers.correct.sum()), len(answers), held if grouped else None, drawn(part)
    )
    error = standard_error(delete_one(answers, ratio, units))
    f1 = centred(float(now[ratio][0]), drawn(ratio), error, units=held)
    if answers.correct.all():
        # Every draw of a perfect score is perfect: the exact interval of the share stands in.
        f1 = widest(f1, right)
    elif not now[ratio][0]:
        f1 = widest(f1, share(0.0, len(answers), held if grouped else None, None))
    out = {ratio: f1, part: right}
    if isinstance(answers, FieldAnswers):
        said, made = float(answers.fields.said.sum()), float(answers.fields.invented.sum())
        out["invented"] = share(made, said, held, drawn("invented"))
    if isinstance(answers, TextAnswers):
        for name in answers.extra:
            out[name] = percentile(float(now[name][0]), drawn(name), units=held)
        for name in set(answers.extra) & set(FLAGS):
            count = float(getattr(answers.texts, name).sum())
            out[name] = share(count, len(answers), held if grouped else None, drawn(name))
    if "loss" in now:
        out["loss"] = percentile(float(now["loss"][0]), drawn("loss"), units=held)
    return out


def _at_rates(
    tally: Tally, c: int, name: str, true: float, grouped: bool, units: npt.NDArray[np.int64]
) -> dict[str, Interval]:
    """Recall at fixed false-positive rates: the threshold's noise, and that of few positives."""
    now = tally.figures(np.ones((len(tally.outcome), 1)))[f"at.{c}"][:, 0]
    held = len(np.unique(units[tally.outcome.targets == c])) if grouped else None
    out = {}
    for i, rate in enumerate(FALSE_POSITIVE_RATES):
        drawn = tally.drawn(f"at.{c}")[i]
        value = float(now[i])
        exact = share(value * true, true, held, drawn if grouped else None)
        around = percentile(value, drawn, units=held)
        out[f"recall_at_fpr.{name}.{rate:g}"] = widest(around, exact)
    return out


def _without_leaks(tally: Tally, draws: Draws, kept: npt.NDArray[np.int64]) -> dict[str, Interval]:
    """The overall metrics on the test rows that training had not (nearly) seen."""
    one = np.zeros((len(tally.outcome), 1))
    one[kept] = 1.0
    return _overall(
        tally.answers.take(kept),
        tally.overall(one),
        lambda name: tally.drawn(f"clean.{name}"),
        draws.units[kept],
        grouped=draws.count < len(draws.units),
    )


def _totals(o: Outcome, task: Task) -> CallTotals:
    known = ~(np.isnan(o.tokens_in) | np.isnan(o.tokens_out))
    cached = np.nan_to_num(o.tokens_cached)
    columns: list[Any] = [o.tokens_in[known], cached[known], o.tokens_out[known]]
    return CallTotals(
        rows=len(o),
        core_seconds=_core_seconds(o, task),
        tokens=tuple(zip(*(c.tolist() for c in columns), strict=True)),
        bytes_out=bytes_per_call(o),
        estimated=o.estimated,
    )


def _core_seconds(o: Outcome, task: Task) -> float | None:
    """Processor time of a call on this machine; else the wall time of all its cores."""
    if o.place != "here":
        return None
    if o.latency.core_seconds is not None:
        return o.latency.core_seconds
    cores = o.latency.cores or task.prices.cores
    if o.latency.rows_per_second:
        return cores / o.latency.rows_per_second
    known = o.seconds[~np.isnan(o.seconds)]
    return float(known.mean()) * cores if len(known) else None

"""Every pair of levers on the rows both answered: one family of tests a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from whichlever.measure.best import Contrast, upper_bounds
from whichlever.measure.draws import Draws
from whichlever.measure.intervals import centre, effective_units, percentile, student, widest
from whichlever.measure.jackknife import standard_error
from whichlever.measure.oracle import ORACLES
from whichlever.measure.paired import attainable_p, holm, mcnemar, randomisation_p
from whichlever.measure.power import least_error, rows_needed
from whichlever.measure.summary import Interval, Pair
from whichlever.measure.tally import Tally
from whichlever.task import Task

FLOOR = "majority"


def compare_pairs(tallies: Sequence[Tally], task: Task, draws: Draws) -> tuple[Pair, ...]:
    """Compare all pairs on the goal metric.

    The Holm family is every pair of the run, those with the majority floor too: their p-values
    are mostly the smallest there are, and Holm steps over them first. Multiple comparisons with
    the best leave the majority floor out: it is no candidate.
    """
    metric, margin = task.goal.metric, task.goal.margin
    contrasts = {}
    for a, b in combinations(tallies, 2):
        found = _contrast(a, b, draws)
        contrasts[found.first, found.second] = found
    names = [t.outcome.lever for t in tallies if t.outcome.lever not in (FLOOR, *ORACLES)]
    bounds, critical = upper_bounds(names, contrasts)
    pairs = [
        _pair(a, b, contrasts[a.outcome.lever, b.outcome.lever], metric, draws)
        for a, b in combinations(tallies, 2)
    ]
    adjusted = holm([pair.p for pair in pairs])
    out = []
    for pair, p_holm in zip(pairs, adjusted, strict=True):
        z = max(critical.get(pair.a, 1.645), critical.get(pair.b, 1.645))
        update = {
            "p_holm": p_holm,
            "a_over_b": bounds.get((pair.a, pair.b)),
            "b_over_a": bounds.get((pair.b, pair.a)),
            "rows_needed": rows_needed(pair.rows, pair.error or 0.0, margin, z),
        }
        out.append(pair.model_copy(update=update))
    return tuple(out)


def _contrast(a: Tally, b: Tally, draws: Draws) -> Contrast:
    m = min(len(a.outcome), len(b.outcome))
    right_a, right_b = a.head_answers(m).correct, b.head_answers(m).correct
    least = least_error(int(np.sum(right_a != right_b)), m)
    deleted = a.head_deleted(m, draws.units) - b.head_deleted(m, draws.units)
    value = a.head_value(m) - b.head_value(m)
    drawn = centre(value, a.head(m) - b.head(m), standard_error(deleted))
    known = drawn[np.isfinite(drawn)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    units = effective_units(draws.units[:m])
    return Contrast(a.outcome.lever, b.outcome.lever, value, drawn, max(spread, least), units)


def _interval(contrast: Contrast) -> Interval:
    """Percentile interval of a difference, no narrower than its standard error allows.

    Levers that answer alike, or of which one is always right and the other never, have draws that
    do not vary; that is no certainty.
    """
    value, units = contrast.value, contrast.units
    found = percentile(value, contrast.draws, units=units)
    known = contrast.draws[np.isfinite(contrast.draws)]
    few = 1.0 if units is None else student(units)
    if len(known) > 1 and contrast.error <= float(known.std(ddof=1)):
        return found
    reach = min(2.0, 1.96 * few * contrast.error)
    low, high = max(-1.0, value - reach), min(1.0, value + reach)
    return widest(found, Interval(value=value, low=low, high=high))


def _pair(a: Tally, b: Tally, contrast: Contrast, metric: str, draws: Draws) -> Pair:
    m = min(len(a.outcome), len(b.outcome))
    first, second = a.head_answers(m), b.head_answers(m)
    grouped = draws.count < len(draws.units)
    units = draws.units[:m] if grouped else None
    groups = len(np.unique(draws.units[:m]))
    p = randomisation_p(first, second, metric, units, draws.seed)
    return Pair(
        a=contrast.first,
        b=contrast.second,
        metric=metric,
        rows=m,
        groups=groups if grouped else None,
        difference=_interval(contrast),
        p=p,
        p_holm=p,
        p_attainable=attainable_p(groups),
        mcnemar=None if grouped else mcnemar(first, second),
        error=contrast.error,
    )

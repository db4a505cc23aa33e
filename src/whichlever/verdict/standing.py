"""May a lever be pulled: hard constraints, floors on lower bounds, better than no lever at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whichlever.calibrate import rows_for_share
from whichlever.measure.oracle import ORACLES
from whichlever.measure.power import rows_needed
from whichlever.measure.summary import Interval, LeverSummary, Measures, Pair
from whichlever.task import Task
from whichlever.verdict.change import excluded as goes_stale
from whichlever.verdict.figures import Cite, spoken
from whichlever.verdict.hybrid import LEVER as HYBRID
from whichlever.verdict.hybrid import person_worth, waits_for_person
from whichlever.verdict.types import Reason

FLOOR = "majority"
State = Literal["eligible", "unproven", "excluded"]


@dataclass(frozen=True)
class Eligibility:
    """A lever's state and why.

    ``labels`` more test rows may prove it, 0 where it need only answer more of those there are;
    None where rows cannot.
    """

    state: State
    reasons: tuple[Reason, ...]
    labels: int | None = None


def eligibility(lever: LeverSummary, task: Task, measures: Measures) -> Eligibility:
    """Judge one lever by rule 5: excluded by a hard constraint, unproven, or eligible."""
    cite = Cite(task, measures)
    own = f"levers.{lever.lever}"
    if lever.lever == FLOOR:
        does = "never reads the input" if task.kind != "extract" else "copies fixed columns"
        text = f"A floor: it {does}, and reaches {spoken(measures.metric)} {{0}}."
        reason = cite.reason(text, f"{own}.metrics.{measures.metric}")
        return Eligibility("excluded", (reason,))
    if lever.lever in ORACLES:
        text = (
            "A diagnostic: it is handed the right document, which nobody can do for a new row; "
            f"it reaches {spoken(measures.metric)} {{0}}."
        )
        reason = cite.reason(text, f"{own}.metrics.{measures.metric}")
        return Eligibility("excluded", (reason,))
    excluded = _hard(lever, cite, own)
    if excluded:
        return Eligibility("excluded", tuple(excluded))
    unproven: list[Reason] = []
    labels: list[int | None] = []
    worth = person_worth(cite) if lever.lever == HYBRID else None
    if worth is not None:
        if worth[0] == "excluded":
            return Eligibility("excluded", (worth[1],))
        unproven.append(worth[1])
        labels.append(None)
    if task.constraints.latency_p95_ms is not None and lever.latency.p95_ms is None:
        text = "Its latency is not measured; p95 may be at most {0}."
        unproven.append(cite.reason(text, "constraints.latency_p95_ms"))
        labels.append(None)
    for key, floor in task.goal.at_least.items():
        found = _floor(lever, key, floor, cite, own)
        if found is not None:
            unproven.append(found)
            labels.append(_labels_for(lever, lever.metrics.get(key), floor, task.goal.margin))
    beaten = _beats_floor(lever, cite, measures)
    if beaten is not None:
        unproven.append(beaten)
        labels.append(_labels_to_beat(lever, measures.pair(lever.lever, FLOOR), task.goal.margin))
    if not unproven:
        return Eligibility("eligible", ())
    known = [n for n in labels if n is not None]
    return Eligibility(
        "unproven", tuple(unproven), max(known) if known and len(known) == len(labels) else None
    )


def _hard(lever: LeverSummary, cite: Cite, own: str) -> list[Reason]:
    constraints, out = cite.task.constraints, []
    if lever.place != "here" and not constraints.data_may_leave:
        how = (
            "was answered by a system outside"
            if lever.place == "recorded"
            else "sends rows outside"
        )
        out.append(
            cite.reason(f"It {how}, and data_may_leave is {{0}}.", "constraints.data_may_leave")
        )
    limit, p95 = constraints.latency_p95_ms, lever.latency.p95_ms
    if limit is not None and p95 is not None and p95 > limit:
        waits = lever.lever == HYBRID and waits_for_person(cite)
        why = ", as more than one row in twenty waits for a person" if waits else ""
        text = f"Its p95 latency is {{0}}{why}; at most {{limit}} is allowed."
        figure = f"{own}.latency.p95_ms"
        out.append(cite.reason(text, figure, limit="constraints.latency_p95_ms"))
    most, bill = constraints.dollars_per_month, lever.bill
    month = None if bill is None else bill.month(constraints.calls_per_month)
    if most is not None and month is not None and month > most:
        text = "It costs {0} a month, everything counted; at most {most} is allowed."
        figure = f"{own}.bill.dollars_per_month"
        out.append(cite.reason(text, figure, most="constraints.dollars_per_month"))
    stale = goes_stale(lever, cite)
    return out if stale is None else [*out, stale]


def _floor(lever: LeverSummary, key: str, floor: float, cite: Cite, own: str) -> Reason | None:
    found, figure = lever.metrics.get(key), f"goal.at_least.{key}"
    if found is None:
        return cite.reason(f"No test row measures {spoken(key)}, which must reach {{0}}.", figure)
    if found.low is not None and found.low >= floor:
        return None
    short = found.high is not None and found.high < floor
    how = "falls short of" if short else "is not shown to reach"
    text = f"Its {spoken(key)} of {{0}} {how} {{floor}}"
    more = {"floor": figure}
    if not short and floor >= 1:
        text += ", which no number of rows can show"
    elif not short and key.startswith("recall."):
        least = rows_for_share(floor, 0.975)
        text += f", which takes at least {least} test rows of that label with none missed"
    if not short and floor < 1 and lever.rows < lever.all_rows:
        text += "; it answered {rows} of {all} test rows: give it a larger budget"
        more |= {"rows": f"{own}.rows", "all": f"{own}.all_rows"}
    return cite.reason(text + ".", f"{own}.metrics.{key}", **more)


def _labels_for(
    lever: LeverSummary, found: Interval | None, floor: float, margin: float
) -> int | None:
    """More rows that would show a floor to be passed by one margin, if it is; see `_more`."""
    if found is None or found.low is None or found.high is None:
        return None
    if found.high < floor or floor >= 1:
        return None
    error = (found.high - found.low) / (2 * 1.96)
    return _more(rows_needed(lever.rows, error, margin, 1.96), lever.rows, lever)


def _labels_to_beat(lever: LeverSummary, pair: Pair, margin: float) -> int | None:
    """More rows that would show it ahead of the floor by one margin, if it is; see `_more`."""
    d = pair.difference
    most = d.high if pair.a == lever.lever else (None if d.low is None else -d.low)
    if most is None or most <= 0:
        return None
    return _more(rows_needed(pair.rows, pair.error or 0.0, margin, 1.96), pair.rows, lever)


def _more(needed: int, rows: int, lever: LeverSummary) -> int | None:
    """Rows to label beyond those there are, 0 where only its budget is short.

    None where it answered enough already: what it has not shown then is within a margin, and no
    number of rows can be promised to show it.
    """
    return None if needed <= rows else max(0, needed - lever.all_rows)


def _beats_floor(lever: LeverSummary, cite: Cite, measures: Measures) -> Reason | None:
    """Why the lever is not shown better than always giving the most frequent answer."""
    try:
        pair = measures.pair(lever.lever, FLOOR)
    except KeyError:
        return None
    figure = f"pairs.{pair.a}~{pair.b}.difference"
    d = pair.difference
    ahead = d.low if pair.a == lever.lever else (None if d.high is None else -d.high)
    if ahead is not None and ahead > 0:
        return None
    who = f"{pair.a} minus {pair.b}"
    return cite.reason(f"It is not shown better than the majority floor: {who} is {{0}}.", figure)

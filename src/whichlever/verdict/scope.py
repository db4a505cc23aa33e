"""What the verdict speaks of, and what it does not."""

from __future__ import annotations

from whichlever.measure.draws import DRAWS
from whichlever.measure.summary import LeverSummary, Measures
from whichlever.prices.bill import change_hours
from whichlever.task import Task
from whichlever.verdict.change import change_scope
from whichlever.verdict.choice import Choice
from whichlever.verdict.figures import Cite, money, spoken
from whichlever.verdict.standing import FLOOR


def scope(
    task: Task, measures: Measures, choice: Choice, audit_note: str | None
) -> tuple[str, ...]:
    """Name what was measured, on how many rows, and how dollars were counted."""
    out = [_measured(s) for s in measures.levers if s.lever != FLOOR]
    missing = capable_prompt(task, measures, choice)
    if missing is not None:
        out.append(missing)
    out += change_scope(Cite(task, measures))
    out.append(_counted(task))
    out.append(_tested(measures))
    out += [f"{s.lever}: {s.cost.basis}." for s in measures.levers if s.cost.marginal is None]
    if audit_note:
        out.append(audit_note)
    return tuple(out)


def _measured(lever: LeverSummary) -> str:
    rows = f"all {lever.all_rows:,}" if lever.rows == lever.all_rows else (
        f"the first {lever.rows:,} (by its budget) of {lever.all_rows:,}"
    )  # fmt: skip
    text = f"{lever.lever} is {lever.what}, on {rows} test rows."
    failed = sum(n for status, n in lever.statuses.items() if status != "ok")
    if failed:
        text += f" {failed:,} of them it did not answer; they count as wrong."
    return text


def capable_prompt(task: Task, measures: Measures, choice: Choice) -> str | None:
    """What a prompt of a large model would need to win; None where one was measured."""
    if task.kind == "verify" or any(s.place in ("remote", "recorded") for s in measures.levers):
        return None  # no prompt is asked who wrote a mail: it never saw the person's own
    name = choice.lever or choice.best
    if name is None:
        candidates = [s for s in measures.levers if s.lever != FLOOR]
        if not candidates:
            return None
        name = max(candidates, key=lambda s: s.metrics[measures.metric].value).lever
    value = measures.lever(name).metrics[measures.metric].value
    margin, metric = task.goal.margin, spoken(measures.metric)
    most = prompt_price(task, choice.dollars.get(name), measures.lever(name))
    text = (
        "No capable prompt was measured. Against "
        f"{name} one would have to show {metric} above {value + margin:.3f} at any price"
    )
    if most is not None and most > 0:
        text += f", or at least {max(0.0, value - margin):.3f} for under {money(most)} a call"
    elif most is not None:
        text += "; at no price would it be the cheaper one at this volume"
    where = "" if task.constraints.data_may_leave else ", on a server inside, as data may not leave"
    if task.kind == "extract":
        return f"{text}."
    return f"{text}. requests.jsonl holds the requests to try it with{where}."


def prompt_price(task: Task, dollars: float | None, lever: LeverSummary) -> float | None:
    """Dollars per call below which a prompted model costs less a month than ``lever``.

    A prompt's own fixed costs (judging it on the same test rows, changing it when the task
    changes) are taken off first; None where the lever's cost is not measured.
    """
    if dollars is None or lever.bill is None:
        return None
    bill = lever.bill
    change = change_hours(task.prices, "prompt") * task.prices.engineer_hour
    fixed = bill.evaluation / bill.months + bill.changes_per_month * change
    return (dollars - fixed) / task.constraints.calls_per_month


def _counted(task: Task) -> str:
    p = task.prices
    return (
        f"Dollars a month are at {task.constraints.calls_per_month:,.0f} calls: own machines kept "
        f"on all month ({p.cores} cores at ${p.core_hour:g} a core-hour), labels (${p.label:g} "
        f"each), training and judging spread over {p.months:g} months, {p.upkeep_hours:g} engineer "
        f"hours (${p.engineer_hour:g} each) of upkeep a month for what runs here, and changes of "
        f"the task ({task.constraints.task_changes})."
    )


def _tested(measures: Measures) -> str:
    grouped = any(p.groups is not None for p in measures.pairs)
    unit = "whole groups" if grouped else "rows"
    shares = "exact (Clopper-Pearson)"
    if grouped:
        shares = "Clopper-Pearson's, with as many rows as the groups are worth"
    return (
        f"Intervals are 95 %, from {DRAWS:,} bootstrap draws of {unit} shared by all levers and no "
        f"narrower than the jackknife's; those of shares are {shares}. p-values are from swapping "
        f"{unit} and Holm-adjusted over {len(measures.pairs)} pairs."
    )

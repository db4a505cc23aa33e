"""What would change the verdict: the choice made again with one thing different."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whichlever.measure.summary import Measures
from whichlever.task import Task
from whichlever.verdict.breakeven import calls
from whichlever.verdict.change import STALE_EXCLUDES
from whichlever.verdict.choice import SIGNIFICANT, Choice, choose
from whichlever.verdict.figures import Cite
from whichlever.verdict.types import Reason

MARGINS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
VOLUME_STEPS = 32
VOLUME_DECADES = 4


def would_change(task: Task, measures: Measures, now: Choice) -> tuple[Reason, ...]:
    """Say which constraints, goals and volumes would lead to another lever (or to none)."""
    cite = Cite(task, measures)
    out: list[Reason] = []
    for text, figure, other, paid in _variations(task):
        found = choose(other, measures, labels_paid=paid)
        if (found.outcome, found.lever) != (now.outcome, now.lever):
            out.append(cite.reason(f"{text}: {_outcome(found)}.", figure))
    out += _volumes(task, measures, now, cite)
    out += _more_rows(task, measures, now, cite)
    if not out:
        text = (
            "Nothing tried alone would: data_may_leave, latency, floors, other margins, labels "
            "already paid, or volumes around {0} calls a month."
        )
        out.append(cite.reason(text, "constraints.calls_per_month"))
    return tuple(out)


def _more_rows(task: Task, measures: Measures, now: Choice, cite: Cite) -> list[Reason]:
    """Name the cheaper eligible levers that more test rows may show to be as good."""
    out: list[Reason] = []
    paid = None if now.lever is None else now.dollars[now.lever]
    if now.lever is None or paid is None:
        return out
    for name in now.behind:
        other, pair = now.dollars[name], cite.pair(name, now.lever) if name != now.lever else ""
        if not pair or name in now.as_good or other is None or other >= paid:
            continue
        found = measures.pair(name, now.lever)
        needed = found.rows_needed or 0
        # Where as many rows were answered already, more of them promise nothing.
        if found.p_holm > SIGNIFICANT and needed > found.rows:
            text = (
                f"{name} costs {{dollars}} a month and is not told apart from {now.lever}; with "
                "{0} labelled test rows in all it would be shown to be as good, if it is (80 % "
                "power)."
            )
            dollars = f"levers.{name}.bill.dollars_per_month"
            out.append(cite.reason(text, f"{pair}.rows_needed", dollars=dollars))
    return out


def _outcome(choice: Choice) -> str:
    if choice.lever is not None:
        return f"pull {choice.lever}"
    return "cannot tell" if choice.outcome == "cannot tell" else "no lever would be eligible"


def _variations(task: Task) -> Iterator[tuple[str, str, Task, bool]]:
    """Yield text, figure, the task with one thing different, and whether labels are paid."""
    leave = task.constraints.data_may_leave
    flipped = "false" if leave else "true"
    figure = "constraints.data_may_leave"
    text = f"If data_may_leave were {flipped} instead of {{0}}"
    yield text, figure, _constrained(task, data_may_leave=not leave), False
    if task.constraints.latency_p95_ms is not None:
        text = "If p95 latency need not be within {0}"
        figure = "constraints.latency_p95_ms"
        yield text, figure, _constrained(task, latency_p95_ms=None), False
    changes = task.constraints.knowledge_changes
    instead = "monthly" if changes in STALE_EXCLUDES else "daily"
    text = f"If knowledge_changes were {instead} instead of {{0}}"
    figure = "constraints.knowledge_changes"
    yield text, figure, _constrained(task, knowledge_changes=instead), False
    for key in task.goal.at_least:
        rest = {k: v for k, v in task.goal.at_least.items() if k != key}
        text = f"If {key} need not reach {{0}}"
        yield text, f"goal.at_least.{key}", _aimed(task, at_least=rest), False
    margin = task.goal.margin
    below = [m for m in reversed(MARGINS) if m < margin]
    above = [m for m in MARGINS if m > margin]
    for other in (*below[:2], *above[:2]):
        text = f"With a margin of {other:g} instead of {{0}}"
        yield text, "goal.margin", _aimed(task, margin=other), False
    yield "If labels were there anyway instead of {0} each", "prices.label", task, True


def _constrained(task: Task, **update: Any) -> Task:  # noqa: ANN401 - whatever the key holds
    constraints = task.constraints.model_copy(update=update)
    return task.model_copy(update={"constraints": constraints})


def _aimed(task: Task, **update: Any) -> Task:  # noqa: ANN401 - whatever the key holds
    return task.model_copy(update={"goal": task.goal.model_copy(update=update)})


def _volumes(task: Task, measures: Measures, now: Choice, cite: Cite) -> list[Reason]:
    """The nearest volume below and above the user's at which the choice is another."""
    volume, out = task.constraints.calls_per_month, []
    for way, words in ((-1, "or fewer"), (1, "or more")):
        for i in range(1, VOLUME_STEPS * VOLUME_DECADES // 4 + 1):
            other = volume * 10 ** (way * i * 4 / VOLUME_STEPS)
            if other < 1:
                break
            found = choose(_constrained(task, calls_per_month=other), measures)
            if (found.outcome, found.lever) != (now.outcome, now.lever):
                text = f"At about {calls(other)} calls a month {words}, instead of {{0}}"
                figure = "constraints.calls_per_month"
                out.append(cite.reason(f"{text}: {_outcome(found)}.", figure))
                break
    return out

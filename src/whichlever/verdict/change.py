"""What a change of the facts means for the verdict: who may be pulled, and what is said of it."""

from __future__ import annotations

from whichlever.measure.oracle import ORACLES
from whichlever.measure.summary import LeverSummary
from whichlever.verdict.figures import Cite, money
from whichlever.verdict.types import Reason

STALE_EXCLUDES = frozenset({"daily", "live"})
"""Knowledge that changes faster than a model can be trained, checked and put in place again."""

STALE_CAVEAT = frozenset({"weekly"})

_CHANGES = "constraints.knowledge_changes"

RETRAININGS = {"live": 365.25 / 12, "daily": 365.25 / 12, "weekly": 52 / 12, "monthly": 1.0}
"""Fits a month that would keep up; with live knowledge, one a day is only the least."""


def excluded(lever: LeverSummary, cite: Cite) -> Reason | None:
    """Why a hard constraint of freshness excludes a lever: it is shown to go stale."""
    found = _stale(lever.lever, cite)
    if found is None or cite.task.constraints.knowledge_changes not in STALE_EXCLUDES:
        return None
    text = (
        "It goes stale: on rows whose fact changed after it was fitted it loses {0} of share "
        "right, more than the margin of {margin}, and knowledge_changes is {changes}."
    )
    return cite.reason(text, f"followed.{found}.drop", margin="goal.margin", changes=_CHANGES)


def caveat(lever: LeverSummary, cite: Cite) -> Reason | None:
    """What must be said of a lever that goes stale where that does not exclude it."""
    found = _stale(lever.lever, cite)
    if found is None or cite.task.constraints.knowledge_changes in STALE_EXCLUDES:
        return None
    text = (
        "It goes stale when facts change: {0} of share right is lost on rows whose fact changed; "
        "knowledge_changes is {changes}"
    )
    keep_up = _keeping_up(lever, cite)
    return cite.reason(f"{text}{keep_up}.", f"followed.{found}.drop", changes=_CHANGES)


def _keeping_up(lever: LeverSummary, cite: Cite) -> str:
    """What fitting it again as often as knowledge changes would cost, without an engineer."""
    times = RETRAININGS.get(cite.task.constraints.knowledge_changes)
    if times is None or lever.bill is None:
        return ""
    each = lever.bill.relabel + lever.bill.training
    return (
        f", and fitting it again each time would take about {money(times * each)} a month of "
        "labels and machine time"
    )


def change_reasons(cite: Cite, name: str | None) -> list[Reason]:
    """What the change showed of the lever that is pulled (or is best), and of the others."""
    change = cite.measures.change
    out: list[Reason] = []
    if change is not None:
        order = sorted(change.levers, key=lambda f: (f.lever != name, f.state == "not shown"))
        shown = [f for f in order if f.lever == name or f.state != "not shown"]
        out += [Reason(text=f.text, figure=f"followed.{f.lever}.drop") for f in shown]
    for found in cite.measures.retrieval:
        where = "worth" if found.worth is not None else "recall"
        out.append(Reason(text=found.text, figure=f"retrieval.{found.lever}.{where}"))
    return out


def change_scope(cite: Cite) -> list[str]:
    """What is not known of freshness."""
    changes = cite.task.constraints.knowledge_changes
    if cite.measures.change is None:
        if changes in STALE_EXCLUDES | STALE_CAVEAT:
            return [
                f"knowledge_changes is {changes}, and which levers follow a change is not "
                "measured: give the documents and rows of after one in change:."
            ]
        return []
    missing = [
        s.lever
        for s in cite.measures.levers
        if cite.measures.change.lever(s.lever) is None and s.lever not in ORACLES
    ]
    if not missing:
        return []
    return [f"Not asked again after the change: {', '.join(missing)}."]


def _stale(name: str, cite: Cite) -> str | None:
    change = cite.measures.change
    found = None if change is None else change.lever(name)
    return name if found is not None and found.state == "goes stale" else None

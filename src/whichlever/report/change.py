"""The page's rows about change: who follows when documents change, and what a change costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.measure.change import Followed
from whichlever.measure.figure import Interval
from whichlever.measure.oracle import ORACLES
from whichlever.measure.summary import Measures
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.palette import Mark

HEIGHT, STEP = 22, 30
"""Of a lever's band in the drawing, in its own units."""


def change_section(files: RunFiles, given: Mapping[str, Mark]) -> dict[str, Any] | None:
    """What the page shows of a change of the facts; None where none was made."""
    change = files.measures.change
    if change is None:
        return None
    rows = [_row(found, given) for found in change.levers]
    return {
        "rows": rows,
        "count": wording.count(change.rows),
        "changed": wording.count(change.changed_rows),
        "documents": wording.count(change.documents),
        "files": wording.count(change.files_changed),
        "margin": f"{change.margin:g}",
        "drawn": [_slope(found, given, place) for place, found in enumerate(change.levers)],
        "height": STEP * len(rows) + 26,
    }


def _row(found: Followed, given: Mapping[str, Mark]) -> dict[str, Any]:
    return {
        "lever": found.lever,
        "mark": given[found.lever],
        "state": found.state,
        "kind": {"goes stale": "excluded", "follows": "eligible"}.get(found.state, "unproven"),
        "reads": found.reads_documents,
        "before": wording.interval(found.before),
        "after": wording.interval(found.after),
        "drop": wording.signed(_negative(found.drop)),
        "old": wording.share(found.still_old.value),
        "unchanged": wording.interval(found.unchanged_after) if found.unchanged_after else "–",
        "behind": "–" if found.behind is None else wording.signed(_negative(found.behind)),
        "leader": found.leader,
        "index": "–" if found.seconds_to_index is None else wording.seconds(found.seconds_to_index),
        "answer": "–"
        if found.seconds_to_answer is None
        else wording.seconds(found.seconds_to_answer),
        "rows": wording.count(found.rows),
        "changed_rows": wording.count(found.changed_rows),
        "text": found.text,
    }


def _slope(found: Followed, given: Mapping[str, Mark], place: int) -> dict[str, Any]:
    """Where a lever's two dots stand on a rail from 0 to 1, in units of the drawing (0–100)."""
    return {
        "y": STEP * place + 16,
        "mark": given[found.lever],
        "lever": found.lever,
        "before": _at(found.before.value),
        "after": _at(found.after.value),
        "low": _at(found.after.value if found.after.low is None else found.after.low),
        "high": _at(found.after.value if found.after.high is None else found.after.high),
    }


def _at(value: float) -> float:
    return round(4 + 92 * value, 2)


def _negative(figure: Interval) -> Interval:
    """The same difference the other way round: what was lost is shown with a minus."""
    return Interval(
        value=-figure.value,
        low=None if figure.high is None else -figure.high,
        high=None if figure.low is None else -figure.low,
        level=figure.level,
    )


def retrieval_rows(files: RunFiles, given: Mapping[str, Mark]) -> list[dict[str, Any]]:
    """What each search finds, and what the right document is worth to its reader."""
    out = []
    for found in files.measures.retrieval:
        oracle = None
        if found.oracle is not None:
            score = files.measures.lever(found.oracle).metrics.get(files.measures.metric)
            oracle = {"lever": found.oracle, "score": wording.interval(score)}
        own = files.measures.lever(found.lever).metrics.get(files.measures.metric)
        out.append(
            {
                "lever": found.lever,
                "mark": given[found.lever],
                "rows": wording.count(found.rows),
                "recall": [(k, wording.share(f.value)) for k, f in found.recall.items()],
                "score": wording.interval(own),
                "oracle": oracle,
                "worth": "–" if found.worth is None else wording.signed(found.worth),
                "text": found.text,
            }
        )
    return out


def cost_of_change(files: RunFiles, given: Mapping[str, Mark]) -> list[dict[str, Any]]:
    """What one change of the task takes with each lever, and what that comes to in a month."""
    out = []
    for summary in files.measures.levers:
        bill = summary.bill
        if bill is None or summary.lever in ORACLES:
            continue
        out.append(
            {
                "lever": summary.lever,
                "mark": given[summary.lever],
                "hours": f"{bill.change_hours:g}",
                "labels": wording.money(bill.relabel),
                "training": wording.money(bill.training),
                "dollars": wording.money(bill.change),
                "times": wording.significant(bill.changes_per_month),
                "month": wording.money(bill.changes_per_month * bill.change),
                "share": _share(bill.changes_per_month * bill.change, bill.dollars_per_month),
            }
        )
    return out


def _share(part: float, whole: float | None) -> str:
    return "–" if not whole else f"{part / whole:.0%}"


def change_lines(measures: Measures) -> list[str]:
    """A few lines for a terminal: who follows, what retrieval finds, what a change costs."""
    out = []
    change = measures.change
    if change is not None:
        for state, said in (
            ("follows", "follow"),
            ("goes stale", "go stale"),
            ("not shown", "not shown"),
        ):
            found = [
                f"{f.lever} {wording.share(f.before.value)} → {wording.share(f.after.value)}"
                + (
                    ""
                    if f.seconds_to_index is None
                    else f" in {wording.seconds(f.seconds_to_index)}"
                )
                for f in change.levers
                if f.state == state
            ]
            if found:
                out.append(f"{said}: {', '.join(found)}")
    out += [found.text for found in measures.retrieval]
    return out


def cost_line(measures: Measures) -> str:
    """What one change of the task takes with each lever, in one line; the floors left out."""
    said = [
        f"{s.lever} {s.bill.change_hours:g} h, {wording.money(s.bill.change)}"
        for s in measures.levers
        if s.bill is not None and s.bill.change > 0 and s.lever not in ORACLES
    ]
    return f"One change of the task: {'; '.join(said)}." if said else ""

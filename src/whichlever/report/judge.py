"""What the page and the terminal say of a judge model's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.measure.judge import Agreement, Judging
from whichlever.measure.summary import Measures
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.palette import Mark

NOBODY = (
    "No person has judged any of these answers, so nothing is known of how far this judge can be "
    "believed: whichlever judge RUN -o FILE writes a sheet, judge.human reads it."
)


def judge_section(files: RunFiles, given: Mapping[str, Mark]) -> dict[str, Any] | None:
    """The section; None where the task has no judge."""
    judge = files.measures.judge
    if judge is None:
        return None
    return {
        "model": judge.model,
        "how": _how(judge),
        "people": NOBODY if judge.people is None else agreement_line(judge.people),
        "rows": [
            {
                "lever": one.lever, "mark": given.get(one.lever),
                "right": wording.share(one.right.value), "bounds": wording.bounds(one.right),
                "equal": wording.count(one.equal), "rows": wording.count(one.rows),
                "unjudged": wording.count(one.unjudged),
            }
            for one in judge.levers
        ],
    }  # fmt: skip


def judge_lines(measures: Measures) -> list[str]:
    """The same, a line each, for the terminal."""
    judge = measures.judge
    if judge is None:
        return []
    said = ", ".join(
        f"{one.lever} {wording.share(one.right.value)} {wording.bounds(one.right)}"
        for one in judge.levers
    )
    people = NOBODY if judge.people is None else agreement_line(judge.people)
    return [f"{judge.model} calls right: {said}. {_how(judge)}", people]


def agreement_line(people: Agreement) -> str:
    """How far people and the judge agree, in one sentence."""
    kappa = "none can be said" if people.kappa is None else f"{people.kappa:.2f}"
    return (
        f"People judged {wording.count(people.rows)} of these answers and agree with it on "
        f"{wording.share(people.agreement.value)} {wording.bounds(people.agreement)} (Cohen's "
        f"kappa {kappa}): both right {people.both_right}, both wrong {people.both_wrong}, only "
        f"the judge said right {people.judge_only}, only people {people.people_only}."
    )


def _how(judge: Judging) -> str:
    cut = "" if judge.rows_cut is None else f" to the first {wording.count(judge.rows_cut)} rows"
    return (
        f"It was asked about {wording.count(judge.asked)} different answers{cut}, without the "
        "lever's name; answers equal to the true text are right unasked. No part of the verdict."
    )

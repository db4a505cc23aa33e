"""What a student kept of its teacher: score, agreement, cost, and when it has paid for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from whichlever.measure.figure import Interval
from whichlever.measure.shares import share_of
from whichlever.measure.summary import LeverSummary
from whichlever.verdict.breakeven import break_even
from whichlever.verdict.breakeven import calls as calls_in_short

CERTAIN = 0.05


@dataclass(frozen=True)
class Gap:
    """One lever minus another on the goal metric; ``p`` after Holm, or McNemar's where alone."""

    ahead: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether it is shown to be ahead."""
        return self.ahead > 0 and self.p < CERTAIN


@dataclass(frozen=True)
class Kept:
    """What one student kept of its teacher, on the test rows that both answered.

    Attributes
    ----------
    lever
        The student.
    agreement
        Share of rows to which both say the same, right or wrong.
    teacher, student, floor
        Their goal metric, with intervals.
    of_teacher
        The student's metric over the teacher's; None where the teacher's is 0.
    cost_ratio
        Dollars of one more call, the teacher's over the student's, measured in the same run; None
        where either is not known.
    teacher_beats_floor, student_beats_floor
        Whether each is ahead of the linear floor by the paired test.
    once
        Dollars that teaching took at most: the teacher's answers and its own training, and the
        student's; labels and people are counted by the bills. None where not known.
    pays_back
        Calls after which that is saved; None is never, or not known.
    text
        All of it in sentences, what is against it first.
    """

    lever: str
    agreement: Interval
    teacher: Interval
    student: Interval
    floor: Interval
    of_teacher: float | None
    cost_ratio: float | None
    teacher_beats_floor: bool
    student_beats_floor: bool
    once: float | None
    pays_back: float | None
    text: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        said = {**self.__dict__, "text": list(self.text)}
        for name in ("agreement", "teacher", "student", "floor"):
            said[name] = getattr(self, name).model_dump(mode="json")
        return said


def what_was_kept(
    metric: str,
    levers: tuple[LeverSummary, LeverSummary, LeverSummary],
    scores: tuple[Interval, Interval, Interval],
    gaps: tuple[Gap, Gap],
    agreement: Interval,
) -> Kept:
    """Put a student beside its teacher and the floor.

    Parameters
    ----------
    levers
        Teacher, student, floor.
    scores
        Theirs on the goal metric, on the same rows.
    gaps
        Of the teacher and of the student to the floor.
    """
    old, new, floor = levers
    of_teacher = scores[1].value / scores[0].value if scores[0].value else None
    costs = old.cost.marginal, new.cost.marginal
    ratio = costs[0] / costs[1] if costs[0] is not None and costs[1] else None
    facts = new.chosen["distilled"]
    once = _once(old, new, facts)
    saved = None if costs[0] is None or costs[1] is None else costs[0] - costs[1]
    back = once / saved if once is not None and saved is not None and saved > 0 else None
    text = []
    if not gaps[0].shown:
        behind = gaps[0].ahead < 0 and gaps[0].p < CERTAIN
        how = "is shown to be behind" if behind else "is not shown to beat"
        text.append(
            f"{old.lever} {how} {floor.lever} ({scores[0].value:.3f} against "
            f"{scores[2].value:.3f}, p {gaps[0].p:.3f}): there is nothing to teach that the "
            "floor does not know; use the floor."
        )
    elif not gaps[1].shown:
        text.append(
            f"{new.lever} is not shown to beat {floor.lever} itself ({scores[1].value:.3f} against "
            f"{scores[2].value:.3f}, p {gaps[1].p:.3f})."
        )
    text += _lesson(new.lever, facts)
    if of_teacher is not None:
        text.append(
            f"It keeps {of_teacher:.1%} of the teacher's {metric} ({said(scores[1])} of "
            f"{said(scores[0])}) and says the same to {said(agreement)} of the test rows; "
            f"{floor.lever} has {said(scores[2])}."
        )
    if ratio is not None:
        text.append(f"One more call costs 1/{ratio:,.0f} of the teacher's, measured in this run.")
    if once is not None:
        after = "never" if back is None else f"after {calls_in_short(back)} calls"
        text.append(
            f"Teaching took ${once:.4g} at most (the teacher's answers, and training both); the "
            f"cheaper calls have paid for that {after}."
        )
    crossing = break_even(new, old)
    if crossing is not None:
        text.append(f"Everything counted, people too: {crossing.text}")
    return Kept(
        new.lever, agreement, scores[0], scores[1], scores[2], of_teacher, ratio, gaps[0].shown,
        gaps[1].shown, once, back, tuple(text),
    )  # fmt: skip


def _once(old: LeverSummary, new: LeverSummary, facts: dict[str, Any]) -> float | None:
    if old.bill is None or new.bill is None or facts["teacher_dollars"] is None:
        return None
    return float(facts["teacher_dollars"]) + old.bill.training + new.bill.training


def _lesson(student: str, facts: dict[str, Any]) -> list[str]:
    """What was taught, and what was left out."""
    how = "probabilities" if facts["soft"] else "labels alone"
    true = f", and {facts['true_labels']:,} true labels" if facts["true_labels"] else ""
    paid = facts["teacher_dollars"]
    cost = "" if paid is None else f", which cost ${paid:.4g}"
    told = [
        f"{student} learned from what {facts['teacher']} says of {facts['rows_taught']:,} rows "
        f"({facts['rows_without_label']:,} without a label), {how}{cost}{true}."
    ]
    if facts.get("stopped"):
        told.append(f"Asking ended early: {facts['stopped']}.")
    if facts.get("log"):
        log = facts["log"]
        told.append(
            f"The log: {log['left_out']}; {log['texts']:,} texts with {log['answers']:,} answers, "
            f"{log['held_apart']:,} of them held apart because validation, calibration or test "
            "rows have the same text."
        )
    return told


def agreement_of(
    old: pl.DataFrame, new: pl.DataFrame, seed: int, among: Sequence[str] | None = None
) -> Interval:
    """How often two levers say the same of test rows.

    Parameters
    ----------
    old, new
        Trials of one lever each, role test.
    among
        Row ids to look at; None is all that both answered.
    """
    both = old.select("id", "group", "predicted").join(
        new.select("id", said="predicted"), on="id", how="inner", maintain_order="left"
    )
    if among is not None:
        both = both.filter(pl.col("id").is_in(list(among)))
    same = (both["predicted"] == both["said"]).fill_null(value=False).to_numpy().astype(bool)
    groups = both["group"].to_list()
    return share_of(same, None if any(g is None for g in groups) else groups, seed)


def said(figure: Interval) -> str:
    """A figure with its interval."""
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"

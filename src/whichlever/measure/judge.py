"""What a judge model said of each lever's texts, and how far people agree with it."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.measure.figure import Interval
from whichlever.measure.shares import Flags, share_of
from whichlever.prices import Frozen


class Agreement(Frozen):
    """The judge against people, on answers that both judged.

    Attributes
    ----------
    rows
        Answers that both judged; those that equal the true text are asked of nobody.
    agreement
        Share on which they agree.
    kappa
        Cohen's kappa (1960): agreement beyond what their own shares of "right" give by chance;
        None where either said the same of every answer.
    both_right, both_wrong, judge_only, people_only
        How often both said so, or only one of them said right.
    """

    rows: int
    agreement: Interval
    kappa: float | None
    both_right: int
    both_wrong: int
    judge_only: int
    people_only: int


class JudgedLever(Frozen):
    """One lever's share of answers that the judge calls right.

    ``equal`` of the ``rows`` are the true text after normalising, and were not asked about;
    ``unjudged`` have no verdict (the judge failed on them) and are left out.
    """

    lever: str
    right: Interval
    rows: int
    equal: int
    unjudged: int


class Judging(Frozen):
    """A judge's work in a run: no part of the verdict, which stands on the task's own metric."""

    model: str
    asked: int
    rows_cut: int | None
    levers: tuple[JudgedLever, ...]
    people: Agreement | None
    dollars: float | None = None


def agreement_of(judge: Flags, people: Flags, groups: Sequence[str] | None, seed: int) -> Agreement:
    """Compare a judge with people, each of shape (n,), True for right."""
    n, same = len(judge), judge == people
    a, b = float(judge.mean()), float(people.mean())
    chance = a * b + (1 - a) * (1 - b)
    kappa = None if chance >= 1 else (float(same.mean()) - chance) / (1 - chance)
    return Agreement(
        rows=n,
        agreement=share_of(same, groups, seed),
        kappa=kappa,
        both_right=int((judge & people).sum()),
        both_wrong=int((~judge & ~people).sum()),
        judge_only=int((judge & ~people).sum()),
        people_only=int((~judge & people).sum()),
    )

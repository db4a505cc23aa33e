"""Which passages a prompt gets, chosen on validation rows within a share of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from whichlever.levers.asking import text_score
from whichlever.levers.retrieval import Answered, Passage, Plan, Retriever, ask_within
from whichlever.llm import Chooser
from whichlever.llm.budget import Billing, Spent, dollars_of
from whichlever.models.goal import goal_score
from whichlever.predict import Prediction, Row
from whichlever.progress import Progress
from whichlever.task import RagSettings

CHOOSING_SHARE = 0.25
"""Of the budget, what choosing is meant to take; twice as much is the end of it."""

PILOT = 2
MIN_CHOOSE = 8
MAX_CHOOSE = 60
"""Validation rows: measured first, needed for a choice, and at most."""


@dataclass(frozen=True)
class Asker:
    """Finds passages for rows and asks with them; ``within`` as `Retriever.find` takes it."""

    chooser: Chooser
    retriever: Retriever
    plan: Plan
    within: int | None = None

    def find(self, rows: Sequence[Row]) -> list[list[Passage]]:
        """The passages for each row, best first."""
        return self.retriever.find(rows, self.plan, self.within)

    def answer(self, rows: Sequence[Row]) -> list[Answered]:
        """Answer each row with as many of its passages as fit the window."""
        found = self.find(rows)
        window = self.chooser.client.server.context
        return ask_within(self.chooser.choose_rows, rows, found, window)


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    ``per_row`` is what the chosen plan's rows took and ``spent`` what choosing took in all;
    ``scores`` is each tried plan's goal metric on the first ``rows`` sample rows.
    """

    plan: Plan
    per_row: Spent
    spent: Spent
    scores: dict[str, float]
    rows: int
    not_tried: tuple[str, ...]


@dataclass
class _Trial:
    """A plan under trial: its answers to the first sample rows and what they took."""

    asker: Asker
    settings: RagSettings
    billing: Billing
    answers: list[Prediction] = field(default_factory=list)
    seconds: float = 0.0

    def answer(self, rows: Sequence[Row]) -> None:
        before = self.asker.chooser.wall_seconds
        self.answers += [answered.prediction for answered in self.asker.answer(rows)]
        self.seconds += self.asker.chooser.wall_seconds - before

    @property
    def spent(self) -> Spent:
        price = self.billing.price
        return Spent(len(self.answers), self.seconds, dollars_of(self.answers, price))

    @property
    def burnt(self) -> float:
        """The share of the budget that it has taken, of time or of money."""
        share = self.seconds / (self.settings.minutes * 60)
        dollars = self.spent.dollars
        if self.settings.dollars and dollars is not None:
            share = max(share, dollars / self.settings.dollars)
        return share

    @property
    def each(self) -> float:
        """The share of the budget that a row takes."""
        return max(self.burnt / len(self.answers), 1e-9)


def choose(
    asker: Asker,
    offered: Sequence[Plan],
    sample: Sequence[Row],
    settings: RagSettings,
    billing: Billing,
    metric: str,
    progress: Progress,
) -> Choice:
    """Try plans on sample rows and take the best; the shortest where it is a tie.

    Parameters
    ----------
    asker
        Its plan is replaced by each of those offered.
    offered
        The plan that stands where there is no time to choose, then the others by importance.
    sample
        Validation rows in their frozen order; at least one.
    settings, billing
        The budget, and how the model is paid.
    metric
        The task's goal metric.
    progress
        Told of each plan.
    """
    enough = min(MIN_CHOOSE, len(sample))
    tried: list[_Trial] = []
    abandoned = Spent()
    affordable = len(offered)
    with progress.step("rag: choose", total=len(offered)) as bar:
        for number, plan in enumerate(offered):
            if number >= affordable:
                break
            trial = _Trial(
                Asker(asker.chooser, asker.retriever, plan, asker.within), settings, billing
            )
            trial.answer(sample[:PILOT])
            burnt = sum(t.burnt for t in tried)
            if number == 0:
                affordable = max(1, int(CHOOSING_SHARE / trial.each / enough))
            elif burnt + enough * trial.each > 2 * CHOOSING_SHARE:
                abandoned += trial.spent
                continue
            left = (CHOOSING_SHARE - burnt) / (min(affordable, len(offered)) - number)
            rows = int(left / trial.each)
            rows = max(rows, enough) if affordable > 1 else rows
            trial.answer(sample[PILOT:rows])
            tried.append(trial)
            bar.advance()
    best, scores, rows = _best(tried, sample, metric, enough)
    return Choice(
        plan=best.asker.plan,
        per_row=best.spent,
        spent=sum((t.spent for t in tried), abandoned),
        scores=scores,
        rows=rows,
        not_tried=tuple(str(p) for p in offered if all(p != t.asker.plan for t in tried)),
    )


def _best(
    tried: Sequence[_Trial], sample: Sequence[Row], metric: str, enough: int
) -> tuple[_Trial, dict[str, float], int]:
    """The best plan on the rows that all of them answered; with too few rows, the first."""
    labels = tried[0].asker.chooser.labels
    rows = min(len(t.answers) for t in tried)
    scores = {
        str(t.asker.plan): round(_score(metric, sample[:rows], t.answers[:rows], labels), 4)
        for t in tried
    }
    if rows < enough:
        return tried[0], scores, rows

    def merit(trial: _Trial) -> tuple[Any, ...]:
        plan = trial.asker.plan
        return scores[str(plan)], -(plan.rows + plan.documents)

    return max(tried, key=merit), scores, rows


def _score(
    metric: str, rows: Sequence[Row], answers: Sequence[Prediction], labels: Sequence[str]
) -> float:
    if not labels:
        return text_score(metric, rows, answers)
    number = {label: i for i, label in enumerate(labels)}
    targets = np.array([number[str(row.target)] for row in rows], np.int64)
    # A row that was not answered is in a class of its own, which is never right.
    said = [len(labels) if a.label is None else number[a.label] for a in answers]
    return goal_score(np.array(said, np.int64), targets, metric)

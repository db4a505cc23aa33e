"""One lever's bootstrap draws, gathered chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from whichlever.measure.field_answers import FieldAnswers
from whichlever.measure.jackknife import delete_one
from whichlever.measure.outcome import Outcome
from whichlever.measure.probabilities import AtFalsePositiveRate, Confidence
from whichlever.measure.scores import Answers, ClassCounts, Scored, mistake_costs
from whichlever.measure.text_answers import TextAnswers
from whichlever.task import Task

Floats = npt.NDArray[np.float64]

MANY_CLASSES = 30
"""Above this, intervals per class and recall at fixed false-positive rates are left out: they
would be thousands of figures on a handful of rows each."""


class Tally:
    """What is drawn for one lever.

    Parameters
    ----------
    outcome, task, labels
        The lever's answers and what they are judged by.
    heads
        Numbers of first rows on which the goal metric is wanted (the common prefixes with other
        levers), each at most its own rows.
    watched
        Labels whose recall and precision always get intervals: the goal's floors name them.
    """

    def __init__(
        self,
        outcome: Outcome,
        task: Task,
        labels: tuple[str, ...],
        heads: Iterable[int],
        watched: frozenset[str],
    ) -> None:
        self.outcome = outcome
        self.metric = task.goal.metric
        self.answers = outcome.answers(self.metric)
        self._heads = {m: self.answers.head(m) for m in sorted({*heads, len(outcome)})}
        self.costs = (
            mistake_costs(outcome.targets, outcome.predicted, labels, task.mistakes)
            if task.mistakes
            else None
        )
        self.confidence = self._confidence(outcome.scores)
        self.before = self._confidence(outcome.raw_scores)
        # A name has several values a line and a hundred lines; a rare label has a handful of rows.
        few = len(labels) <= MANY_CLASSES or outcome.fields is not None
        self.detailed = [
            int(c) for c in self.answers.classes if few or labels[int(c)] in watched
        ]  # classes with intervals of their own
        self._places = np.searchsorted(self.answers.classes, self.detailed)
        self.at_rates: dict[int, AtFalsePositiveRate] = {}
        labelled = outcome.fields is None
        if labelled and outcome.scores is not None and self.confidence is not None:
            for c in self.detailed:
                positive = outcome.targets == c
                if not positive.all():
                    self.at_rates[c] = AtFalsePositiveRate(outcome.scores[:, c], positive)
        leaked = outcome.leaked
        some = leaked is not None and bool(leaked.any()) and not bool(leaked.all())
        self.clean = (~leaked).astype(np.float64) if some and leaked is not None else None
        self._parts: dict[str, list[Floats]] = {}
        self._drawn: dict[str, Floats] = {}
        self._deleted: dict[int, Floats] = {}

    def _confidence(self, scores: npt.NDArray[np.float32] | None) -> Confidence | None:
        if scores is None:
            return None
        return Confidence.of(scores, self.outcome.targets, self.outcome.predicted)

    def add(self, weights: Floats) -> None:
        """Take one chunk of draws, weights of shape (all rows, draws)."""
        own = weights[: len(self.outcome)]
        for name, values in self.figures(own).items():
            self._parts.setdefault(name, []).append(values)
        if self.clean is not None:
            for name, values in self.overall(own * self.clean[:, None]).items():
                self._parts.setdefault(f"clean.{name}", []).append(values)
        for m, head in self._heads.items():
            if m == len(own):
                values = self._parts[self.metric][-1].copy()
            else:
                values = head.metric(self.metric, weights[:m])
            # A draw without a row of the prefix says nothing of it.
            values[weights[:m].sum(axis=0) == 0] = np.nan
            self._parts.setdefault(f"head.{m}", []).append(values)

    def figures(self, weights: Floats) -> Mapping[str, Floats]:
        """Every figure under weights of shape (n, draws): name → shape (draws,) or (k, draws)."""
        counts = self.answers.count(weights)
        out = self.overall(weights, counts)
        out["recall"] = counts.recall()[self._places]
        out["precision"] = counts.precision()[self._places]
        if self.confidence is not None:
            out["ece"] = self.confidence.ece(weights)
            out["brier"] = self.confidence.brier(weights)
        for c, at in self.at_rates.items():
            out[f"at.{c}"] = at.recall(weights)
        return out

    def overall(self, weights: Floats, counts: ClassCounts | None = None) -> dict[str, Floats]:
        """The figures over all classes under weights (n, draws), each of shape (draws,)."""
        counts = counts or self.answers.count(weights)
        own = self.answers
        ratio = counts if isinstance(own, Answers) else own.pool(weights)
        out = {own.ratio: ratio.macro_f1(), own.share: own.accuracy(weights)}
        if isinstance(own, FieldAnswers):
            out["invented"] = own.invented(weights)
        if isinstance(own, TextAnswers):
            out |= {name: own.mean(name, weights) for name in own.extra}
        if self.costs is not None:
            out["loss"] = self.costs @ weights / np.maximum(weights.sum(axis=0), 1e-12)
        return out

    def drawn(self, name: str) -> Floats:
        """All draws of a figure: shape (draws,), or (k, draws) for ``recall`` and ``precision``."""
        if name not in self._drawn:
            self._drawn[name] = np.concatenate(self._parts.pop(name), axis=-1)
        return self._drawn[name]

    def head(self, rows: int) -> Floats:
        """Draws of the goal metric on the first ``rows``, shape (draws,)."""
        return self.drawn(f"head.{rows}")

    def head_value(self, rows: int) -> float:
        """The goal metric itself on the first ``rows``."""
        return float(self._heads[rows].metric(self.metric, np.ones((rows, 1)))[0])

    def head_deleted(self, rows: int, units: npt.NDArray[np.int64]) -> Floats:
        """The goal metric on the first ``rows`` without each of their units in turn."""
        if rows not in self._deleted:
            self._deleted[rows] = delete_one(self._heads[rows], self.metric, units[:rows])
        return self._deleted[rows]

    def head_answers(self, rows: int) -> Scored:
        """The answers to the first ``rows``."""
        return self._heads[rows]

"""Retrieval without a language model: the nearest labelled lines show where the fields stand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from whichlever.data.learn_fields import aligned_rows
from whichlever.data.line_index import LineIndex
from whichlever.errors import DataError
from whichlever.fields.schema import Schema
from whichlever.fields.spans import Span
from whichlever.fields.transfer import cut_line, transfer, vote
from whichlever.fields.values import fields_of
from whichlever.levers.base import Context, Fit
from whichlever.levers.field_goal import Sureness, goal_of
from whichlever.predict import Prediction, Row, Usage
from whichlever.task import RagSettings

CHOOSE_ROWS = 400
"""Validation lines that choose, at most: a random sample of them."""

DEPTH = 5
"""Nearest lines that are laid beside a line, at least; the likest of them lead."""


class SpanVote:
    """Fields are carried over from the nearest labelled lines: what retrieval alone gives.

    Lines are found by the tokens they share, laid beside each other token by token, and each value
    is taken from where its neighbours' stand. How many neighbours vote is chosen on validation
    lines, which then vote too. Nothing is said that does not stand in the line.

    Parameters
    ----------
    settings
        ``vote_k`` are the numbers of neighbours to try.
    """

    id = "rag-vote"

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    def settings(self) -> Mapping[str, Any]:
        """The neighbours to try, and the version of the method."""
        return {"vote_k": self._settings.vote_k, "method": "spans-1"}

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Aligning the labelled lines, and laying the lines that choose beside their nearest."""
        return 0.005 * (train + valid) + 0.02 * min(valid, CHOOSE_ROWS)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Index the labelled lines and choose how many vote.

        Raises
        ------
        DataError
            No training line has a field.
        """
        if context.schema is None or not any(row.fields for row in train):
            raise DataError("rag-vote: no training line has a field; look at data.target")
        index = LineIndex(aligned_rows([*train, *valid]))
        ks = sorted({k for k in self._settings.vote_k if k <= len(train)} or {1})
        neighbours = Neighbours(index, context.schema, ks[0])
        chosen: dict[str, Any] = {"rows": len(index)}
        if valid:
            sample = np.random.default_rng(context.seed).permutation(len(valid))[:CHOOSE_ROWS]
            rows = [valid[i] for i in sorted(sample.tolist())]
            tried = {k: neighbours.with_k(k).predict(rows, within=len(train)) for k in ks}
            metric = context.task.goal.metric
            scores = {k: goal_of(metric, rows, said, context.schema) for k, said in tried.items()}
            best = max(ks, key=lambda k: scores[k])
            sureness = Sureness.fit(rows, tried[best], context.schema)
            neighbours = neighbours.with_k(best, sureness)
            chosen |= {
                "on_rows": len(rows), f"validation_{metric}": {str(k): v for k, v in scores.items()}
            }  # fmt: skip
        return Fit(
            predictor=neighbours,
            what=f"fields carried over from the {neighbours.k} nearest of {len(index):,} labelled "
            "lines",
            chosen={"k": neighbours.k, **chosen},
            rows_seen=len(index),
        )


@dataclass(frozen=True)
class Neighbours:
    """Answers lines from their nearest labelled lines."""

    index: LineIndex
    schema: Schema
    k: int
    sureness: Sureness | None = None

    def with_k(self, k: int, sureness: Sureness | None = None) -> Neighbours:
        """The same lines, with another number of voters."""
        return Neighbours(self.index, self.schema, k, sureness)

    def predict(self, rows: Sequence[Row], within: int | None = None) -> list[Prediction]:
        """Carry fields over to each line."""
        if not rows:
            return []
        began = time.perf_counter()
        found = self.index.nearest(rows, max(self.k, DEPTH), within)
        answered = [self._answer(row, places) for row, places in zip(rows, found, strict=True)]
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(
                row.id, None, usage=usage, spans=tuple(spans),
                fields=fields_of(row.text, spans, self.schema, row.source),
                confidence=alike if self.sureness is None else self.sureness.of(alike),
            )
            for row, (alike, spans) in zip(rows, answered, strict=True)
        ]  # fmt: skip

    def _answer(self, row: Row, places: Sequence[int]) -> tuple[float, list[Span]]:
        cut, keys = cut_line(row.text)
        laid = [transfer(self.index.solved[place], cut, keys) for place in places]
        laid.sort(key=lambda pair: -pair[0])
        return laid[0][0], vote(laid[: self.k])

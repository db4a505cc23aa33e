"""Who asks a language model: for one of the labels, or, where answers are open, for a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whichlever.answer_schema import AnswerSchema
from whichlever.levers.base import Context
from whichlever.likeness import NOTHING, likeness
from whichlever.llm import Chooser, Client, Journal, Limit
from whichlever.llm.copying import holds_to_schema
from whichlever.llm.options import Guard, find_guard
from whichlever.llm.writing import Writer
from whichlever.predict import Prediction, Row

LONG = 0.98
"""The quantile of training answers' lengths that an answer is given room for, and half more."""


class Asking:
    """Makes askers for one client, each with its own solved cases.

    Parameters
    ----------
    client
        The model.
    train
        Training rows: how long answers are.
    rotations
        Option orders averaged per answer.
    """

    def __init__(
        self,
        client: Client,
        train: Sequence[Row],
        context: Context,
        *,
        rotations: int,
        journal: Journal,
        limit: Limit,
    ) -> None:
        self._client, self._context, self._rotations = client, context, rotations
        self._journal, self._limit = journal, limit
        self.guard: Guard = "none"
        if context.labels:
            self.guard = find_guard(client)
            return
        lengths = [len(row.target) for row in train if row.target]
        self._longest = round(1.5 * float(np.quantile(lengths, LONG))) if lengths else 400
        schema = AnswerSchema.of(context.task)
        self._schema = None if schema is None else schema.document
        self._held = "none" if schema is None else holds_to_schema(client)

    def with_shots(self, shots: Sequence[tuple[str, str]] = ()) -> Chooser:
        """An asker that shows these solved cases before every row."""
        task = self._context.task
        if not self._context.labels:
            return Writer(
                self._client, about=task.about, shots=shots, longest=self._longest,
                schema=self._schema, held=self._held, journal=self._journal, limit=self._limit,
            )  # fmt: skip
        return Chooser(
            self._client, self._context.labels, about=task.about, meanings=task.labels,
            shots=shots, rotations=self._rotations, journal=self._journal, guard=self.guard,
            limit=self._limit,
        )  # fmt: skip


def text_score(metric: str, rows: Sequence[Row], answers: Sequence[Prediction]) -> float:
    """The mean likeness of answers to the true texts; one of ``exact_match``, ``token_f1``,
    ``rouge_l``. A row that was not answered counts 0.
    """
    found = [
        likeness(answer.label, row.target or "") if answer.status == "ok" else NOTHING
        for row, answer in zip(rows, answers, strict=True)
    ]
    name = "exact" if metric == "exact_match" else metric
    return float(np.mean([float(getattr(one, name)) for one in found]))

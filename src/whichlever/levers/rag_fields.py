"""Retrieval for fields: the nearest solved lines in the prompt of a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from whichlever.data.line_index import LineIndex
from whichlever.errors import DataError, WeightsError
from whichlever.levers.asking_fields import Extras, FieldAsker, Way, raw_fields, solve
from whichlever.levers.base import Context, Fit
from whichlever.llm import Extra, check_llm, find_weights, open_llm
from whichlever.llm.describe import describe
from whichlever.predict import Row
from whichlever.task import RagSettings, Task

WORDING = 1
"""Raised when the way solved lines are shown changes."""


class RagFields:
    """Asks a language model for fields, with the nearest labelled lines as solved examples.

    How many lines are shown is chosen on validation lines.

    Parameters
    ----------
    settings
        The model, ``k`` lines at most, and the budget.
    """

    id = "rag"

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    @property
    def files(self) -> tuple[str, ...]:
        """The model's file, where the task gives one."""
        model = self._settings.model
        return (model,) if model.endswith(".gguf") else ()

    def settings(self) -> Mapping[str, Any]:
        """The knobs, the wording's version and the weights' checksum where they are here."""
        try:
            weights = find_weights(self._settings.model).sha256
        except WeightsError:
            weights = None
        theirs = {"vote_k", "vote_only", "match", "oracle", "retrieve"}
        known = self._settings.model_dump(exclude=theirs)
        return {**known, "wording": f"fields-{WORDING}", "weights": weights}

    def check(self, task: Task) -> None:
        """Say before anything runs that the model cannot be asked; see `check_llm`."""
        check_llm(self._settings.model, task, self.id, dollars=self._settings.dollars)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """At most the share of the budget that choosing may take, and aligning the lines."""
        return self._settings.minutes * 15 + 0.005 * (train + valid)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Index the labelled lines, choose how many a prompt gets, and size the lines to answer.

        Raises
        ------
        LLMError
            The server cannot be used at all.
        WeightsError
            The weights are not on this machine.
        InputError
            Data may not leave and the server is remote, or the budget pays for no line.
        DataError
            No training line has a field.
        """
        settings = self._settings
        if context.schema is None or not any(row.fields for row in train):
            raise DataError("rag: no training line has a field; look at data.target")
        client = open_llm(
            settings.model,
            context.task,
            slots=1,
            timeout=settings.timeout_seconds,
            retries=settings.retries,
            parallel=settings.parallel,
        )
        try:
            solved = solve(train)
            index = LineIndex(solved)
            ks = sorted({1, min(settings.k, len(solved))})
            ways = [
                Way(f"{k} nearest lines", extras=_nearest(index, k), facts={"k": k}) for k in ks
            ]
            fit = FieldAsker(self.id, settings, client, solved, context).fit(ways, train, valid)
            what = f"prompting {describe(client)} for fields, with the {fit.chosen['prompt']}"
            return replace(fit, what=what, rows_seen=len(index))
        except BaseException:
            client.close()
            raise


def _nearest(index: LineIndex, k: int) -> Extras:
    """Give each line its nearest solved ones, the nearest last: next to the question."""

    def extras(rows: Sequence[Row]) -> list[Extra]:
        found = index.nearest(rows, k)
        return [
            Extra(
                examples=tuple(
                    (index.aligned[i].line.text, raw_fields(index.aligned[i]))
                    for i in reversed(places)
                )
            )
            for places in found
        ]

    return extras

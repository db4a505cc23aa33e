"""Prompting for fields: the names of the task as a JSON schema, and solved lines as shots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from whichlever.errors import DataError, WeightsError
from whichlever.levers.asking_fields import FieldAsker, Way, draw_shots, solve
from whichlever.levers.base import Context, Fit
from whichlever.llm import check_llm, find_weights, open_llm
from whichlever.llm.describe import describe
from whichlever.predict import Row
from whichlever.task import PromptSettings, Task

WORDING = 1
"""Raised when the instructions' wording changes, so that old answers are not taken for new."""


class PromptFields:
    """Prompting a language model for the fields of a line.

    Zero-shot and few-shot prompts are compared on validation lines. Nothing holds a model to the
    line: values that it makes up are counted, not put right.

    Parameters
    ----------
    settings
        The model, the shots and the budget.
    """

    id = "prompt"

    def __init__(self, settings: PromptSettings) -> None:
        self._settings = settings

    @property
    def files(self) -> tuple[str, ...]:
        """The model's file, where the task gives one: the answers depend on what it holds."""
        model = self._settings.model
        return (model,) if model.endswith(".gguf") else ()

    def settings(self) -> Mapping[str, Any]:
        """The knobs, the wording's version and the weights' checksum where they are here."""
        try:
            weights = find_weights(self._settings.model).sha256
        except WeightsError:
            weights = None
        known = self._settings.model_dump(exclude={"rotations"})
        return {**known, "wording": f"fields-{WORDING}", "weights": weights}

    def check(self, task: Task) -> None:
        """Say before anything runs that the model cannot be asked; see `check_llm`."""
        check_llm(self._settings.model, task, self.id, dollars=self._settings.dollars)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """At most the share of the budget that choosing may take."""
        return self._settings.minutes * 15

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose a prompt and size the lines it can answer.

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
            raise DataError("prompt: no training line has a field; look at data.target")
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
            shots = draw_shots(solved, settings.shots, context.seed)
            ways = [Way("zero-shot")]
            if shots:
                ways.insert(0, Way(f"{len(shots)} shots", tuple(shots)))
            fit = FieldAsker(self.id, settings, client, solved, context).fit(ways, train, valid)
            how = str(fit.chosen["prompt"])
            said = how if how == "zero-shot" else f"with {how}"
            return replace(fit, what=f"prompting {describe(client)} for fields, {said}")
        except BaseException:
            client.close()
            raise

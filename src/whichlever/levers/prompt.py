"""The prompt lever: instructions from the label meanings, and shots chosen on validation rows."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whichlever.data.stratify import stratified_order
from whichlever.errors import DataError, LLMWindowError, WeightsError
from whichlever.levers.asking import Asking
from whichlever.levers.base import Context, Fit
from whichlever.levers.prompt_shots import Candidate, candidates, goal_score
from whichlever.llm import Chooser, Client, Journal, Limit, check_llm, find_weights, open_llm
from whichlever.llm.batch import write_requests
from whichlever.llm.budget import Billing, Spent, affordable, dollars_of
from whichlever.llm.describe import describe
from whichlever.predict import Prediction, Row
from whichlever.task import PromptSettings, Task

WORDING = 1
"""Raised when the instructions' wording changes, so that old answers are not taken for new."""

CHOOSING_SHARE = 0.25
"""Of the budget, of time and of money, what choosing a prompt is meant to take; no further
prompt is tried where that may take twice as much."""

PILOT = 4
MIN_CHOOSE = 8
MAX_CHOOSE = 60
"""Validation rows: timed first, needed for a choice, and at most."""


class LLMPredictor:
    """Answers rows with one prompt; close it to stop an embedded server."""

    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser
        self._end = weakref.finalize(self, chooser.client.close)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; a row that cannot be answered gets a status."""
        return self.chooser.choose_rows(rows)

    def close(self) -> None:
        """Close the connections, and the server where it is embedded."""
        self._end()


@dataclass(frozen=True)
class _Tried:
    """A candidate and how it did on the first validation rows of the frozen order."""

    candidate: Candidate
    chooser: Chooser
    answers: list[Prediction]
    spent: Spent

    def burnt(self, settings: PromptSettings) -> float:
        """The share of the budget that it has taken, of time or of money."""
        share = self.spent.seconds / (settings.minutes * 60)
        if settings.dollars and self.spent.dollars is not None:
            share = max(share, self.spent.dollars / settings.dollars)
        return share


class Prompt:
    """Prompting a language model.

    Zero-shot and few-shot prompts are compared on a small stratified sample of validation rows by
    the task's goal metric; what a row takes there sizes the number of rows that the budget pays
    for, before any test row is read.

    Parameters
    ----------
    settings
        The model, the shots, the rotations and the budget.
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
            weights = None  # a server under llms:, or an error that fit reports
        return {**self._settings.model_dump(), "wording": WORDING, "weights": weights}

    def check(self, task: Task) -> None:
        """Say before anything runs that the model cannot be asked; see `check_llm`."""
        check_llm(self._settings.model, task, self.id, dollars=self._settings.dollars)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """At most the share of the budget that choosing may take."""
        return self._settings.minutes * 60 * CHOOSING_SHARE

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose a prompt and size the rows it can answer.

        Raises
        ------
        LLMError
            The server cannot be used at all.
        WeightsError
            The weights are not on this machine.
        InputError
            Data may not leave and the server is remote, or the budget pays for no row.
        """
        settings = self._settings
        client = open_llm(
            settings.model,
            context.task,
            slots=settings.rotations,
            timeout=settings.timeout_seconds,
            retries=settings.retries,
            parallel=settings.parallel,
        )
        try:
            return self._fit(client, train, valid, context)
        except BaseException:
            client.close()
            raise

    def _fit(
        self, client: Client, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> Fit:
        settings, task = self._settings, context.task
        billing = Billing.of(settings.model, task)
        limit = Limit.of("prompt", settings, billing)
        journal = Journal(context.folder / "prompt.journal.jsonl")
        asking = Asking(
            client, train, context, rotations=settings.rotations, journal=journal, limit=limit
        )
        order = stratified_order([row.target for row in valid], context.seed)
        sample = [valid[i] for i in order[:MAX_CHOOSE]]
        tried: list[_Tried] = []
        dropped: dict[str, str] = {}
        offered = candidates(train, context.labels, settings.shots, context.seed)
        if not valid:  # a few training rows say what a row takes, and nothing is chosen by them
            sample, offered = list(train[:PILOT]), offered[:1]
        if not sample:
            raise DataError("prompt: there is no row to try a prompt on; look at data.split")
        with context.progress.step("prompt: choose", total=len(offered)) as bar:
            for candidate in offered:
                if tried and len(tried[0].answers) < min(MIN_CHOOSE, len(sample)):
                    dropped[candidate.name] = "no time to try it"
                    continue
                if tried and self._overrun(tried):
                    dropped[candidate.name] = "no time or money to try it"
                    continue
                chooser = asking.with_shots(candidate.shots)
                try:
                    tried.append(self._try(candidate, chooser, sample, len(offered), billing))
                except LLMWindowError as error:
                    dropped[candidate.name] = str(error)
                bar.advance()
        if not tried:
            raise LLMWindowError(next(iter(dropped.values())))
        if valid:
            best, scores, rows = _best(tried, sample, task.goal.metric)
        else:
            best, scores, rows = tried[0], {}, 0
            dropped["every other prompt"] = "no validation rows: nothing was chosen"
        spent = sum((t.spent for t in tried), Spent())
        if spent.dollars is not None:
            spent = replace(spent, dollars=limit.spent)
        budget = (settings.minutes, settings.dollars, settings.max_rows)
        most = affordable("prompt", budget, spent, best.spent)
        each = None if best.spent.dollars is None else best.spent.dollars / best.spent.rows
        limit.start_answers(each)
        shown = len(best.candidate.shots)
        place = client.server.place
        return Fit(
            predictor=LLMPredictor(best.chooser),
            what=f"prompting {describe(client)} {_shots(shown)}",
            chosen={
                "prompt": best.candidate.name,
                "shots": list(best.candidate.ids),
                "validation_rows": rows,
                f"validation_{task.goal.metric}": scores,
                "not_tried": dropped,
                "guard": asking.guard,
                "guard_enforced": best.chooser.enforced,
                "single_token_options": best.chooser.lettered,
                "seconds_per_row": best.spent.seconds / best.spent.rows,
                "choosing_seconds": spent.seconds,
            },
            rows_seen=shown,
            max_rows=most,
            place=place,
            price_as=billing.price_as,
            token_prices=billing.token_prices,
            cores=client.cores,
            priced=billing.priced(client),
        )

    def _try(
        self,
        candidate: Candidate,
        chooser: Chooser,
        sample: Sequence[Row],
        among: int,
        billing: Billing,
    ) -> _Tried:
        """Answer as many sample rows as this candidate's share of the budget allows."""
        if not chooser.kept(sample[:PILOT]):
            chooser.warm_up()

        def so_far(answers: list[Prediction]) -> _Tried:
            dollars = dollars_of(answers, billing.price)
            return _Tried(
                candidate, chooser, answers, Spent(len(answers), chooser.wall_seconds, dollars)
            )

        pilot = so_far(chooser.choose_rows(sample[:PILOT]))
        each = pilot.burnt(self._settings) / len(pilot.answers)
        rows = len(sample) if each <= 0 else int(CHOOSING_SHARE / among / each)
        rest = sample[PILOT : min(len(sample), max(PILOT, rows))]
        return so_far(pilot.answers + chooser.choose_rows(rest))

    def _overrun(self, tried: Sequence[_Tried]) -> bool:
        """Whether one more candidate's first rows might take choosing far over its share."""
        burnt = sum(t.burnt(self._settings) for t in tried)
        last = tried[-1]
        pilot = PILOT * last.burnt(self._settings) / len(last.answers)
        return burnt + pilot > 2 * CHOOSING_SHARE

    def write_requests(
        self,
        path: Path,
        rows: Sequence[Row],
        context: Context,
        shots: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Write the test rows' requests for somebody else's model, in OpenAI's batch format."""
        write_requests(path, rows, context.task, context.labels, shots=shots)


def _shots(count: int) -> str:
    return "zero-shot" if count == 0 else f"with {count} shot{'s' if count > 1 else ''}"


def _best(
    tried: Sequence[_Tried], sample: Sequence[Row], metric: str
) -> tuple[_Tried, dict[str, float], int]:
    """The best candidate on the rows that all of them answered; the simplest where it is a tie.

    With fewer rows than `MIN_CHOOSE` nothing is chosen: the first one, zero-shot, stands.
    """
    rows = min(len(t.answers) for t in tried)
    scores = {t.candidate.name: goal_score(metric, sample[:rows], t.answers[:rows]) for t in tried}
    if rows < MIN_CHOOSE:
        return tried[0], scores, rows
    return max(tried, key=lambda t: scores[t.candidate.name]), scores, rows

"""What prompting and retrieval share where a language model is asked for fields: budget and choice.

Whoever asks gives prompts to try; they are compared on validation lines by the task's goal, and
what a line takes there sizes the lines that the budget pays for, before any test line is read.
"""

from __future__ import annotations

import json
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from whichlever.data.learn_fields import aligned_rows
from whichlever.data.stratify import stratified_order
from whichlever.errors import DataError, LLMWindowError
from whichlever.fields.align import Aligned
from whichlever.levers.base import Context, Fit
from whichlever.levers.field_goal import goal_of
from whichlever.llm import Client, Extra, Journal, Limit
from whichlever.llm.budget import Billing, Spent, affordable, dollars_of
from whichlever.llm.copying import MOST_NAMES, Copier, Held, holds_to_schema
from whichlever.predict import Prediction, Row
from whichlever.task import PromptSettings, RagSettings

CHOOSING_SHARE = 0.25
PILOT = 2
MIN_CHOOSE = 4
MAX_CHOOSE = 40
"""Validation lines: timed first, needed for a choice, and at most."""

MAX_SHOT_CHARS = 1_000

Extras = Callable[[Sequence[Row]], list[Extra]]
"""What each line is given beside its text."""


@dataclass(frozen=True)
class Way:
    """One prompt to try: its name, its solved lines, and what each line is given beside."""

    name: str
    shots: tuple[tuple[str, str], ...] = ()
    extras: Extras | None = None
    facts: Mapping[str, Any] | None = None


class FieldsPredictor:
    """Answers lines with one prompt; close it to stop an embedded server."""

    def __init__(self, copier: Copier, extras: Extras | None) -> None:
        self.copier, self.extras = copier, extras
        self._end = weakref.finalize(self, copier.client.close)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each line; one that cannot be answered gets a status."""
        given = None if self.extras is None else self.extras(rows)
        return self.copier.choose_rows(rows, given)

    def close(self) -> None:
        """Close the connections, and the server where it is embedded."""
        self._end()


@dataclass(frozen=True)
class _Tried:
    way: Way
    copier: Copier
    answers: list[Prediction]
    spent: Spent


class FieldAsker:
    """Tries prompts within a lever's budget and keeps the best.

    Parameters
    ----------
    lever
        What errors and files call it.
    settings
        The lever's model and budget.
    client
        The model.
    solved
        Aligned training lines: their names, and the longest answer expected.
    """

    def __init__(
        self,
        lever: str,
        settings: PromptSettings | RagSettings,
        client: Client,
        solved: Sequence[Aligned],
        context: Context,
    ) -> None:
        self._lever, self._settings, self._client, self._context = lever, settings, client, context
        self._billing = Billing.of(settings.model, context.task)
        self._limit = Limit.of(lever, settings, self._billing)
        self._journal = Journal(context.folder / f"{lever}.journal.jsonl")
        self._held: Held = holds_to_schema(client)
        counts = Counter(n for found in solved for span in found.spans for n in span.names)
        self.names = [name for name, _ in counts.most_common(MOST_NAMES)]
        lengths = [len(raw_fields(found)) for found in solved]
        self._longest = int(np.quantile(lengths, 0.95)) if lengths else 400

    def fit(self, ways: Sequence[Way], train: Sequence[Row], valid: Sequence[Row]) -> Fit:
        """Choose among the prompts and size the lines to answer."""
        context, settings = self._context, self._settings
        assert context.schema is not None
        metric = context.task.goal.metric
        order = stratified_order([row.source or "" for row in valid], context.seed)
        sample = [valid[i] for i in order[:MAX_CHOOSE]] or list(train[:PILOT])
        if not sample:
            raise DataError(f"{self._lever}: there is no line to try a prompt on")
        tried: list[_Tried] = []
        dropped: dict[str, str] = {}
        with context.progress.step(f"{self._lever}: choose", total=len(ways)) as bar:
            for way in ways:
                if tried and self._burnt(tried) > CHOOSING_SHARE:
                    dropped[way.name] = "no time or money to try it"
                    continue
                try:
                    tried.append(self._try(way, sample, len(ways)))
                except LLMWindowError as error:
                    dropped[way.name] = str(error)
                bar.advance()
        if not tried:
            raise LLMWindowError(next(iter(dropped.values())))
        rows = min(len(t.answers) for t in tried)
        scores = {
            t.way.name: goal_of(metric, sample[:rows], t.answers[:rows], context.schema)
            for t in tried
        }
        best = tried[0]
        if valid and rows >= MIN_CHOOSE:
            best = max(tried, key=lambda t: scores[t.way.name])
        spent = sum((t.spent for t in tried), Spent())
        if spent.dollars is not None:
            spent = replace(spent, dollars=self._limit.spent)
        budget = (settings.minutes, settings.dollars, settings.max_rows)
        most = affordable(self._lever, budget, spent, best.spent)
        each = None if best.spent.dollars is None else best.spent.dollars / best.spent.rows
        self._limit.start_answers(each)
        return Fit(
            predictor=FieldsPredictor(best.copier, best.way.extras),
            what="",
            chosen={
                "prompt": best.way.name,
                **(best.way.facts or {}),
                "names_told": len(self.names),
                "validation_rows": rows,
                f"validation_{metric}": scores,
                "not_tried": dropped,
                "schema_enforced": best.copier.enforced,
                "seconds_per_row": best.spent.seconds / best.spent.rows,
                "choosing_seconds": spent.seconds,
            },
            rows_seen=len(best.way.shots),
            max_rows=most,
            place=self._client.server.place,
            price_as=self._billing.price_as,
            token_prices=self._billing.token_prices,
            cores=self._client.cores,
            priced=self._billing.priced(self._client),
        )

    def _try(self, way: Way, sample: Sequence[Row], among: int) -> _Tried:
        """Answer as many sample lines as this prompt's share of the budget allows."""
        assert self._context.schema is not None
        copier = Copier(
            self._client, self.names, self._context.schema, about=self._context.task.about,
            shots=way.shots, longest=self._longest, journal=self._journal, limit=self._limit,
            held=self._held,
        )  # fmt: skip
        copier.warm_up()
        answers = self._ask(copier, way, sample[:PILOT])
        each = copier.wall_seconds / max(len(answers), 1)
        room = self._settings.minutes * 60 * CHOOSING_SHARE / among
        rows = len(sample) if each <= 0 else int(room / each)
        answers += self._ask(copier, way, sample[PILOT : min(len(sample), max(PILOT, rows))])
        dollars = dollars_of(answers, self._billing.price)
        return _Tried(way, copier, answers, Spent(len(answers), copier.wall_seconds, dollars))

    def _ask(self, copier: Copier, way: Way, rows: Sequence[Row]) -> list[Prediction]:
        return copier.choose_rows(rows, None if way.extras is None else way.extras(rows))

    def _burnt(self, tried: Sequence[_Tried]) -> float:
        share = sum(t.spent.seconds for t in tried) / (self._settings.minutes * 60)
        if self._settings.dollars:
            share = max(share, self._limit.spent / self._settings.dollars)
        return share


def solve(rows: Sequence[Row]) -> tuple[Aligned, ...]:
    """Labelled lines with where their values stand."""
    return aligned_rows(rows)


def raw_fields(found: Aligned) -> str:
    """A solved line's fields as JSON, each value as it stands in the line."""
    text = found.line.text
    return json.dumps(
        {name: text[span.start : span.end] for span in found.spans for name in span.names},
        ensure_ascii=False,
    )


def draw_shots(solved: Sequence[Aligned], count: int, seed: int) -> list[tuple[str, str]]:
    """Solved lines to show: of different sources, none longer than the median."""
    rng = np.random.default_rng([seed, 7])
    lengths = [len(found.line.text) for found in solved]
    limit = min(MAX_SHOT_CHARS, float(np.median(lengths))) if lengths else 0
    drawn: list[Aligned] = []
    seen: Counter[str | None] = Counter()
    for i in rng.permutation(len(solved)).tolist():
        found = solved[i]
        if found.spans and len(found.line.text) <= limit and not seen[found.line.source]:
            drawn.append(found)
            seen[found.line.source] += found.line.source is not None
        if len(drawn) == count:
            break
    return [(found.line.text, raw_fields(found)) for found in drawn]

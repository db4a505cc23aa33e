"""The real floor for lines: conditional random fields on lexical features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from whichlever.data.learn_fields import aligned_rows
from whichlever.errors import DataError, MissingExtraError
from whichlever.fields.schema import Schema
from whichlever.infer.crf import Crf
from whichlever.infer.crf.parser import ARRAYS, MADE
from whichlever.levers.base import Context, Fit
from whichlever.levers.field_goal import Sureness
from whichlever.levers.parsing import (
    CHOSEN,
    PARSER,
    Parsing,
    judged,
    load_files,
    load_sureness,
    save_files,
    save_sureness,
)
from whichlever.predict import Row
from whichlever.run import read_json, write_json
from whichlever.task import LinearSettings, Task

SHARE = 0.45
"""Of the minutes, what one training may take: there are two, before and after validation."""


class LinearFields:
    """Linear-chain conditional random fields, one for each source that teaches enough.

    A lever that costs more has to beat it. How sure its answers are is told by validation lines
    that it has not learned from; then it learns from them too (``refit``).

    Parameters
    ----------
    settings
        ``minutes`` and ``refit`` count.
    """

    id = "linear"

    def __init__(self, settings: LinearSettings) -> None:
        self._settings = settings

    def settings(self) -> Mapping[str, Any]:
        """What the chains depend on, and the version of the method."""
        return {
            "minutes": self._settings.minutes, "refit": self._settings.refit, "method": "crf-1"
        }  # fmt: skip

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late.

        Raises
        ------
        MissingExtraError
            python-crfsuite is not installed.
        """
        if find_spec("pycrfsuite") is None:
            raise MissingExtraError("the linear floor for lines", "train")

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Both trainings, within the minutes."""
        return min(self._settings.minutes * 60, 4 + 0.04 * (train + valid))

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Train, and keep the chains in the lever's folder.

        Raises
        ------
        DataError
            No training line has a field that stands in it.
        """
        if context.schema is None or not any(row.fields for row in train):
            raise DataError("linear: no training line has a field; look at data.target")
        home = context.folder / PARSER
        if not (home / CHOSEN).exists():
            home.mkdir(parents=True, exist_ok=True)
            files = self._trained(train, context, context.schema)
            chosen: dict[str, Any] = {}
            rows: Sequence[Row] = train
            if valid:
                metric = context.task.goal.metric
                score, answers = judged(Crf.from_bytes(files), valid, metric, context.schema)
                chosen = {"metric": metric, "valid_score": score, "on_rows": len(valid)}
                save_sureness(home, Sureness.fit(valid, answers, context.schema))
                if self._settings.refit:
                    rows = [*train, *valid]
                    files = self._trained(rows, context, context.schema)
            save_files(home, files)
            write_json(home / CHOSEN, {**chosen, "rows": len(rows)})  # last: the fit is done
        facts = read_json(home / CHOSEN)
        parser = Crf.from_bytes(load_files(home, [MADE, ARRAYS]))
        return Fit(
            predictor=Parsing(parser, load_sureness(home)),
            what=f"conditional random fields, trained on {facts['rows']:,} lines",
            chosen={**facts, "chains": len(parser.chains)},
            rows_seen=int(facts["rows"]),
        )

    def _trained(self, rows: Sequence[Row], context: Context, schema: Schema) -> dict[str, bytes]:
        from whichlever.models.crf import train_crf

        return train_crf(
            aligned_rows(rows),
            schema,
            seed=context.seed,
            seconds=self._settings.minutes * 60 * SHARE,
            progress=context.progress,
        )

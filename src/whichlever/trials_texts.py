"""What trials hold beside for answers that are text: how like the truth each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from whichlever.answer_schema import AnswerSchema
from whichlever.likeness import NOTHING, likeness
from whichlever.measure.text_answers import TextScores
from whichlever.predict import Prediction, Row

SCHEMA: dict[str, Any] = {
    "exact": pl.Boolean, "token_f1": pl.Float64, "rouge_l": pl.Float64, "outside": pl.Boolean,
    "valid": pl.Boolean,
}  # fmt: skip
"""Columns of `kind: generate` beside those of `whichlever.trials`.

``outside``: the answer is not of the closed set; null where answers are open.
``valid``: it satisfies the task's JSON schema; null where there is none.
"""


def with_texts(
    frame: pl.DataFrame,
    rows: Sequence[Row],
    answers: Sequence[Prediction],
    labels: Sequence[str],
    schema: AnswerSchema | None = None,
    *,
    keep: bool = True,
) -> pl.DataFrame:
    """Add to trial rows how like the truth their answers are.

    Parameters
    ----------
    labels
        The closed set of answers; empty where they are open.
    schema
        What answers are to satisfy; None where nothing is said.
    keep
        Whether to keep texts outside a closed set, which may quote the input.
    """
    known = frozenset(labels)
    found = [
        NOTHING if p.status != "ok" else likeness(p.label, row.target or "")
        for row, p in zip(rows, answers, strict=True)
    ]
    outside = [
        p.status == "refused" or (p.status == "ok" and p.label not in known) if known else None
        for p in answers
    ]
    valid = [None if schema is None else p.status == "ok" and schema.fits(p.label) for p in answers]
    columns: dict[str, Any] = {
        "exact": [f.exact for f in found],
        "token_f1": [f.token_f1 for f in found],
        "rouge_l": [f.rouge_l for f in found],
        "outside": outside,
        "valid": valid,
    }
    made = [pl.Series(name, values, dtype=SCHEMA[name]) for name, values in columns.items()]
    frame = frame.with_columns(*made)
    if keep:
        return frame
    hidden = [
        pl.Series(name, [t if t in known else None for t in frame[name]], dtype=pl.String)
        for name in ("target", "predicted")
    ]
    return frame.with_columns(*hidden)


def texts_of(frame: pl.DataFrame) -> TextScores:
    """The scores that a lever's trial rows hold."""
    return TextScores(
        exact=frame["exact"].to_numpy().astype(bool),
        token_f1=frame["token_f1"].to_numpy().astype(np.float64),
        rouge_l=frame["rouge_l"].to_numpy().astype(np.float64),
        outside=_flags(frame, "outside"),
        valid=_flags(frame, "valid"),
    )


def _flags(frame: pl.DataFrame, name: str) -> npt.NDArray[np.bool_] | None:
    """A column of flags; None where there is none of it, as in steps of before it was known."""
    if name not in frame.columns:
        return None
    column = frame[name]
    return None if column.null_count() == len(column) else column.to_numpy().astype(bool)

"""What trials hold beside for fields copied out of lines: counts per name, and the fields said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from whichlever.fields.schema import Schema
from whichlever.measure.field_counts import FieldCounts, count_fields
from whichlever.predict import Prediction, Row, Scores

SCHEMA: dict[str, Any] = {
    "hit": pl.List(pl.Int16), "said": pl.List(pl.Int16), "true": pl.List(pl.Int16),
    "invented": pl.Int32, "exact": pl.Boolean, "shape": pl.String,
}  # fmt: skip
"""Columns of `kind: extract` beside those of `whichlever.trials`.

``hit``, ``said`` and ``true`` are counts per name in the run's order, and of every other name last;
``target`` and ``predicted`` are the fields as JSON, null where a run keeps no texts.
"""


def with_fields(
    frame: pl.DataFrame,
    rows: Sequence[Row],
    answers: Sequence[Prediction],
    names: Sequence[str],
    schema: Schema,
    *,
    keep: bool = True,
) -> pl.DataFrame:
    """Add to trial rows what was right in them.

    Parameters
    ----------
    keep
        Whether to keep the fields themselves, which quote the line.
    """
    counts = count_fields(rows, answers, names, schema)
    columns: dict[str, Any] = {
        "hit": counts.hit.tolist(),
        "said": counts.said.tolist(),
        "true": counts.true.tolist(),
        "invented": counts.invented.tolist(),
        "exact": counts.exact.tolist(),
        "shape": [answer.shape for answer in answers],
    }
    texts = {
        "target": [_text(row.fields) if keep else None for row in rows],
        "predicted": [_text(answer.fields) if keep else None for answer in answers],
    }
    made = [pl.Series(name, values, dtype=SCHEMA[name]) for name, values in columns.items()]
    said = [pl.Series(name, values, dtype=pl.String) for name, values in texts.items()]
    return frame.with_columns(*made, *said)


def line_scores(answer: Prediction) -> Scores | None:
    """Probabilities that the line's fields are wrong and right, shape (2,); None is not known."""
    if answer.status != "ok" or answer.confidence is None:
        return None
    sure = min(max(float(answer.confidence), 0.0), 1.0)
    return np.array([1 - sure, sure], dtype=np.float32)


def exact_lines(answers: Sequence[Prediction], rows: Sequence[Row], schema: Schema) -> list[int]:
    """1 where every field of a line is right, else 0: the place of the truth in `line_scores`."""
    return [int(right) for right in count_fields(rows, answers, (), schema).exact]


def counts_of(frame: pl.DataFrame) -> FieldCounts:
    """The counts that a lever's trial rows hold."""
    return FieldCounts(
        hit=_matrix(frame["hit"]),
        said=_matrix(frame["said"]),
        true=_matrix(frame["true"]),
        exact=frame["exact"].to_numpy().astype(bool),
        invented=frame["invented"].to_numpy().astype(np.int64),
    )


def _matrix(column: pl.Series) -> np.ndarray:
    flat = column.explode().to_numpy().astype(np.int64)
    return np.asarray(flat.reshape(len(column), -1))


def _text(fields: Mapping[str, Any] | None) -> str | None:
    return None if fields is None else json.dumps(fields, ensure_ascii=True, sort_keys=True)

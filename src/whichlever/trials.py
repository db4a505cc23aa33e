"""Trials as a table: one row per lever and answer, and back to arrays for measuring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from whichlever.errors import RunError
from whichlever.measure import Outcome
from whichlever.measure.summary import Latency
from whichlever.predict import Prediction, Row, Usage
from whichlever.prices import row_dollars
from whichlever.run import written_aside
from whichlever.task import Task
from whichlever.trials_fields import counts_of
from whichlever.trials_persons import persons_of
from whichlever.trials_texts import texts_of

LABELS_KEY = b"whichlever.labels"

SCHEMA: dict[str, Any] = {
    "lever": pl.String, "seed": pl.Int32, "fraction": pl.Float32, "role": pl.String,
    "id": pl.String, "group": pl.String, "target": pl.String, "predicted": pl.String,
    "scores": pl.List(pl.Float32), "raw_scores": pl.List(pl.Float32), "status": pl.String,
    "error": pl.String, "seconds": pl.Float64, "tokens_in": pl.Int64, "tokens_cached": pl.Int64,
    "tokens_out": pl.Int64, "estimated": pl.Boolean, "dollars": pl.Float64, "bytes_out": pl.Int64,
}  # fmt: skip


def table(
    lever: str,
    seed: int,
    role: str,
    rows: Sequence[Row],
    predictions: Sequence[Prediction],
    calibrated: np.ndarray | None,
) -> pl.DataFrame:
    """Lay answers out as trial rows; `priced` fills in what they cost.

    Parameters
    ----------
    calibrated
        Calibrated probabilities, shape (n, classes), nan where a row has none; None where the
        lever gives none. ``raw_scores`` are kept only where calibration changed them.
    """
    usage = [p.usage for p in predictions]
    raw = [None if p.scores is None else p.scores for p in predictions]
    scores = raw if calibrated is None else [
        None if r is None else c for r, c in zip(raw, calibrated, strict=True)
    ]  # fmt: skip
    columns: dict[str, Any] = {
        "lever": [lever] * len(rows),
        "seed": [seed] * len(rows),
        "fraction": [1.0] * len(rows),
        "role": [role] * len(rows),
        "id": [row.id for row in rows],
        "group": [row.group for row in rows],
        "target": [row.target for row in rows],
        "predicted": [p.label for p in predictions],
        "scores": _lists(scores),
        "raw_scores": _lists(raw) if calibrated is not None else [None] * len(rows),
        "status": [p.status for p in predictions],
        "error": [p.error for p in predictions],
        "seconds": [u.seconds for u in usage],
        "tokens_in": [u.tokens_in for u in usage],
        "tokens_cached": [u.tokens_cached for u in usage],
        "tokens_out": [u.tokens_out for u in usage],
        "estimated": [u.estimated for u in usage],
        "dollars": [None] * len(rows),
        "bytes_out": [u.bytes_out for u in usage],
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def _lists(scores: Sequence[Any]) -> pl.Series:
    """Score vectors as a list column, through one flat array where every row has one."""
    if not scores or any(s is None for s in scores):
        return pl.Series(
            [None if s is None else [float(x) for x in s] for s in scores],
            dtype=pl.List(pl.Float32),
        )
    matrix = np.stack(scores).astype(np.float32)
    return pl.Series(matrix).arr.to_list() if matrix.shape[1] else pl.Series([[]] * len(matrix))


def priced(frame: pl.DataFrame, facts: Mapping[str, Any], task: Task) -> pl.DataFrame:
    """Fill in the marginal dollars of each answer, at the task's prices of today.

    Prices are no part of a step: a changed price must not ask anybody anything again.
    """
    names = ("tokens_in", "tokens_cached", "tokens_out", "seconds", "bytes_out", "estimated")
    dollars = [
        row_dollars(
            Usage(*used), facts["place"], facts["price_as"], _prices(facts), task,
            cores=facts["latency"]["cores"], priced=facts["priced"],
        )
        for used in frame.select(names).iter_rows()
    ]  # fmt: skip
    return frame.with_columns(pl.Series("dollars", dollars, dtype=pl.Float64))


def _prices(facts: Mapping[str, Any]) -> tuple[float, float, float] | None:
    return None if facts["token_prices"] is None else tuple(facts["token_prices"])


def write(path: Path, frame: pl.DataFrame, labels: Sequence[str]) -> None:
    """Write trials as parquet, the label order in the file's own metadata."""
    arrow = frame.to_arrow()
    metadata = {**(arrow.schema.metadata or {}), LABELS_KEY: json.dumps(list(labels)).encode()}
    with written_aside(path) as aside:
        pq.write_table(arrow.replace_schema_metadata(metadata), aside, compression="zstd")


def read(path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read trials and their label order.

    Raises
    ------
    RunError
        The file is missing, damaged, or holds no label order.
    """
    try:
        arrow = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} is missing or damaged; delete the folder {path.parent} and run compare again"
        ) from error
    labels = (arrow.schema.metadata or {}).get(LABELS_KEY)
    if labels is None:
        raise RunError(f"{path} was not written by whichlever: no label order in it")
    return pl.DataFrame(pl.from_arrow(arrow)), tuple(json.loads(labels))


def outcome(
    frame: pl.DataFrame, labels: Sequence[str], facts: Mapping[str, Any], leaked: frozenset[str]
) -> Outcome:
    """Turn one lever's test rows into the arrays that measuring works on.

    Parameters
    ----------
    frame
        The lever's rows with role "test", in the frozen test order.
    facts
        What ``step.json`` says of the lever's fit.
    """
    index = {label: i for i, label in enumerate(labels)}
    groups = frame["group"].to_list()
    fields = counts_of(frame) if "hit" in frame.columns else None
    if fields is None:
        targets = [index.get(t, -1) for t in frame["target"].to_list()]
        predicted = [index.get(p, -1) for p in frame["predicted"].to_list()]
    else:
        targets = fields.exact.astype(np.int64).tolist()
        predicted = [1 if status == "ok" else -1 for status in frame["status"].to_list()]
    classes = len(labels) if fields is None else 2
    return Outcome(
        lever=facts["lever"],
        what=facts["what"],
        place=facts["place"],
        ids=tuple(frame["id"].to_list()),
        targets=np.array(targets, dtype=np.int64),
        predicted=np.array(predicted, dtype=np.int64),
        statuses=tuple(frame["status"].to_list()),
        scores=_matrix(frame["scores"], classes),
        raw_scores=_matrix(frame["raw_scores"], classes),
        groups=None if any(g is None for g in groups) else tuple(groups),
        leaked=np.array([i in leaked for i in frame["id"].to_list()], dtype=bool),
        seconds=_floats(frame["seconds"]),
        tokens_in=_floats(frame["tokens_in"]),
        tokens_cached=_floats(frame["tokens_cached"]),
        tokens_out=_floats(frame["tokens_out"]),
        bytes_out=_floats(frame["bytes_out"]),
        estimated=bool(frame["estimated"].any()),
        all_rows=facts["all_rows"],
        latency=Latency.model_validate(facts["latency"]),
        temperature=facts["temperature"],
        rows_seen=facts["rows_seen"],
        fit_seconds=facts["fit_seconds"],
        chosen=facts["chosen"],
        price_as=facts["price_as"],
        token_prices=_prices(facts),
        seeds=facts["seeds"],
        priced=facts["priced"],
        fields=fields,
        texts=texts_of(frame) if "token_f1" in frame.columns else None,
        persons=persons_of(frame) if "person" in frame.columns else None,
    )


def _matrix(column: pl.Series, classes: int) -> np.ndarray | None:
    if column.null_count() == len(column):
        return None
    if column.null_count() == 0:
        flat = column.explode().to_numpy().astype(np.float32)
        return np.asarray(flat.reshape(len(column), classes))
    out = np.full((len(column), classes), np.nan, dtype=np.float32)
    for i, values in enumerate(column.to_list()):
        if values is not None:
            out[i] = values
    return out


def _floats(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()

"""What a report is made from: RUN's files alone, read once; only two of them are required."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from whichlever.data.findings import Audit
from whichlever.errors import RunError
from whichlever.measure.summary import Measures
from whichlever.run import read_json
from whichlever.task import Task
from whichlever.verdict.types import Verdict

_Model = TypeVar("_Model", bound=BaseModel)
_COLUMNS = (
    "lever",
    "seed",
    "fraction",
    "role",
    "id",
    "target",
    "predicted",
    "scores",
    "status",
    "error",
    "exact",
)


@dataclass(frozen=True)
class Answer:
    """One lever's answer to one test row; ``confidence`` is the probability it gave its label.

    Of fields, ``target`` and ``predicted`` are JSON, ``exact`` is whether all of them are right
    (None for labels), and ``confidence`` the probability of that.
    """

    row: str
    target: str | None
    predicted: str | None
    status: str
    error: str | None
    confidence: float | None
    exact: bool | None = None


@dataclass(frozen=True)
class Example:
    """A test row's text as RUN keeps it, and how long it was."""

    text: str
    chars: int


@dataclass(frozen=True)
class RunFiles:
    """RUN, read; None or empty where an optional file is missing."""

    folder: Path
    measures: Measures
    verdict: Verdict
    task: Task | None = None
    audit: Audit | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    examples: Mapping[str, Example] = field(default_factory=dict)
    seed: int | None = None


def read_run(run: Path) -> RunFiles:
    """Read a finished RUN folder.

    Raises
    ------
    RunError
        ``measures.json`` or ``verdict.json`` is missing, or any file is damaged.
    """
    if not run.is_dir():
        raise RunError(f"{run} is not a folder; give the RUN folder that compare -o wrote")
    measures = _record(Measures, run / "measures.json")
    audit = run / "audit.json"
    answers, seed = _answers(run / "trials.parquet", measures.labels)
    return RunFiles(
        folder=run,
        measures=measures,
        verdict=_record(Verdict, run / "verdict.json"),
        task=Task.load(run / "task.yaml") if (run / "task.yaml").exists() else None,
        audit=_record(Audit, audit) if audit.exists() else None,
        environment=_mapping(run / "environment.json"),
        roles=_roles(run / "splits.parquet"),
        answers=answers,
        examples=_examples(run / "examples.parquet"),
        seed=seed,
    )


def _record(kind: type[_Model], path: Path) -> _Model:
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RunError(
            f"{path}: {where} is not as it should be ({first['msg']}); "
            "run compare again with this version"
        ) from None


def _mapping(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    value = read_json(path)
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: an object was expected; run compare again")
    return value


def _table(path: Path, columns: tuple[str, ...]) -> Any:  # noqa: ANN401 - pyarrow.Table
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        present = [c for c in columns if c in file.schema_arrow.names]
        table = file.read(columns=present)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path} is damaged; delete it and run compare again") from error
    missing = [c for c in columns[:2] if c not in present]
    if missing:
        raise RunError(f"{path} has no column {missing[0]!r}; run compare again")
    return table


def _roles(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    counts: dict[str, int] = {}
    for role in _table(path, ("id", "role"))["role"].to_pylist():
        counts[role] = counts.get(role, 0) + 1
    return counts


def _examples(path: Path) -> dict[str, Example]:
    if not path.exists():
        return {}
    table = _table(path, ("id", "text", "chars"))
    texts = [t or "" for t in table["text"].to_pylist()]
    chars = table["chars"].to_pylist() if "chars" in table.column_names else map(len, texts)
    return {
        i: Example(t, max(len(t), c or 0))
        for i, t, c in zip(table["id"].to_pylist(), texts, chars, strict=True)
    }


def _answers(
    path: Path, labels: tuple[str, ...]
) -> tuple[dict[str, tuple[Answer, ...]], int | None]:
    """Each lever's answers to the test rows, of its lowest seed and its whole training set."""
    if not path.exists():
        return {}, None
    import polars as pl

    table = _table(path, _COLUMNS)
    names = (table.schema.metadata or {}).get(b"whichlever.labels")
    order = list(json.loads(names)) if names else list(labels)
    frame = pl.DataFrame(pl.from_arrow(table))
    absent = [c for c in _COLUMNS if c not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(c) for c in absent)
    frame = frame.filter(pl.col("role").is_null() | (pl.col("role") == "test"))
    # One run of each lever: the largest share of training rows, then the lowest seed.
    ordered = frame.select("lever", "fraction", "seed").unique()
    ordered = ordered.sort(
        "lever", pl.col("fraction").fill_null(1.0), "seed", descending=[False, True, False]
    )
    chosen = ordered.unique("lever", keep="first", maintain_order=True)
    frame = frame.join(
        chosen,
        on=["lever", "fraction", "seed"],
        how="semi",
        nulls_equal=True,
        maintain_order="left",
    )
    # The probability of the label that was said, without a Python list per row.
    said = pl.col("predicted").replace_strict(
        order, list(range(len(order))), default=None, return_dtype=pl.Int64
    )
    sure = pl.lit(None, pl.Float64)
    if "exact" not in absent:
        said = pl.lit(1, pl.Int64)  # probabilities of wrong and right
    if "scores" not in absent and frame.schema["scores"] == pl.List(pl.Float32):
        sure = pl.col("scores").list.get(said, null_on_oob=True).cast(pl.Float64).fill_nan(None)
    frame = frame.with_columns(sure.alias("confidence"))
    found: dict[str, tuple[Answer, ...]] = {}
    for (lever,), rows in frame.partition_by("lever", as_dict=True, maintain_order=True).items():
        fields = rows.select("id", "target", "predicted", "status", "error", "confidence", "exact")
        found[str(lever)] = tuple(
            Answer(str(i), target, said, status or "ok", error, confidence, exact)
            for i, target, said, status, error, confidence, exact in fields.iter_rows()
        )
    seeds = [s for s in chosen["seed"].to_list() if s is not None]
    return found, min(seeds, default=None)

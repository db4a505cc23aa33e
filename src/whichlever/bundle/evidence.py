"""What a bundle keeps of the run that made it: enough to check its figures, no input, no names.

Row ids and groups are numbered in the run's own frozen order, unless they are asked for: whoever
has the run can join them again, whoever has only the bundle learns nothing from them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from whichlever.bundle.finished import LABELS_KEY, Finished
from whichlever.bundle.format import as_json, file_name
from whichlever.errors import RunError

VERDICT, MEASURES, TRIALS, TASK = (
    "evidence/verdict.json", "evidence/measures.json", "evidence/trials.parquet",
    "evidence/task.yaml",
)  # fmt: skip

HIDDEN_SERVER = "http://redacted.invalid/v1"

_KEPT = (
    "lever", "seed", "role", "target", "predicted", "scores", "status", "seconds", "tokens_in",
    "tokens_cached", "tokens_out", "dollars", "bytes_out",
)  # fmt: skip

_OF_LINES = ("hit", "said", "true", "invented", "exact")
"""Kept of fields, in place of the fields themselves, which quote the line."""


_OF_TEXTS = ("exact", "token_f1", "rouge_l")
"""Kept of open answers, in place of the texts, which may quote the input."""


@dataclass(frozen=True)
class Answered:
    """Counts from the lever's trials that the card needs.

    ``cut`` are test rows longer than the model's window; ``targets`` how many test rows each
    label has; ``groups`` how many groups the calibration and test rows have, None without groups.
    """

    rows: int
    cut: int
    targets: Mapping[str, int]
    groups: int | None


def evidence_files(
    finished: Finished, lever: str, *, ids: bool = False
) -> tuple[dict[str, bytes], Answered]:
    """The evidence to pack, by name, and what the trials count.

    Parameters
    ----------
    ids
        Keep row ids and the names of groups.

    Raises
    ------
    RunError
        ``trials.parquet`` is missing or damaged.
    """
    trials, answered = _trials(finished, lever, ids)
    return {
        VERDICT: as_json(finished.verdict),
        MEASURES: as_json(measures_without_names(finished.measures, ids=ids)),
        TASK: task_without_places(finished.task.model_dump(mode="json", exclude_unset=True)),
        TRIALS: trials,
    }, answered


def measures_without_names(measures: Mapping[str, Any], *, ids: bool) -> dict[str, Any]:
    """The measures without row ids (a prompt's shots) and, unless asked for, groups' names."""
    groups: dict[str, str] = {}
    if not ids:
        _collect(measures.get("autoclose"), groups)
    named = _renamed(measures, groups) if groups else dict(measures)
    levers = []
    for summary in named.get("levers") or ():
        chosen = dict(summary.get("chosen") or {})
        if not ids and isinstance(chosen.get("shots"), list):
            chosen["shots"] = len(chosen["shots"])
        levers.append({**_without_files(summary, ids=ids), "chosen": chosen})
    return {**named, "levers": levers}


def _without_files(summary: Mapping[str, Any], *, ids: bool) -> dict[str, Any]:
    """A lever's summary without its scores by file, whose names are somebody's folders."""
    lines = summary.get("lines")
    if ids or not isinstance(lines, dict):
        return dict(summary)
    kept = [s for s in lines.get("slices") or () if s.get("by") != "file"]
    return {**summary, "lines": {**lines, "slices": kept}}


def _collect(value: Any, groups: dict[str, str]) -> None:  # noqa: ANN401 - any JSON value
    """Number every group that promises speak of."""
    if isinstance(value, list):
        for item in value:
            _collect(item, groups)
    elif isinstance(value, dict):
        found = [value["group"]] if isinstance(value.get("group"), str) else []
        if value.get("scope") == "each_group":
            found += [s.get("name") for s in value.get("strata") or ()]
        for name in found:
            if isinstance(name, str):
                groups.setdefault(name, f"group {len(groups) + 1}")
        for item in value.values():
            _collect(item, groups)


def _renamed(value: Any, groups: Mapping[str, str], key: str = "") -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_renamed(item, groups, key) for item in value]
    if isinstance(value, dict):
        return {k: _renamed(v, groups, k) for k, v in value.items()}
    if isinstance(value, str) and key in ("group", "name", "binding"):
        return groups.get(value, value)
    return value


def task_without_places(said: dict[str, Any]) -> bytes:
    """The task as YAML that still reads as one, without folders, servers and names of keys."""
    import yaml

    data = said.get("data") or {}
    for key in ("rows", "train", "valid", "calibrate", "test"):
        if isinstance(data.get(key), str):
            data[key] = file_name(data[key])
    for holder, keys in ((said, ("documents",)), (said.get("change") or {}, ("rows", "documents"))):
        for key in keys:
            if isinstance(holder.get(key), str):
                holder[key] = file_name(holder[key])
    for server in (said.get("llms") or {}).values():
        server["base_url"] = HIDDEN_SERVER
        server.pop("key_env", None)
    levers = said.get("levers") or {}
    for answers in (levers.get("recorded") or {}).values():
        answers["path"] = file_name(answers["path"])
    finetune = levers.get("finetune") or {}
    for own in (finetune, finetune.get("decoder") or {}):
        if isinstance(own.get("base"), str):
            own["base"] = file_name(own["base"])
    return str(yaml.safe_dump(said, sort_keys=False, allow_unicode=True)).encode()


def _trials(finished: Finished, lever: str, ids: bool) -> tuple[bytes, Answered]:
    import polars as pl
    import pyarrow.parquet as pq

    path = finished.run / "trials.parquet"
    try:
        arrow = pq.read_table(path, filters=[("lever", "=", lever)])
        frame = pl.DataFrame(pl.from_arrow(arrow))
        frame = frame.filter(pl.col("role").is_in(["calibrate", "test"]))
        held = (arrow.schema.metadata or {}).get(LABELS_KEY, b"[]")
        answered = _answered(frame, json.loads(held))
        columns = list(_KEPT)
        if "hit" in frame.columns:
            columns = [c for c in columns if c not in ("target", "predicted")] + list(_OF_LINES)
        elif "exact" in frame.columns and not json.loads(held):
            columns = [c for c in columns if c not in ("target", "predicted")] + list(_OF_TEXTS)
            answered = replace(answered, targets={})
        kept = frame.select("id", "group", *columns) if ids else _numbered(frame).select(
            "row", "group", *columns
        )  # fmt: skip
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} is missing or damaged; run compare again") from error
    table = kept.to_arrow()
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({LABELS_KEY: held}), buffer, compression="zstd")
    return buffer.getvalue(), answered


def _numbered(frame: Any) -> Any:  # noqa: ANN401 - polars is imported late
    """Rows and groups by number, in the run's frozen order."""
    import polars as pl

    names = [g for g in dict.fromkeys(frame["group"].to_list()) if g is not None]
    number = {name: f"g{i}" for i, name in enumerate(names)}
    return frame.with_columns(
        pl.int_range(pl.len()).over("role").alias("row"),
        pl.col("group").replace_strict(number, default=None, return_dtype=pl.String),
    )


def _answered(frame: Any, names: list[str]) -> Answered:  # noqa: ANN401 - polars is imported late
    import polars as pl

    test = frame.filter(pl.col("role") == "test")
    counts: Any = test["target"].drop_nulls().value_counts(sort=False).iter_rows()
    if "hit" in frame.columns:  # test lines that have the name
        having = [test["true"].list.get(i).gt(0).sum() for i in range(len(names))]
        counts = [(name, n) for name, n in zip(names, having, strict=True) if n]
    noted = test["error"].cast(pl.String).str.contains(r"^read \d+ of \d+ tokens")
    groups = frame["group"].drop_nulls()
    return Answered(
        rows=len(test),
        cut=int(noted.fill_null(value=False).sum()),
        targets=dict(sorted((str(label), int(n)) for label, n in counts)),
        groups=groups.n_unique() if len(groups) else None,
    )

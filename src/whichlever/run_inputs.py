"""What RUN holds of a comparison's inputs: the task as understood, the audit, roles, examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from whichlever.closed import as_choice
from whichlever.data import Audit, Dataset, Splits
from whichlever.extracting import line_tags
from whichlever.llm.batch import write_requests
from whichlever.noise import FILE as NOISE_FILE
from whichlever.run import write_json, write_text, written_aside
from whichlever.task import Task

EXAMPLE_CHARS = 2_000
"""How much of each test row's text RUN keeps for the report."""


def write_inputs(run: Path, task: Task, dataset: Dataset, splits: Splits, audit: Audit) -> None:
    """Write what the steps stand on; an earlier verdict never stands beside new inputs."""
    import polars as pl

    answers = ("trials.parquet", "curves.parquet", NOISE_FILE, "attack.json")
    for name in ("verdict.json", "measures.json", "report.html", *answers):
        (run / name).unlink(missing_ok=True)
    write_text(run / "task.yaml", _yaml(task))
    write_json(run / "audit.json", audit.model_dump(mode="json"))
    roles = [
        (row.id, role)
        for role in ("train", "valid", "calibrate", "test")
        for row in getattr(splits, role)
    ]
    frame = pl.DataFrame(roles, schema={"id": pl.String, "role": pl.String}, orient="row")
    if task.kind == "extract":
        tags = {str(by): of for by, of in line_tags(dataset, splits).items()}
        tested = [row.id for row in splits.test]
        kinds: dict[str, Any] = dict.fromkeys(("id", "shape", "source", "file"), pl.String)
        of = pl.DataFrame({"id": tested, **tags}, schema=kinds)
        frame = frame.join(of, on="id", how="left", maintain_order="left")
    with written_aside(run / "splits.parquet") as aside:
        frame.write_parquet(aside)


def write_texts(run: Path, task: Task, dataset: Dataset, splits: Splits, *, keep: bool) -> None:
    """Write what quotes the input, or take away what an earlier run left of it."""
    import polars as pl

    if not keep:
        for name in ("examples.parquet", "requests.jsonl"):
            (run / name).unlink(missing_ok=True)
        return
    if dataset.schema is None and dataset.labels and task.kind != "verify":
        write_requests(run / "requests.jsonl", splits.test, as_choice(task), dataset.labels)
    texts = [(row.id, row.text[:EXAMPLE_CHARS], len(row.text)) for row in splits.test]
    schema: dict[str, Any] = {"id": pl.String, "text": pl.String, "chars": pl.Int64}
    with written_aside(run / "examples.parquet") as aside:
        pl.DataFrame(texts, schema=schema, orient="row").write_parquet(aside)


def _yaml(task: Task) -> str:
    """The task as it was understood, so that RUN tells what was really run."""
    import yaml

    values = task.model_dump(mode="json", exclude_unset=True)
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))

"""What a comparison of `kind: extract` does beside: learn the names, audit lines, slice scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whichlever.data import Audit, Dataset, Splits
from whichlever.data.audit_lines import audit_lines
from whichlever.data.learn_fields import learn_fields
from whichlever.measure import Measures, Outcome
from whichlever.measure.line_scores import By
from whichlever.measure.lines import line_scores
from whichlever.progress import Progress
from whichlever.task import Task


def prepare_fields(
    dataset: Dataset, splits: Splits, task: Task, progress: Progress
) -> tuple[Dataset, Audit]:
    """Learn the names from rows outside test, and audit the split.

    Returns
    -------
    dataset : Dataset
        With its ``schema``.
    audit : Audit
        What was found in the split.
    """
    with progress.step("align fields with their lines"):
        learned = learn_fields(splits, task)
    with progress.step("audit"):
        audit = audit_lines(splits, task, dataset, learned)
    return replace(dataset, schema=learned.schema), audit


def with_lines(
    measures: Measures, outcomes: Sequence[Outcome], dataset: Dataset, splits: Splits, seed: int
) -> Measures:
    """Add each lever's scores by shape, by source and by file, and by how sure it was."""
    if dataset.schema is None:
        return measures
    tags = line_tags(dataset, splits)
    names = dataset.labels
    found = {outcome.lever: line_scores(outcome, names, tags, seed) for outcome in outcomes}
    levers = tuple(own.model_copy(update={"lines": found[own.lever]}) for own in measures.levers)
    return measures.model_copy(update={"levers": levers})


def line_tags(dataset: Dataset, splits: Splits) -> dict[By, list[str | None]]:
    """What each test line belongs to: a shape seen outside test or not, a source, a file."""
    shapes = dataset.shapes
    others = {shapes[r.id] for part in (splits.train, splits.valid, splits.calibrate) for r in part}
    return {
        "shape": ["seen" if shapes[row.id] in others else "unseen" for row in splits.test],
        "source": [row.source for row in splits.test],
        "file": [dataset.files.get(row.id) for row in splits.test],
    }

"""What a comparison of `kind: extract` does beside: learn the names, audit lines, slice scores."""

from __future__ import annotations

from dataclasses import replace

from whichlever.data import Audit, Dataset, Splits
from whichlever.data.audit_lines import audit_lines
from whichlever.data.learn_fields import learn_fields
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

"""What a comparison of `kind: generate` does beside: an audit that needs no labels."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace

from whichlever.closed import as_choice
from whichlever.data import Audit, Splits, audit_splits
from whichlever.data.rows import ROLES
from whichlever.task import Task

SHELVES = 50
"""Open answers are told apart by a digest of so many values in the audit: two texts with the same
answer always agree, and two with different ones in one case of fifty."""


def audit_texts(
    splits: Splits, task: Task, labels: tuple[str, ...], windows: Mapping[str, int]
) -> Audit:
    """Audit rows whose targets are text: as labels where answers are a closed set.

    Where they are open there is no label to be guessed: duplicates, conflicts and lengths are
    looked for, and no probe is scored.
    """
    seen = as_choice(task)
    if labels:
        return audit_splits(splits, seen, labels, windows=windows)
    parts = {
        role: tuple(
            replace(row, target=str(zlib.crc32((row.target or "").encode()) % SHELVES))
            for row in getattr(splits, role)
        )
        for role in ROLES
    }
    audit = audit_splits(Splits(**parts), seen, (), windows=windows)
    kept = tuple(
        found.model_copy(update={"leaky": None, "clean": None})
        for found in audit.findings
        if found.kind != "unseen_label"
    )
    none = {"probe": None, "probe_without_leaked": None, "findings": kept}
    return audit.model_copy(update=none)

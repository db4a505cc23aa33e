"""What the test rows cannot show, and what does not fit a model's window."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from whichlever.data.findings import Finding, found
from whichlever.data.rows import Splits
from whichlever.predict import Row

FEW_ROWS = 30
"""Test rows of a label below which its recall is hardly measured (± 18 points at best guess)."""

FEW_GROUPS = 20
CHARS_PER_TOKEN = 4
"""English text in a subword vocabulary; logs and other scripts take more tokens."""


def small_classes(test: Sequence[Row], labels: Sequence[str]) -> list[Finding]:
    """Labels with too few test rows to measure a recall on."""
    counts = Counter(row.target for row in test)
    small = sorted((counts[label], label) for label in labels if counts[label] < FEW_ROWS)
    if not small:
        return []
    ids = [row.id for row in test if counts[row.target] < FEW_ROWS]
    shown = ", ".join(f"{label!r} {count}" for count, label in small[:5])
    more = f" and {len(small) - 5} more" if len(small) > 5 else ""
    most, label = next(((c, name) for c, name in small if c), (0, ""))
    right = "the one test row" if most == 1 else f"all {most}"
    what = f"; even {right} of {label!r} right would only show a recall above " if most else ""
    bound = f"{all_right(most):.2f} (95 %)" if most else ""
    none = sum(count == 0 for count, _ in small)
    absent = f"; {none} have none and count for nothing in the score" if none else ""
    return [
        found(
            "small_class",
            "warning",
            f"{len(small)} of {len(labels)} labels with fewer than {FEW_ROWS} test rows "
            f"({shown}{more}){what}{bound}{absent}",
            ids,
            "label more test rows of them, or claim nothing about them one by one",
        )
    ]


def all_right(rows: int, level: float = 0.95) -> float:
    """The lower end of the Clopper–Pearson interval of a share when all of ``rows`` are right."""
    return float(((1 - level) / 2) ** (1 / rows)) if rows else 0.0


def few_groups(test: Sequence[Row]) -> list[Finding]:
    """Too few test groups for a difference between levers to be shown."""
    groups = {row.group for row in test if row.group is not None}
    if not groups or len(groups) >= FEW_GROUPS:
        return []
    attainable = min(1.0, 2.0 ** (1 - len(groups)))
    hopeless = attainable > 0.05
    said = (
        "so that no difference between levers can be shown at .05"
        if hopeless
        else "and intervals over so few groups are wide"
    )
    return [
        found(
            "few_groups",
            "warning" if hopeless else "info",
            f"the test rows come from {len(groups)} group{'s' * (len(groups) > 1)}: swapping two "
            f"levers' answers by whole group cannot give a p below {attainable:.4g}, {said}",
            [row.id for row in test],
            "test on more groups; six are the least for p < .05",
        )
    ]


def unseen_labels(splits: Splits) -> list[Finding]:
    """Test rows whose label no training row has (allowed by the task, and counted wrong)."""
    known = {row.target for row in splits.train}
    unseen = [row for row in splits.test if row.target not in known]
    if not unseen:
        return []
    names = sorted({row.target or "" for row in unseen})
    return [
        found(
            "unseen_label",
            "warning",
            f"{len(unseen)} test rows have labels that no training row has "
            f"({', '.join(map(repr, names[:5]))}{', ...' if len(names) > 5 else ''}): a trained "
            "lever gets them wrong, whatever it is",
            [row.id for row in unseen],
            "add training rows of these labels",
        )
    ]


def lengths(
    splits: Splits, windows: Mapping[str, int], count_tokens: Callable[[str], int] | None
) -> list[Finding]:
    """How long the inputs are, and which do not fit a lever's window."""
    rows = [*splits.train, *splits.valid, *splits.calibrate, *splits.test]
    about = "" if count_tokens else "about "
    sizes = [_tokens(row.text, count_tokens) for row in rows]
    middle, high, most = np.percentile(sizes, [50, 95, 100]).astype(int).tolist()
    findings = [
        found(
            "length",
            "info",
            f"inputs have {about}{middle} tokens (median), {high} (95th percentile), {most} "
            "(longest)",
            [],
            "nothing to do; compare with each lever's window",
        )
    ]
    tested = {row.id for row in splits.test}
    for lever, window in sorted(windows.items()):
        long = [row for row, size in zip(rows, sizes, strict=True) if size > window]
        if not long:
            continue
        long.sort(key=lambda row: row.id not in tested)
        in_test = sum(row.id in tested for row in long)
        findings.append(
            found(
                "length",
                "warning",
                f"{len(long)} of {len(rows)} inputs ({in_test} test rows) are longer than the "
                f"window of {lever} ({about}{window} tokens)",
                [row.id for row in long],
                f"shorten the input (fewer fields in data.input) or give {lever} a longer window; "
                "prompt and rag refuse such rows and count them wrong, finetune-encoder reads "
                "their head and tail and says so of each",
            )
        )
    return findings


def _tokens(text: str, count: Callable[[str], int] | None) -> int:
    return count(text) if count else math.ceil(len(text) / CHARS_PER_TOKEN)

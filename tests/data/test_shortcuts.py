"""Shortcuts: rows of one label that tell where they come from are seen, others left in peace."""

import random

from whichlever.data.rows import Splits
from whichlever.data.shortcuts import shortcuts
from whichlever.predict import Row

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]
LABELS = ("phishing", "legitimate")


def rows(mark: bool, source: bool = True) -> Splits:
    """Simulated: 120 wanted texts of two sources, one of which may sign its mails."""
    rng = random.Random(0)
    made = []
    for i in range(160):
        label, origin = ("phishing", "pot") if i % 4 == 3 else ("legitimate", "ab"[i % 2])
        text = " ".join(rng.choices(WORDS, k=14))
        if mark and origin == "a":
            text += " unsubscribe listadmin"
        made.append(
            Row(f"r{i}", text, label, None if source else origin, source=origin if source else None)
        )
    return Splits(train=tuple(made), valid=(), calibrate=(), test=())


def test_a_source_that_signs_its_mails_is_told_and_named() -> None:
    (found,) = shortcuts(rows(mark=True), LABELS)
    assert (found.kind, found.severity) == ("shortcut", "warning")
    assert "'legitimate'" in found.text
    assert "'unsubscribe'" in found.text
    assert "split: {by: group}" in found.remedy


def test_sources_that_are_alike_are_no_shortcut() -> None:
    (found,) = shortcuts(rows(mark=False), LABELS)
    assert found.severity == "info"
    assert found.row_ids == ()


def test_few_groups_stand_for_sources_where_none_is_given() -> None:
    (found,) = shortcuts(rows(mark=True, source=False), LABELS)
    assert found.severity == "warning"


def test_labels_of_one_source_have_nothing_to_tell() -> None:
    only = Splits(
        train=tuple(r for r in rows(mark=True).train if r.source != "b"),
        valid=(), calibrate=(), test=(),
    )  # fmt: skip
    assert shortcuts(only, LABELS) == []

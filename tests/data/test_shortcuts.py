"""Shortcuts: rows of one label that tell where they come from are seen, others left in peace."""

import json
import random
from pathlib import Path

from whichlever.data import audit_splits, read_dataset, split_rows
from whichlever.data.rows import Splits
from whichlever.data.shortcuts import shortcuts
from whichlever.predict import Row
from whichlever.task import Task

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]
LABELS = ("phishing", "legitimate")


def rows(mark: bool, source: bool = True, count: int = 160) -> Splits:
    """Simulated: wanted texts of two sources, three in four, one of which may sign its mails."""
    rng = random.Random(0)
    made = []
    for i in range(count):
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


def test_the_source_is_read_from_the_column_that_the_task_names(tmp_path: Path) -> None:
    made = rows(mark=True, count=320).train
    lines = [
        json.dumps({"text": row.text, "label": row.target, "corpus": row.source}) for row in made
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    data = {"rows": "rows.jsonl", "input": "text", "source": "corpus"}
    (tmp_path / "task.yaml").write_text(json.dumps({"task": "t", "data": data}))
    task = Task.load(tmp_path / "task.yaml")
    dataset = read_dataset(task)
    found = audit_splits(split_rows(dataset, task), task, dataset.labels)
    assert [f.severity for f in found.findings if f.kind == "shortcut"] == ["warning"]

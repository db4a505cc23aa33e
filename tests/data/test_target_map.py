"""From what an analyst's tool says to labels; what says none is left out, counted and said."""

from __future__ import annotations

import json

import pytest

from whichlever.comparison import prepare
from whichlever.data import read_dataset
from whichlever.data.target_map import TargetMap, say_unlabelled
from whichlever.errors import DataError, TaskError
from whichlever.task import Task

HEAD = """
task: t
data:
  rows: rows.jsonl
  id: id
  input: text
  target: /alert/verdict
  split: {valid: 0.2, calibrate: 0, test: 0.3}
"""
MAP = "  target_map: {True Positive: critical, False Positive: noise, '5': noise}\n"
LABELS = "labels: [critical, noise]\n"


def task(folder, verdicts, text=HEAD + MAP + LABELS):
    rows = [{"id": str(i), "text": f"a text number {i}", "alert": alert if isinstance(alert, dict)
             else {"verdict": alert}} for i, alert in enumerate(verdicts)]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Task.parse(text, folder=folder)


def test_values_become_labels_and_the_rest_is_counted(tmp_path):
    verdicts = ["True Positive", "false_positive", "FALSE-POSITIVE", 5, "open", "open", None, {},
                ["x", "True Positive"], ["True Positive", "False Positive"]]  # fmt: skip
    found = read_dataset(task(tmp_path, verdicts))
    assert [(row.id, row.target) for row in found.rows] == [
        ("0", "critical"), ("1", "noise"), ("2", "noise"), ("3", "noise"), ("8", "critical"),
    ]  # fmt: skip
    assert found.unlabelled == {
        "open": 2, "(nothing)": 2, "True Positive, False Positive": 1,
    }  # fmt: skip


def test_the_audit_says_what_was_left_out(tmp_path):
    verdicts = ["True Positive", "False Positive"] * 20 + ["open"] * 7 + ["\x1b[31m"]
    audit = prepare(task(tmp_path, verdicts)).audit
    [finding] = [f for f in audit.findings if f.kind == "unlabelled"]
    assert finding.count == 8
    assert finding.severity == "info"
    assert "8 rows have no label" in finding.text
    assert "'open' 7" in finding.text
    assert "\x1b" not in finding.text
    assert sum(audit.rows.values()) == 40


def test_no_label_at_all_says_what_the_column_holds(tmp_path):
    with pytest.raises(
        DataError, match=r"no row has a label by data\.target_map; .* says 'open' 3"
    ):
        read_dataset(task(tmp_path, ["open"] * 3))


def test_slips_in_the_map_are_told(tmp_path):
    wrong = HEAD + "  target_map: {x: criticl}\n" + LABELS
    with pytest.raises(TaskError, match=r"target_map: 'criticl' is not one .* mean 'critical'"):
        task(tmp_path, ["x"], wrong)
    twice = HEAD + "  target_map: {False Positive: noise, false_positive: critical}\n" + LABELS
    with pytest.raises(TaskError, match="stands there twice, with different labels"):
        read_dataset(task(tmp_path, ["x"], twice))


def test_many_different_values_stay_bounded():
    found = TargetMap({"x": "a"}, "v")
    for i in range(3_000):
        assert found.label({"v": f"value {i}" * 50}) is None
    assert len(found.unlabelled) <= 1_001
    assert sum(found.unlabelled.values()) == 3_000
    assert len(say_unlabelled(found.unlabelled)) < 1_000

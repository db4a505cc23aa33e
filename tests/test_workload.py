"""The desk from task file to report: strict keys, figures in measures.json, words on the page."""

from __future__ import annotations

import io
import json
import random

import pytest
from rich.console import Console

from whichlever import Task, compare
from whichlever.errors import TaskError
from whichlever.measure import shift_wait
from whichlever.measure.summary import Measures
from whichlever.report import write_report
from whichlever.report.terminal import print_verdict
from whichlever.workload import check_workload

TASK = """
task: desk
data: {rows: rows.jsonl, id: id, input: text, target: label, time: time}
labels: [critical, investigate, noise]
mistakes: {critical: {noise: 50}}
workload:
  urgent: [critical]
  quiet: [noise]
  alerts_per_day: 1000
  entity: [host]
  incident: case
"""
LEVERS = "levers: {linear: {windows: [all], c: [1.0], families: [svm], chars: false}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shift_wait, "ARRIVALS", 4_000)
    dice = random.Random(0)
    words = {
        "critical": "beacon to unknown address after macro",
        "investigate": "odd tool on a workstation",
        "noise": "scheduled job on server as every night",
    }
    lines = []
    for i in range(360):
        label = ("critical", "investigate", "noise", "noise", "noise", "noise")[i % 6]
        said = words[label if dice.random() > 0.15 else "noise"].split()
        dice.shuffle(said)
        lines.append(
            {
                "id": f"r{i}", "text": " ".join([*said, f"n{i}"]), "label": label,
                "time": 1_700_000_000 + 7200 * (i // 2), "host": f"<b>h{i // 2}</b>",
                "case": f"c{i // 2}",
            }
        )  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "task.yaml").write_text(TASK + LEVERS)
    return tmp_path


def test_from_task_to_page(folder):
    task = Task.load(folder / "task.yaml")
    done = compare(task, folder / "run")
    desk = done.measures.workload
    assert {s.lever for s in desk.levers} == {"majority", "linear"}
    assert not desk.mix_given
    assert desk.looks_per_day == 320
    linear = desk.lever("linear")
    assert linear.ranked_by == "scores"
    assert linear.missed.low <= linear.missed.value <= linear.missed.high
    assert linear.missed_per_month.high <= desk.urgent_per_month * 1.0001
    assert linear.wait.reached.value > desk.wait.reached.value + 0.2
    grouping = desk.grouping
    assert (grouping.rows, grouping.incidents) == (360, 180)
    assert grouping.f1.value == 1
    assert Measures.model_validate(json.loads(done.measures.model_dump_json())) == done.measures

    page = write_report(folder / "run").read_text("utf-8")
    assert 'id="workload"' in page
    assert "Sorted by linear, nothing closed" in page
    assert "would be closed without a look" in page or "still allows for" in page
    assert "give workload.mix" in page
    assert "<b>h" not in page
    console = Console(width=100, record=True, file=io.StringIO())
    print_verdict(console, done.measures, done.verdict, folder / "run")
    assert "On shift:" in console.export_text()


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("urgent: [critical]", "urgent: [critcal]", "did you mean 'critical'"),
        ("quiet: [noise]", "quiet: [critical]", "both urgent and quiet"),
        ("incident: case", "mix: {critical: 0.5, noise: 0.5}", "'investigate' has no share"),
        ("incident: case", "mix: {critical: 0.5, investigate: 0, noise: 0.6}", "not 1"),
        ("incident: case", "mix: {critical: 0, investigate: 0, noise: 1}", "urgent labels have no"),
        ("incident: case", "analyst: 3", "analysts"),
        ("alerts_per_day: 1000", "alerts_per_day: 0", "greater than 0"),
    ],
)
def test_a_workload_that_cannot_be_is_refused(was, now, said):
    assert was in TASK
    with pytest.raises(TaskError, match=r"task\.yaml") as error:
        Task.parse(TASK.replace(was, now))
    assert said in str(error.value)


def test_labels_found_in_the_rows_are_checked_before_anything_runs():
    task = Task.parse(TASK.replace("labels: [critical, investigate, noise]\n", ""))
    check_workload(task, ("critical", "noise"))
    with pytest.raises(TaskError, match="not one of the labels"):
        check_workload(task, ("crit", "noise"))

"""The simulated company through each door: the same labels, and much the same score."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from whichlever.cli import main
from whichlever.data import read_dataset, split_rows
from whichlever.data.probe import probe_answers
from whichlever.packs.triage import pack
from whichlever.packs.triage.template import write_template
from whichlever.task import Task

ROWS = 1500
FORMATS = ("native", "ecs", "ocsf")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Folder and dataset of each format."""
    found = {}
    for format in FORMATS:
        folder = tmp_path_factory.mktemp(format) / "task"
        write_template(folder, seed=0, rows=ROWS, format=format)
        task = Task.load(folder / "task.yaml")
        found[format] = (folder, task, read_dataset(task))
    return found


def test_the_pack_names_what_it_writes():
    assert pack.formats == FORMATS


@pytest.mark.parametrize("format", FORMATS[1:])
def test_every_row_has_the_same_id_label_and_time(company, format):
    _, _, native = company["native"]
    _, task, other = company[format]
    assert task.pack == "triage@2"
    assert other.unlabelled == {}
    wanted = {row.id: (row.target, int(row.time)) for row in native.rows}
    assert {row.id: (row.target, int(row.time)) for row in other.rows} == wanted
    assert "SIMULATED" in (company[format][0] / "task.yaml").read_text()


@pytest.mark.parametrize("format", FORMATS[1:])
def test_no_label_or_verdict_stands_in_a_text(company, format):
    words = ("critical", "investigate", "noise", "positive", "suspicious", "resolved", "closed",
             "acknowledged", "simulated-rule")  # fmt: skip
    for row in company[format][2].rows:
        first, *_ = row.text.lower().split("\n")
        assert not any(word in first for word in words)
        assert not any(word in row.text.lower() for word in words[3:])


def test_a_linear_model_scores_much_the_same_through_each_door(company):
    score = {}
    for format, (_, task, dataset) in company.items():
        splits = split_rows(dataset, task)
        truth = [row.target for row in splits.test]
        said = probe_answers(
            [row.text for row in splits.train], [row.target for row in splits.train],
            [row.text for row in splits.test],
        )  # fmt: skip
        score[format] = f1_score(truth, said, average="macro", zero_division=0)
    spread = np.ptp(list(score.values()))
    assert spread < 0.08, score


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS[1:])
def test_init_audit_and_compare_walk_through(tmp_path, capsys, format):
    folder = tmp_path / "new"
    assert main(["init", "--pack", "triage", "--format", format, str(folder)]) == 0
    # Fewer rows than init's own, so that the walk is quick.
    write_template(folder, seed=0, rows=400, format=format)
    assert main(["audit", str(folder / "task.yaml"), "--json"]) in (0, 3)
    capsys.readouterr()
    command = ["compare", str(folder / "task.yaml"), "-o", str(tmp_path / "run"), "--json"]
    assert main([*command, "--lever", "linear"]) == 0
    levers = json.loads(capsys.readouterr().out)["measures"]["levers"]
    assert {lever["lever"] for lever in levers} == {"linear"}
    assert levers[0]["metrics"]["accuracy"]["value"] > 0.7

"""What fitted levers keep of rows, on whole runs: membership, exposure, the page, the card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tiny_decoder
from tiny import TASK, write_task
from whichlever.attack import exposure
from whichlever.attacking import attack_finished, remember_finished
from whichlever.bundle import open_bundle
from whichlever.cli import main
from whichlever.comparison import compare
from whichlever.packing import pack
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task

GROUPED = TASK.replace("by: random", "by: group")


def test_linear_gives_away_what_stands_in_many_rows_and_not_what_stands_in_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_task(tmp_path, task=GROUPED)
    run = compare(Task.load(path), tmp_path / "run").run
    assert main(["attack", str(run), "--memory", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["attacks"]
    (member,) = found["memberships"]
    assert member["lever"] == "linear"
    assert member["groups"] is not None
    assert 0.45 < member["auc"]["value"] < 1.0
    assert member["auc"]["low"] < member["auc"]["value"] < member["auc"]["high"]
    # both figures stand beside it: what groups alone do, and what is left of it
    assert member["shift"] is not None
    assert member["harder"] is not None
    (bits,) = found["exposures"]
    by = {one["times"]: one for one in bits["times"]}
    assert by[20]["median"] > by[0]["median"] + 2
    assert "Membership" not in (run / "report.html").read_text()
    assert "What is kept of single training rows" in (run / "report.html").read_text()
    pack(run, tmp_path / "b.wl", lever="linear")
    card = open_bundle(tmp_path / "b.wl", allow_unsigned=True).files["card.md"].decode()
    assert "who was a training row of linear" in card
    # asked again, nothing is asked again, and an attack keeps it
    assert main(["attack", str(run), "--memory"]) == 0
    assert "exposure of canaries in linear" in capsys.readouterr().out


@pytest.mark.slow
def test_a_decoder_that_writes_is_asked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    monkeypatch.setattr(exposure, "WRITTEN", 24)
    task = tiny_decoder.TASK.replace("kind: generate\n", "kind: generate\nanswers: open\n")
    task = task.replace("  linear: {windows: [all], c: [1.0]}\n", "")
    task = task.replace("  finetune:\n", "  finetune:\n    threads: 1\n").replace(
        "epochs: 3", "epochs: 1"
    )
    path = tiny_decoder.write_task(tmp_path, rows=40, task=task)
    run = compare(Task.load(path), tmp_path / "run").run
    _, found = remember_finished(run)
    (member,) = found.memberships
    assert member.auc is not None
    assert member.shift is None  # no linear lever can stand beside one that writes
    (bits,) = found.exposures
    assert bits.asked == "answer"
    assert [one.times for one in bits.times] == [0, 1, 2, 5, 20]
    # no label to be turned, no prompt to be given away: what it writes is looked at all the same
    _, found = attack_finished(run, lambda _: AttackSettings(leaks=2, rows=4))
    assert found.aim is None
    assert found.levers == ()
    assert {leak.lever for leak in found.leaks} == {"finetune-decoder"}
    assert [(one.own, one.asked) for one in found.obeyed] == [(True, 2)]
    assert found.memberships


def test_closed_answers_are_attacked_as_labels_from_any_other_to_the_commonest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_decoder, "write_base", lambda folder: folder)
    text, _, _ = tiny_decoder.TASK.partition("  rag:")
    path = tiny_decoder.write_task(tmp_path, task=text)
    run = compare(Task.load(path), tmp_path / "run").run
    settings = AttackSettings(rows=6, questions=30, search=40, chars=120)
    _, found = attack_finished(run, lambda _: settings, beside=path)
    assert found.aim is not None
    assert found.aim.into in tiny_decoder.ANSWERS
    assert set(found.aim.protect) == set(tiny_decoder.ANSWERS) - {found.aim.into}
    linear = found.lever("linear")
    assert linear is not None
    assert linear.state == "attacked"
    assert linear.rows == 6

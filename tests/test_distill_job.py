"""Distillation, whole: a teacher that knows more than the labels say, a student, what it kept."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import whichlever as wl
from tiny_decoder import TASK as JARGON
from tiny_decoder import write_task as write_jargon
from whichlever.cli import main
from whichlever.distilling import distill
from whichlever.errors import TaskError
from whichlever.levers.lesson import drawn_labels

TASK = """\
version: 1
task: notes
about: Simulated notes for a help desk.
data: {rows: rows.jsonl, id: id, input: text, target: label,
       split: {by: random, valid: 0.2, calibrate: 0.15, test: 0.4}}
levers:
  linear: {windows: [all], c: [1.0]}
  rag: {vote_only: true}
  distill: {teacher: rag-vote, rows: more.jsonl}
"""
CAUSES = {
    "network": ["vpn", "dns", "wifi", "proxy", "switch"],
    "printer": ["toner", "paper", "tray", "duplex", "scan"],
    "mail": ["inbox", "attachment", "spam", "calendar", "outlook"],
}


def write(folder: Path, rows: int = 150, more: int = 200) -> Path:
    """Simulated notes: each names two things of its cause, and words of no cause."""
    rng = random.Random(0)

    def note(i: int) -> dict[str, str]:
        label = rng.choice(list(CAUSES))
        words = [*rng.sample(CAUSES[label], 2), *rng.sample(["slow", "again", "today", "help"], 2)]
        return {"id": f"n{i}", "text": " ".join(words) + f" {i}", "label": label}

    with (folder / "rows.jsonl").open("w") as out:
        out.writelines(json.dumps(note(i)) + "\n" for i in range(rows))
    with (folder / "more.jsonl").open("w") as out:
        for i in range(more):
            made = note(rows + i)
            del made["label"]
            out.write(json.dumps(made) + "\n")
    (folder / "task.yaml").write_text(TASK)
    return folder / "task.yaml"


def test_a_student_learns_from_rows_without_labels_and_is_measured_beside_its_teacher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    found = distill(wl.Task.load(path), tmp_path / "run")
    done, (kept,) = found.comparison, found.kept
    student = done.measures.lever("finetune-distilled")
    facts = student.chosen["distilled"]
    assert facts["rows_without_label"] == 200
    assert facts["soft"]
    assert kept.student.value > 0.85
    assert kept.of_teacher == pytest.approx(kept.student.value / kept.teacher.value)
    assert 0.8 < kept.agreement.value <= 1
    assert kept.agreement.low < kept.agreement.value
    assert kept.cost_ratio is not None
    assert not kept.teacher_beats_floor
    assert "use the floor" in kept.text[0]  # a copy of a neighbour vote is not worth it here
    assert found.volume[0].lever == "rag-vote"
    assert found.volume[0].core_hours > found.volume[1].core_hours > 0
    assert "50 M calls a month" in (tmp_path / "run" / "distill.md").read_text()
    # The same command goes on from what is there, and the student is one to own.
    assert main(["distill", str(path), "-o", str(tmp_path / "run"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["students"][0]["agreement"]["value"] == kept.agreement.value
    assert "teacher and student" in (tmp_path / "run" / "report.html").read_text()
    done.pack("finetune-distilled", tmp_path / "model.wl")
    bundle = wl.Bundle.open(tmp_path / "model.wl", allow_unsigned=True)
    assert bundle.predict(["toner tray slow"])[0].label == "printer"


def test_a_teacher_that_is_not_there_is_named(tmp_path: Path) -> None:
    task = wl.Task.load(write(tmp_path, rows=40))
    with pytest.raises(TaskError, match="'finetune-encoder' is no lever"):
        distill(task, tmp_path / "run", teacher="finetune-encoder")


def test_labels_are_drawn_as_often_as_they_are_likely() -> None:
    rng = np.random.default_rng(0)
    said = rng.dirichlet([0.5, 0.5, 0.5], size=500).astype(np.float32)
    drawn = drawn_labels(said, 4, seed=0)
    for label in range(3):
        times = (drawn == label).sum(axis=1)
        assert (np.abs(times - 4 * said[:, label]) < 1 + 1e-5).all()
        assert times.mean() == pytest.approx(4 * said[:, label].mean(), abs=0.1)
    assert (drawn_labels(np.array([[0, 1, 0]], np.float32), 4, 0) == 1).all()


def test_a_decoder_learns_the_answers_of_a_log_in_its_own_words(tmp_path: Path) -> None:
    path = write_jargon(tmp_path, 80, JARGON.replace("epochs: 3", "epochs: 1"))
    with (tmp_path / "rows.jsonl").open() as lines:
        rows = [json.loads(line) for line in lines]
    with (tmp_path / "log.jsonl").open("w") as out:
        for i, row in enumerate(rows):
            asked = {"messages": [{"role": "user", "content": f"{row['input']} {i}"}]}
            said = {"choices": [{"message": {"content": row["output"]}}]}
            out.write(json.dumps({"request": asked, "response": said}) + "\n")
    # The log's texts are none of the task's: what its teacher is worth is not known, and said so.
    found = distill(
        wl.Task.load(path), tmp_path / "run", logs="log.jsonl", student=["decoder", "linear"],
    )  # fmt: skip
    decoder = found.comparison.measures.lever("finetune-distilled-decoder")
    assert decoder.chosen["distilled"]["rows_taught"] == len(rows)
    assert decoder.chosen["distilled"]["draws"] == 1
    assert found.kept == ()
    assert "not known" in found.text[0]
    linear = found.comparison.measures.lever("finetune-distilled-linear")
    assert linear.metrics["exact_match"].value > 0.9
    assert found.volume[0].calls_dollars is None
